"""What staff steer the bot with: /why, /undo, /mode, and the buttons under proposals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Edit, KeepCase, Moderation, Say, SetPolicy, SettleCase, undoing
from bot.core.decisions import Decision, Mode
from bot.core.errors import Mistake, NotAllowed
from bot.core.events import TimerFired
from bot.core.i18n import _
from bot.core.policies import MODE, mode_of
from bot.core.things import Rank, Ref
from bot.core.wording import escape, marked
from brains.skills import letters, presets, proposed
from brains.skills.casework import can, is_case_id
from brains.skills.skill import Skill
from brains.skills.standing import TAKEN_BACK
from brains.skills.steering import changed, channel, close_message, message_ref, pressed, ref, who
from brains.skills.telling import tell
from storage import acts, cases, traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action
    from bot.core.decisions import Trace
    from brains.skills.skill import Context
    from storage.acts import Act
    from storage.connection import Connection

RECENT = 50
"""Traces looked through for the latest that can be told or undone."""
STEERING = ("staff", "setup")
"""Skills whose own doings are no answer to why."""


async def propose(context: Context) -> Decision | None:
    """Answer a command of the staff, or a button under a proposal."""
    if context.press is not None:
        return await _settle(context)
    match context.command.command:
        case "why":
            return await _why(context)
        case "undo":
            return await _undo(context)
        case _:
            return await _mode(context)


async def _why(context: Context) -> Decision:
    """Tell the traces of a message, or the latest of the channel that is no question of the staff's."""
    found = await _traces(context)
    told = [trace for trace in found if not (_by_staff(trace) or _is_idle(trace))] or found
    if not told:
        raise Mistake(_("I did nothing here lately, and decided nothing."))
    limit = 3 if context.command.arguments.get("message") else 1
    rooms = await _rooms(context)
    async with context.faculties.database.read() as connection:
        stories = [
            tell(one, await acts.of_trace(connection, one.id), context.translate, reader=ref(context), rooms=rooms)
            for one in told[:limit]
        ]
    reason = context.translate(_("asked why"))
    return Decision(skill=SKILL.name, actions=(context.answer("\n\n".join(stories)),), reason=reason)


async def _rooms(context: Context) -> frozenset[Ref]:
    """Return the channels whose words the asker may read: those in their scope, and the one they ask in."""
    within = (await context.reach()).channels.values()
    return frozenset(room.ref for room in within) | {context.command.channel.ref}


async def _undo(context: Context) -> Decision:
    """Take back the acts of a message's trace, or the latest acts of the channel that can be."""
    for trace in await _traces(context):
        async with context.faculties.database.read() as connection:
            every = await acts.of_trace(connection, trace.id)
        done = [act for act in reversed(every) if act.state == "done" and act.undone_by is None and not _aside(act)]
        backs = [(act, undoing(act.action, act.receipt, by=ref(context))) for act in done]
        found = [(act, back) for act, back in backs if back is not None]
        if found and not trace.takes_back:
            _check(context, found)
            back = _taken_back(context, found, stays=[act for act, back in backs if back is None])
            return await _relieving(context, back, found)
    raise Mistake(_("There is nothing here that I could take back."))


def _check(context: Context, found: Sequence[tuple[Act, Action]]) -> None:
    """Let staff take back neither what only the owner sets, nor what was done to themselves. Raises NotAllowed."""
    if context.rank >= Rank.OWNER:
        return
    if any(isinstance(back, SetPolicy) and not back.name.startswith(MODE) for _act, back in found):
        raise NotAllowed(_("The owner set this, and only the owner takes it back. /setup shows it."))
    if any(isinstance(act.action, Moderation) and act.action.member == ref(context) for act, _back in found):
        raise NotAllowed(_("This was done to you: somebody else of the staff takes it back."))


def _taken_back(context: Context, found: Sequence[tuple[Act, Action]], *, stays: Sequence[Act]) -> Decision:
    translate = context.translate
    lines = [translate(_("Taken back:")), *(f"- {marked(act.action, translate)}" for act, _back in found)]
    if stays:
        lines += [translate(_("Cannot be taken back:")), *(f"- {marked(act.action, translate)}" for act in stays)]
    undone = ", ".join(str(act.id) for act, _back in found)
    return Decision(
        skill=SKILL.name,
        actions=(*(back for _act, back in found), context.answer("\n".join(lines))),
        reason=translate(_("{member} took back acts {acts}")).format(member=who(context), acts=undone),
        undoes=(*(act.id for act, _back in found), None),
    )


