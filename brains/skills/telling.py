"""Traces in Markdown: what each skill saw, what was ruled and why, what came of it. Written for a moderator."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Edit, OpenDirect, Say, target
from bot.core.i18n import _
from bot.core.things import Ref
from bot.core.wording import escape, marked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.core.actions import Action
    from bot.core.decisions import Decision, Obstacle, Receipt, Ruling, Step, Trace
    from bot.core.i18n import Translate
    from storage.acts import Act

STATES = {
    "intended": _("under way"),
    "done": _("done"),
    "failed": _("failed"),
    "unknown": _("unknown: a crash came in between"),
}
KINDS = {
    "MessagePosted": _("Message posted"),
    "MessageEdited": _("Message edited"),
    "MessageDeleted": _("Message deleted"),
    "MemberChanged": _("Member changed"),
    "MemberJoined": _("Member joined"),
    "MemberLeft": _("Member left"),
    "ReactionAdded": _("Reaction added"),
    "ReactionRemoved": _("Reaction removed"),
    "CommandGiven": _("Command given"),
    "ButtonPressed": _("Button pressed"),
    "ChannelChanged": _("Channel changed"),
    "BotAdded": _("Bot added"),
    "TimerFired": _("Timer fired"),
}
WAITS: dict[Obstacle, str] = {
    "chat": _("waited {seconds:g} s, since this chat had its share of messages"),
    "route": _("waited {seconds:g} s, since this chat had its share of such acts"),
    "all": _("waited {seconds:g} s, since all chats together had their share"),
    "paused": _("waited {seconds:g} s, since the platform said to wait"),
    "away": _("waited {seconds:g} s for the platform, which could not be reached"),
}


def tell(
    trace: Trace,
    acts: Sequence[Act],
    translate: Translate,
    *,
    reader: Ref | None = None,
    rooms: frozenset[Ref] | None = None,
) -> str:
    """Tell the story of one event.

    What was said to one member alone is told to no other `reader`, and what was said elsewhere than in `rooms` to none.
    """
    discreetly = functools.partial(discreet, reader=reader, rooms=rooms, asker=trace.member)
    when = trace.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    head = translate(_("**{kind}** at {when}, looked at in {ms:.0f} ms (trace {id})"))
    lines = [
        head.format(
            kind=translate(KINDS.get(trace.kind, trace.kind)), when=when, ms=trace.milliseconds, id=escape(trace.id)
        )
    ]
    lines += [_step(step, translate) for step in trace.steps]
    lines += [
        f"- **{decision.skill}**: {', '.join(grounds)}"
        for decision in trace.verdict.decisions
        if (grounds := list(_grounds(decision, translate)))
    ]
    lines += [
        _declined(ruling, marked(discreetly(ruling.action), translate), translate)
        for ruling in trace.verdict.rulings
        if not ruling.kept
    ]
    lines += [_done(act, marked(discreetly(act.action), translate), translate) for act in acts]
    return "\n".join(lines)


def _step(step: Step, translate: Translate) -> str:
    sentence = translate(_("- **{skill}** ({mode}, {ms:.0f} ms): {outcome}"))
    return sentence.format(skill=step.skill, mode=step.mode, ms=step.milliseconds, outcome=escape(step.outcome))


def _grounds(decision: Decision, translate: Translate) -> Iterator[str]:
    """Say what a decision stands on: of what was asked for, nobody need be sure."""
    if decision.confidence < 1:
        yield translate(_("{sure:.0%} sure")).format(sure=decision.confidence)
    if count := len(decision.evidence):
        sentence = _("resting on one message") if count == 1 else _("resting on {count} messages")
        yield translate(sentence).format(count=count)
    if decision.approved:
        member = wording.member(decision.approved, decision.approved.id)
        yield translate(_("approved by {member}")).format(member=member)


def _declined(ruling: Ruling, told: str, translate: Translate) -> str:
    sentence = translate(_("- not done: {action}. {why}"))
    return sentence.format(action=told, why=escape(ruling.why))


def _done(act: Act, told: str, translate: Translate) -> str:
    sentence = translate(_("- {state}: {action}"))
    line = sentence.format(state=translate(STATES[act.state]), action=told)
    if told_of_way := ", ".join(_on_the_way(act.receipt, translate)):
        line += f" ({told_of_way})"
    if act.undone_by is not None:
        line += translate(_(" (taken back by act {number})")).format(number=act.undone_by)
    return f"{line}: {escape(act.receipt.error)}" if act.receipt.error else line


def _on_the_way(receipt: Receipt, translate: Translate) -> Iterator[str]:
    """Say what held an act up, and what it did without."""
    if receipt.waited_for:
        yield translate(WAITS[receipt.waited_for]).format(seconds=receipt.waited)
    if receipt.dropped:
        yield translate(_("{count} edits on the way were left out")).format(count=receipt.dropped)


def discreet(
    action: Action, *, reader: Ref | None = None, rooms: frozenset[Ref] | None = None, asker: Ref | None = None
) -> Action:
    """Leave out what was said to somebody else alone, or where the reader may not read.

    To whom something was written directly is told where that is the `asker`: another may be their other account.
    """
    match action:
        case Say() | Edit() if action.only is not None:
            heard = action.only == reader
        case OpenDirect(member=member):
            heard = member == reader
            if not heard and asker not in {None, member}:
                action = replace(action, member=Ref(member.platform, "…"))
        case Say() | Edit():
            heard = rooms is None or target(action) in rooms
        case _:
            return action
    return action if heard else replace(action, text="…")
