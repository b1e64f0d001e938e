"""Cases as staff ask for them: one of them with all that was done, those of a member, and the queue that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Delete, Moderation
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import APPEALS, VERDICTS, escape, marked, quote
from brains.skills import appeals, cards
from brains.skills.casefile import done
from brains.skills.casework import KINDS, is_case_id, kept
from brains.skills.telling import STATES
from storage import cases, members

if TYPE_CHECKING:
    from bot.core.i18n import Translate
    from bot.core.things import Member
    from brains.skills.skill import Context
    from storage.cases import Case

LISTED = 10
"""Cases that are named at once."""


async def show(context: Context) -> Decision:
    """Show one case with its acts, or those about a member. Raises Mistake where there is none."""
    given = context.command.arguments
    named = given.get("case") or given.get("member", "")
    if not named:
        raise Mistake(_("Say which: /mod case and its id, or a member."))
    async with context.faculties.database.read() as connection:
        found = await cases.by_id(connection, context.community, named) if is_case_id(named) else None
        if found is None and is_case_id(named) and given.get("case"):
            raise Mistake(_("There is no case {case} here."), case=named)
        member = await members.find(connection, context.community, named) if found is None else None
        theirs = await cases.of_member(connection, context.community, member.id) if member else []
        points = await cases.points(connection, member.id, context.now) if member else 0
    if member is not None:
        return _listed(context, member, theirs, points)
    assert found is not None  # noqa: S101 - otherwise a member was found, or nobody
    return await _told(context, found)


async def queue(context: Context) -> Decision:
    """Show the case of which nobody is least sure, with its buttons, and name the others that wait."""
    async with context.faculties.database.read() as connection:
        waiting = await cases.queue(connection, context.community)
        appealed = await cases.appealed(connection, context.community)
    translate = context.translate
    if not waiting and not appealed:
        said = context.answer(translate(_("No case waits for a verdict.")))
        return Decision(skill="mod", actions=(said,), reason=translate(_("asked for the queue")))
    lines = [
        translate(_("Cases that wait for a verdict, the least certain first: {count}.")).format(count=len(waiting))
    ]
    lines += [_line(one, translate) for one in waiting[1:LISTED]]
    if appealed:
        names = ", ".join(one.id for one in appealed)
        lines.append(translate(_("Appeals that wait: {cases}.")).format(cases=names))
    if waiting:
        lines += ["", await cards.sheet(context, kept(waiting[0]), translate, reports=waiting[0].reports)]
    buttons = cards.verdicts(waiting[0].id, translate) if waiting else ()
    said = context.answer("\n".join(lines), buttons=buttons)
    about = (waiting[0].member.ref,) if waiting else ()
    return Decision(skill="mod", actions=(said,), reason=translate(_("asked for the queue")), about=about)


def _listed(context: Context, member: Member, theirs: list[Case], points: int) -> Decision:
    translate = context.translate
    head = translate(_("{member}. Points: {points}. Cases: {count}.")).format(
        member=wording.member(member.ref, member.name), points=points, count=len(theirs)
    )
    lines = [head, *(_line(one, translate) for one in theirs[:LISTED])]
    said = context.answer("\n".join(lines))
    return Decision(skill="mod", actions=(said,), reason=translate(_("asked for cases")), about=(member.ref,))


async def _told(context: Context, case: Case) -> Decision:
    translate = context.translate
    text = [await cards.sheet(context, kept(case), translate, reports=case.reports, outlook=case.is_open)]
    text.append(await _standing(context, case))
    acts = [act for act in await done(context, case) if isinstance(act.action, Moderation | Delete)]
    for act in acts:
        line = f"- {translate(STATES[act.state])}: {marked(act.action, translate)}"
        text.append(f"{line}: {escape(act.receipt.error)}" if act.receipt.error else line)
    if case.trace:
        text.append(
            translate(_("`/why {case}` tells how it came about, `/undo {case}` takes it back.")).format(case=case.id)
        )
    buttons = cards.verdicts(case.id, translate) if case.is_open else ()
    if case.appeal_state == "open":
        text.append(quote(case.appeal))
        buttons = appeals.buttons(case, translate)
    said = context.answer("\n".join(text), buttons=buttons)
    reason = translate(_("asked for case {case}")).format(case=case.id)
    return Decision(skill="mod", actions=(said,), reason=reason, about=(case.member.ref,))


async def _standing(context: Context, case: Case) -> str:
    """Say how a case stands, who decided it, and until when its points count."""
    translate = context.translate
    standings = {"open": _("waits for a verdict"), "settled": _("settled"), "withdrawn": _("withdrawn")}
    by = case.verdict_by or case.by
    async with context.faculties.database.read() as connection:
        judge = await members.by_ref(connection, context.community, by) if by else None
    told = [translate(standings[case.standing or "withdrawn"])]
    if case.verdict:
        told.append(translate(VERDICTS[case.verdict]))
    if by:
        told.append(escape(judge.name if judge else by.id))
    if case.points and case.counts(context.now):
        sentence = translate(_("{points} points until {day}"))
        told.append(sentence.format(points=case.points, day=case.expires_at.date().isoformat()))
    if case.appeal_state:
        told.append(translate(_("appeal {state}")).format(state=translate(APPEALS[case.appeal_state])))
    return f"**{', '.join(told)}**"


def _line(case: Case, translate: Translate) -> str:
    """Name a case on one line."""
    what = translate(VERDICTS[case.verdict]) if case.verdict else translate(KINDS[case.kind])
    sure = f", {case.score:.0%}" if case.detectors else ""
    day = case.opened_at.date().isoformat()
    return f"- `{case.id}` {day} {wording.member(case.member.ref, case.member.name)}: {what}{sure}"
