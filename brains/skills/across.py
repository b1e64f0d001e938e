"""Being matched over all spaces of a community that an owner linked: for members who want it; a button asks once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import Button, SetWish
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape
from brains.skills.steering import member_of
from storage import members, spaces, wishes

if TYPE_CHECKING:
    from bot.core.events import Named
    from brains.skills.skill import Context

ONE = _("This community is in one space alone, so there is nothing to look across.")


async def switch(context: Context, *, on: bool) -> Decision:
    """Keep whether the asker wants channels of spaces where they are not, too. Raises Mistake where there is one."""
    member = member_of(context)
    others = await _elsewhere(context)
    if on and not others:
        raise Mistake(ONE)
    async with context.faculties.database.read() as connection:
        before = await wishes.word(connection, "across", member.id)
    wish = SetWish(member=member.ref, wish="across", on=on, before=before)
    yes = _("From now on I offer you channels of {spaces} too. /match across off ends that.")
    no = _("From now on I offer you channels of the spaces alone in which you are.")
    names = ", ".join(escape(one.name) for one in others)
    words = context.translate(yes if on else no).format(spaces=names)
    reason = context.translate(_("says whether they are matched across spaces"))
    return Decision(skill="match", actions=(wish, context.answer(words)), reason=reason)


async def question(context: Context, *, row: int) -> list[Button]:
    """Ask by a button whether to look elsewhere too, where there is an elsewhere and they never said; else nothing."""
    member = member_of(context)
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, member)
        said = await wishes.word(connection, "across", *accounts)
    if said is not None or not (others := await _elsewhere(context)):
        return []
    label = context.translate(_("Look in {spaces} too")).format(spaces=", ".join(one.name for one in others))
    return [
        Button(
            label=label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…",
            press="match.across",
            only=member.ref,
            row=row,
            words="/match across on",
        )
    ]


LONGEST = 60
"""Characters of a button that every platform shows."""


async def _elsewhere(context: Context) -> list[Named]:
    """Return the community's spaces on platforms where the asker has no account here."""
    member = member_of(context)
    async with context.faculties.database.read() as connection:
        numbers = await members.alike(connection, context.community, member)
        accounts = await members.by_numbers(connection, numbers)
        every = await spaces.of(connection, context.community)
    here = {one.ref.platform for one in accounts.values()}
    return [one for one in every if one.ref.platform not in here]
