"""What a verdict of the staff sets off: the case is settled, the ladder climbed, and whom it concerns told."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Button, Delete, SettleCase
from bot.core.decisions import MANY, Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import VERDICTS, escape, marked
from brains.moderation import ladder
from brains.skills import letters
from brains.skills.casefile import answered, edited, relieved, stays
from brains.skills.casework import NAME, can, is_told_first, kept, planned, record, sanction
from brains.skills.steering import for_staff, member_of, who
from storage import members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, Exhibit, OpenDirect, Ruled, Say
    from bot.core.i18n import Translate
    from brains.moderation.ladder import Step
    from brains.skills.skill import Context
    from storage.cases import Case

DAY = timedelta(days=1)
AT_ONCE = 15
"""Messages deleted by one press at most; another press takes more."""
TOLD = 5
"""Reporters who are told that it was looked into, at most."""


async def settle(context: Context, case: Case, verdict: Ruled) -> Decision:
    """Give a case its verdict. Raises Mistake where it has one already: the first wins."""
    by = member_of(context).ref
    if not case.is_open:
        raise await _already(context, case)
    settled = SettleCase(case=case.id, verdict=verdict, by=by)
    if verdict == "fine":
        return await _cleared(context, case, settled)
    return await _upheld(context, case, settled)


async def clear(context: Context, case: Case) -> Decision:
    """Delete those messages of a case that are still there."""
    left = await stays(context, case)
    if not left:
        raise Mistake(_("None of its messages is left."))
    taken = [Delete(message=one.message, channel=one.channel) for one in left[:AT_ONCE]]
    reason = context.translate(_("{member}: deletes more of case {case}")).format(member=who(context), case=case.id)
    said = _answered(context, case, _done(context, taken), left[AT_ONCE:])
    return _decided(case, (*taken, said), reason)


async def _upheld(context: Context, case: Case, settled: SettleCase) -> Decision:
    """Do what the ladder says to who did it, take the messages away, and tell everybody whom it concerns."""
    translate = await for_staff(context)
    step, by_hand = await _step(context, case, settled.verdict, translate)
    adds = _adds(case, settled.verdict)
    settled = replace(settled, step=step.rung, minutes=step.minutes, points=adds)
    days = max(1, math.ceil((case.expires_at - context.now) / DAY))
    after = replace(kept(case), step=step.rung, minutes=step.minutes, points=case.points + adds, days=days)
    reason = translate(_("{member}: case {case}, {verdict}")).format(
        member=who(context), case=case.id, verdict=translate(VERDICTS[settled.verdict])
    )
    act = sanction(after, step, reason)
    left = await stays(context, case)
    outcomes = await _outcomes(context, case)
    deletes = [Delete(message=one.message, channel=one.channel) for one in left]
    if deletes and not can(context, deletes[0]):
        by_hand, deletes = [*by_hand, _links(left, translate)], []
    cards = await edited(context, case, _verdict(context, settled, translate, by_hand))
    room = min(AT_ONCE, MANY - len(cards) - len(outcomes) - 4)
    deletes, later = deletes[:room], left[room:] if deletes else []
    stands = bool(case.step) and not step.rung
    notice = await letters.notice(
        context, case.member, after, verdict=settled.verdict, deleted=len(deletes), stands=stands
    )
    told = [notice] if can(context, notice) else []
    first = told if await is_told_first(context, case.member, step.rung) else []
    acts = [*([act] if act else []), *deletes]
    said = _answered(context, case, [*_done(context, acts, settled), *by_hand], later)
    actions = (settled, *cards, *first, *acts, said, *(told if not first else []), *outcomes)
    return _decided(case, actions, reason)


def _adds(case: Case, verdict: Ruled) -> int:
    """Return the points that a verdict adds to a case; one by which none count takes back those of a detector."""
    points = ladder.adds(case.kind, verdict) - case.points
    return points if verdict in {"off_topic", "compromised"} else max(0, points)


async def _step(context: Context, case: Case, verdict: Ruled, translate: Translate) -> tuple[Step, list[str]]:
    """Return the step of a verdict as far as the platform lets the bot, and what is left to do by hand.

    Another bot is let be: whoever brought it in takes it out.
    """
    async with context.faculties.database.read() as connection:
        if case.member.id in await members.bots(connection, context.community):
            return ladder.Step(points=0, rung="note"), []
    known = await record(context, case.member, beside=case.id)
    step = planned(context, kept(case), verdict, known.points)
    act = sanction(kept(case), step, "")
    if act is None or can(context, act):
        return step, []
    sentence = translate(_("{platform} does not let me {act}: please do it by hand."))
    told = sentence.format(platform=act.member.platform.capitalize(), act=marked(act, translate))
    return replace(step, rung="note", minutes=0), [told]


async def _cleared(context: Context, case: Case, settled: SettleCase) -> Decision:
    """Take back what was done, tell them, and offer to post again what was deleted."""
    translate = await for_staff(context)
    reason = translate(_("{member}: case {case}, {verdict}")).format(
        member=who(context), case=case.id, verdict=translate(VERDICTS["fine"])
    )
    back, deleted = await relieved(context, case)
    cards = await edited(context, case, _verdict(context, settled, translate, []))
    told = [await letters.relief(context, case.member, case.id)] if back or deleted or case.step else []
    acts = [one for one, _act in back]
    said = answered(context, case, _done(context, acts, settled), restorable=deleted)
    rest = [one for one in (*told, *await _outcomes(context, case)) if can(context, one)]
    actions = (settled, *cards, *acts, said, *rest)
    undoes = (None,) * (1 + len(cards)) + tuple(act for _one, act in back) + (None,) * (1 + len(rest))
    return replace(_decided(case, actions, reason), undoes=undoes)


def _decided(case: Case, actions: tuple[Action, ...], reason: str) -> Decision:
    evidence = tuple(one.message for one in case.exhibits)
    return Decision(skill=NAME, actions=actions, reason=reason, evidence=evidence, about=(case.member.ref,))


async def _outcomes(context: Context, case: Case) -> list[OpenDirect]:
    """Tell those who reported it that it was looked into, where the bot may write to them."""
    told = [await letters.outcome(context, one.by) for one in case.reports[:TOLD]]
    return [one for one in told if can(context, one)]


def _verdict(context: Context, settled: SettleCase, translate: Translate, by_hand: Sequence[str]) -> str:
    """Say under a card who decided what."""
    sentence = translate(_("{verdict}, decided by {member}."))
    decided = sentence.format(verdict=translate(VERDICTS[settled.verdict]), member=escape(who(context)))
    return " ".join([decided, *by_hand])


def _links(left: Sequence[Exhibit], translate: Translate) -> str:
    links = ", ".join(wording.message(one.message, translate(_("this message"))) for one in left[:AT_ONCE])
    sentence = translate(_("{platform} does not let me delete: please do it by hand ({messages})."))
    return sentence.format(platform=left[0].message.platform.capitalize(), messages=links)


def _done(context: Context, acts: Sequence[Action], settled: SettleCase | None = None) -> list[str]:
    """Say to whoever pressed what is done."""
    translate = context.translate
    head = [f"{translate(VERDICTS[settled.verdict])}."] if settled else []
    told = "; ".join(marked(one, translate) for one in acts if not isinstance(one, Delete))
    gone = sum(isinstance(one, Delete) for one in acts)
    lines = [translate(_("Done: {change}.")).format(change=told)] if told else []
    return [*head, *lines, *([translate(_("Messages taken away: {count}.")).format(count=gone)] if gone else [])]


def _answered(context: Context, case: Case, lines: Sequence[str], later: Sequence[Exhibit]) -> Say:
    if not later:
        return answered(context, case, lines)
    more = context.translate(_("Messages that are still there: {count}.")).format(count=len(later))
    button = Button(label=context.translate(_("Delete the others too")), press=f"{NAME}.clear", data={"case": case.id})
    return replace(answered(context, case, [*lines, more]), buttons=(button,))


async def _already(context: Context, case: Case) -> Mistake:
    """Say who settled a case before, and how."""
    if case.verdict_by is None:
        return Mistake(_("Case {case} waits for no verdict any more."), case=case.id)
    async with context.faculties.database.read() as connection:
        by = await members.by_ref(connection, context.community, case.verdict_by)
    return Mistake(
        _("Case {case} was settled already by {member}: {verdict}."),
        case=case.id,
        member=by.name if by else case.verdict_by.id,
        verdict=context.translate(VERDICTS[case.verdict]),
    )
