"""Keeps the place safe: looks at what is said, answers what staff press under a case, and takes appeals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.errors import Mistake, NotAllowed
from bot.core.events import ButtonPressed, CommandGiven, MemberJoined, MessageEdited, MessagePosted
from bot.core.i18n import _
from bot.core.things import Rank
from brains.skills import appeals, raid, verdicts
from brains.skills.casefile import restore
from brains.skills.casework import CHOICES, NAME
from brains.skills.examine import examine
from brains.skills.skill import Skill
from storage import cases

if TYPE_CHECKING:
    from bot.core.decisions import Decision
    from brains.skills.skill import Context
    from storage.cases import Case


async def propose(context: Context) -> Decision | None:
    """Look at a message, or answer a button under a case or an appeal. The staff is not judged."""
    match context.event:
        case MessagePosted() | MessageEdited() as event:
            return await examine(context, event) if context.rank < Rank.STAFF else None
        case MemberJoined(channel=None) as event:
            return await raid.came_in(context, event) if context.rank < Rank.STAFF else None
        case ButtonPressed() if context.press is not None:
            return await _pressed(context, context.press.what)
        case CommandGiven():
            return await appeals.appeal(context)
        case _:
            return None


async def _pressed(context: Context, what: str) -> Decision:
    if context.rank < Rank.STAFF:
        raise NotAllowed(_("Only the staff settles cases."))
    match what:
        case "lift":
            return await raid.lift(context)
        case "hold":
            return await raid.hold(context)
        case "banall":
            return await raid.ban_all(context)
        case _:
            return await _settled(context, what)


async def _settled(context: Context, what: str) -> Decision:
    case = await _case(context)
    _check(context, case)
    match what:
        case "verdict":
            wanted = context.press.data["verdict"] if context.press else ""
            return await verdicts.settle(context, case, next(one for one in CHOICES if one == wanted))
        case "clear":
            return await verdicts.clear(context, case)
        case "restore":
            return await restore(context, case)
        case _:
            return await appeals.decide(context, case, grant=what == "grant")


def _check(context: Context, case: Case) -> None:
    """Let no staff judge what is about themselves, but for the owner, who has nobody above. Raises NotAllowed."""
    if context.rank < Rank.OWNER and context.member is not None and context.member.person == case.member.person:
        raise NotAllowed(_("This case is about you: somebody else of the staff decides it."))


async def _case(context: Context) -> Case:
    """Return the case that a button is about. Raises Mistake where it is not kept any more."""
    named = context.press.data["case"] if context.press else ""
    async with context.faculties.database.read() as connection:
        found = await cases.by_id(connection, context.community, named)
    if found is None:
        raise Mistake(_("Case {case} is not kept any more."), case=named)
    return found


SKILL = Skill(
    name=NAME,
    purpose=_("Keeps the place safe, as the staff decides"),
    propose=propose,
    hears=(MessagePosted, MessageEdited, MemberJoined),
    commands=("appeal",),
    patience=20.0,
)
