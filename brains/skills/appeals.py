"""What a member says against what was done to them, and what the staff answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button, KeepAppeal, SettleCase
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import VERDICTS, escape, marked
from brains.skills import cards, letters
from brains.skills.casefile import answered, edited, relieved
from brains.skills.casework import NAME, can, kept
from brains.skills.steering import for_staff, member_of, staff_channel, who
from storage import cases, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, Edit
    from bot.core.i18n import Translate
    from brains.skills.skill import Context
    from storage.cases import Case

LONGEST = 1000
"""Characters of an appeal."""


async def appeal(context: Context) -> Decision:
    """Put an appeal of the asker before the staff. Raises Mistake where there is nothing to appeal, or no staff."""
    case, words = await _meant(context)
    if not words:
        raise Mistake(_("Say in your own words why it was wrong: /appeal and the words."))
    if case.appeal_state == "open":
        raise Mistake(_("Your appeal is with the staff already."))
    if case.appeal_state:
        raise Mistake(_("The staff looked at your appeal already. An appeal is looked at once."))
    staff = await staff_channel(context)
    if staff is None:
        raise Mistake(_("There is no staff channel here yet, so I cannot pass this on. Write to the staff yourself."))
    words = words[:LONGEST]
    translate = await for_staff(context)
    asked = AskStaff(
        to=staff.ref,
        text=await _card(context, case, words, translate),
        skill=NAME,
        proposed=(),
        buttons=buttons(case, translate),
    )
    keep = KeepAppeal(case=case.id, member=case.member.ref, text=words, state="open")
    thanks = _("Your appeal of case {case} is with the staff. I tell you what they say.")
    reason = translate(_("{member} appeals case {case}")).format(member=who(context), case=case.id)
    said = context.answer(context.translate(thanks).format(case=case.id))
    return Decision(skill=NAME, actions=(keep, asked, said), reason=reason, about=(case.member.ref,))


async def _meant(context: Context) -> tuple[Case, str]:
    """Return the case that an appeal is about, the latest if none was named, and the words of it."""
    given = context.command.arguments
    named, words = given.get("case", ""), given.get("text", "")
    async with context.faculties.database.read() as connection:
        mine = await cases.of_member(connection, context.community, member_of(context).id)
    found = [one for one in mine if named and one.id == named.upper()]
    if named and not found:
        if any(letter.isdigit() for letter in named):
            raise Mistake(_("There is no case {case} about you."), case=named)
        words = f"{named} {words}".strip()  # a word of their own that is as long as the id of a case
    against = found or [one for one in mine if one.is_against]
    if not against:
        raise Mistake(_("Nothing was done to you here that you could appeal."))
    return against[0], words


async def _card(context: Context, case: Case, words: str, translate: Translate) -> str:
    head = translate(_("**Appeal** of {member} in case {case}:")).format(
        member=wording.member(case.member.ref, case.member.name), case=case.id
    )
    by = case.verdict_by or case.by
    async with context.faculties.database.read() as connection:
        judge = await members.by_ref(connection, context.community, by) if by else None
    before = translate(_("Decided before: {step} by {member}.")).format(
        step=escape(translate(VERDICTS[case.verdict]) if case.verdict else case.step),
        member=escape(judge.name if judge else (by.id if by else "Kinfolk")),
    )
    told = await cards.sheet(context, kept(case), translate, outlook=False)
    return "\n".join([head, wording.quote(words), "", before, told])


def buttons(case: Case, translate: Translate) -> tuple[Button, ...]:
    """Return a button for each answer to an appeal; pressing one settles the others."""
    labels = {"grant": _("Grant: take it back"), "refuse": _("Keep it")}
    return tuple(
        Button(label=translate(label), press=f"{NAME}.{press}", data={"case": case.id}, choice="appeal")
        for press, label in labels.items()
    )


async def decide(context: Context, case: Case, *, grant: bool) -> Decision:
    """Grant an appeal and take all back, or keep what was done; the member is told either way. Raises Mistake."""
    if case.appeal_state != "open":
        raise Mistake(_("This appeal was decided already."))
    translate = await for_staff(context)
    words = translate(_("Appeal granted by {member}.") if grant else _("Appeal refused by {member}."))
    told = words.format(member=escape(who(context)))
    keep = KeepAppeal(
        case=case.id,
        member=case.member.ref,
        text=case.appeal,
        state="granted" if grant else "refused",
        before="open",
    )
    under = await edited(context, case, told, press="grant")
    reason = words.format(member=who(context))
    if not grant:
        letter = await letters.upheld(context, case.member, case.id)
        said = answered(context, case, [context.translate(_("It stays as it was decided."))])
        heard = [letter] if can(context, letter) else []
        actions: tuple[Action, ...] = (keep, *under, said, *heard)
        return Decision(skill=NAME, actions=actions, reason=reason, about=(case.member.ref,))
    return await _granted(context, case, keep, under, reason)


async def _granted(context: Context, case: Case, keep: KeepAppeal, under: Sequence[Edit], reason: str) -> Decision:
    by = member_of(context).ref
    back, deleted = await relieved(context, case)
    first: list[Action] = [keep, SettleCase(case=case.id, verdict="fine", by=by)] if case.is_open else [keep]
    verdicts = await edited(context, case, reason) if case.is_open else []
    letter = await letters.relief(context, case.member, case.id)
    acts = "; ".join(marked(one, context.translate) for one, _number in back)
    lines = [context.translate(_("Taken back: {acts}.")).format(acts=acts)] if back else []
    said = answered(context, case, [context.translate(_("The appeal is granted.")), *lines], restorable=deleted)
    before = (*first, *under, *verdicts)
    actions: tuple[Action, ...] = (
        *before,
        *(one for one, _number in back),
        said,
        *([letter] if can(context, letter) else []),
    )
    undoes: tuple[int | None, ...] = (None,) * len(before) + tuple(number for _one, number in back)
    undoes += (None,) * (len(actions) - len(undoes))
    return Decision(skill=NAME, actions=actions, reason=reason, about=(case.member.ref,), undoes=undoes)