async def _relieving(context: Context, back: Decision, found: Sequence[tuple[Act, Action]]) -> Decision:
    """Tell the member too, where what is taken back was done to them in a case."""
    named = [act.action.case for act, _back in found if isinstance(act.action, KeepCase | SettleCase)]
    if not named:
        return back
    async with context.faculties.database.read() as connection:
        case = await cases.by_id(connection, context.community, named[0])
    if case is None or not case.step or not case.counts(context.now):
        return back
    letter = await letters.relief(context, case.member, case.id)
    if not can(context, letter):
        return back
    return replace(back, actions=(*back.actions, letter), undoes=(*back.undoes, None))


async def _traces(context: Context) -> list[Trace]:
    """Return the traces in question, newest first: of the message that was named, or of this channel."""
    wanted = context.command.arguments.get("message", "")
    async with context.faculties.database.read() as connection:
        if not wanted:
            return await traces.latest(connection, context.community, channel=context.command.channel.ref, limit=RECENT)
        by_id = await traces.by_id(connection, context.community, wanted)
        found = [by_id] if by_id else await _of_case(context, connection, wanted)
        found = found or await traces.about(connection, context.community, message_ref(context, wanted))
    if not found:
        raise Mistake(_("I know nothing about {what}. Name a message of mine, or one that I answered."), what=wanted)
    return found


async def _of_case(context: Context, connection: Connection, wanted: str) -> list[Trace]:
    """Return the traces that name a case, newest first; it may be called `case:` for short."""
    named = wanted.removeprefix("case:").upper()
    if not is_case_id(named):
        return []
    numbers = dict.fromkeys(act.trace for act in await acts.naming(connection, context.community, named))
    found = [await traces.by_id(connection, context.community, number) for number in numbers]
    return [trace for trace in reversed(found) if trace is not None]


def _by_staff(trace: Trace) -> bool:
    return any(step.skill in STEERING for step in trace.steps)


def _is_idle(trace: Trace) -> bool:
    """Say whether nothing was proposed when a schedule came: /schedule tells of that."""
    return trace.kind == TimerFired.__name__ and not trace.verdict.rulings


def _aside(act: Act) -> bool:
    """Say whether somebody alone saw it: taking that back would help nobody."""
    return isinstance(act.action, Say | Edit) and act.action.only is not None


async def _mode(context: Context) -> Decision:
    given = context.command.arguments
    if not given.get("skill"):
        return await _modes(context)
    names = presets.steered()
    if given["skill"] not in names:
        they = ", ".join(names)
        raise Mistake(_("{skill} does nothing unasked. These do: {names}."), skill=given["skill"], names=they)
    if not given.get("mode"):
        raise Mistake(_("Say which mode: off, watch, ask or act."))
    where = (await channel(context, given["channel"])).ref if given.get("channel") else None
    before = context.modes.get((given["skill"], str(where or "")))
    change = SetPolicy(name=MODE + given["skill"], value=Mode(given["mode"]), before=before or "", channel=where)
    return changed(context, SKILL.name, [change])


async def _modes(context: Context) -> Decision:
    from brains.skills import SKILLS  # the table lists this file too

    lines = [context.translate(_("What I may do unasked:"))]
    for skill in SKILLS:
        if skill.acts_unasked:
            mode = mode_of(dict(context.modes), skill.name, "")
            lines.append(f"- **{skill.name}**: {mode}. {context.translate(skill.purpose)}")
            own = [(where, one) for (name, where), one in context.modes.items() if name == skill.name and where]
            places = [(Ref.parse(where), one) for where, one in own]
            lines += [f"  - {wording.channel(place, place.id)}: {one}" for place, one in places]
    return Decision(
        skill=SKILL.name,
        actions=(context.answer("\n".join(lines)),),
        reason=context.translate(_("asked for the modes")),
    )


async def _settle(context: Context) -> Decision:
    """Let a proposal through, or not."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    if context.rank < Rank.STAFF:
        raise NotAllowed(_("Only the staff settles proposals."))
    act = await pressed(context)
    if act is None or not isinstance(act.action, AskStaff):
        raise Mistake(_("This proposal is not there any more."))
    proposal, approved = act.action, context.press.what == "approve"
    verdict = context.translate(_("approved by {member}") if approved else _("declined by {member}"))
    holds = await proposed.holding(context, act.skill, proposal.proposed) if approved else []
    stands = holds or not (approved and proposal.proposed)
    told = verdict.format(member=escape(who(context))) if stands else context.translate(TAKEN_BACK)
    return Decision(
        skill=act.skill,
        actions=(*holds, *close_message(act, told)),
        reason=verdict.format(member=who(context)),
        approved=ref(context),
    )


SKILL = Skill(
    name="staff",
    purpose=_("Explains, undoes and steers"),
    propose=propose,
    commands=("why", "undo", "mode"),
)
