"""Where something is done to a member whom staff names: among members, also where the staff has a group of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Ban, Timeout, Unban
from brains.skills.steering import staff_channel
from storage import acts, cases, channels, spaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.things import Member, Ref
    from brains.skills.skill import Context
    from storage.acts import Act
    from storage.cases import Case

MOST = 10
"""Spaces in which one command acts."""

Where = tuple["Ref | None", ...]
"""One space at least; None where only the platform can tell which."""


async def acted_in(context: Context, whom: Ref, member: Member | None) -> Where:
    """Return where a member is acted on: in the space where staff asks for it.

    What is asked for in the staff's own space, or on another platform, is done where the cases of theirs are that wait;
    without one, in every space of members where they are, as far as is known; else in all of them.
    """
    if await _is_among_members(context, whom):
        return (context.space,)
    among = await _spaces_of_members(context, whom.platform)
    if len(among) > 1:
        waiting = [one.space for one in await _cases(context, member) if one.is_open]
        async with context.faculties.database.read() as connection:
            entered = await spaces.entered(connection, whom, among)
        among = [one for one in among if one in waiting] or entered or among
    return tuple(among[:MOST]) or (context.space if context.space.platform == whom.platform else None,)


async def lifted_in(context: Context, whom: Ref, member: Member | None, lifts: Unban | Timeout) -> Where:
    """Return where a ban or a time-out is lifted: in the space of members where staff asks for it, and there alone.

    What is asked for in the staff's own space, or on another platform, is done where it stands by what was done, else
    as it would be given.
    """
    if await _is_among_members(context, whom):
        return (context.space,)
    stands = await _standing(context, whom, Ban if isinstance(lifts, Unban) else Timeout)
    if not stands and isinstance(lifts, Unban):
        stands = [one.space for one in await _cases(context, member) if one.space and _still_bans(one)]
    return tuple(dict.fromkeys(stands))[:MOST] or await acted_in(context, whom, member)


async def said_in(context: Context, room: Ref, whom: Ref, member: Member | None) -> Ref | None:
    """Return the space in which a member said something in a channel, wherever that is told of."""
    if room.is_of(context.space):
        return context.space
    among = await _spaces_of_members(context, room.platform)
    found = next((one for one in among if room.is_of(one)), None)
    return found or (await acted_in(context, whom, member))[0]


async def named(context: Context, where: Where) -> str:
    """Return how spaces are called, where they are others than the one where it is asked for."""
    if where in {(context.space,), (None,)}:
        return ""
    async with context.faculties.database.read() as connection:
        return await spaces.called(connection, context.community, [one for one in where if one])


async def _is_among_members(context: Context, whom: Ref) -> bool:
    """Say whether staff asks for something in a space of members, on the platform of whom it is about."""
    return context.space.platform == whom.platform and not _is_staffs(context, context.space, await _staff(context))


async def _staff(context: Context) -> Ref | None:
    staff = await staff_channel(context)
    return staff.ref if staff else None


def _is_staffs(context: Context, space: Ref, staff: Ref | None) -> bool:
    """Say whether a space is the staff's own: it is their channel as a whole, or has it and is not read."""
    if staff is None:
        return False
    return staff == space or (staff.is_of(space) and context.overrides.get(("read", str(space))) == "no")


async def _spaces_of_members(context: Context, platform: str) -> list[Ref]:
    """Return the community's spaces on a platform but for the staff's; one that got another reference, once."""
    staff = await _staff(context)
    async with context.faculties.database.read() as connection:
        every = [one.ref for one in await spaces.of(connection, context.community) if one.ref.platform == platform]
        rooms = [one.ref for one in (await channels.every(connection, context.community)).values()]
    theirs = [one for one in every if not _is_staffs(context, one, staff)]
    return [one for one in theirs if any(room.is_of(one) for room in rooms)] or theirs


async def _cases(context: Context, member: Member | None) -> Sequence[Case]:
    if member is None:
        return ()
    async with context.faculties.database.read() as connection:
        return await cases.of_member(connection, context.community, member.id)


def _still_bans(case: Case) -> bool:
    """Say whether a case is one of a ban that nobody took back, whose acts need not be kept any more."""
    return case.step == "ban" and not case.is_taken_back


async def _standing(context: Context, whom: Ref, kind: type[Ban | Timeout]) -> list[Ref]:
    """Return the spaces in which a member is banned or timed out, by the acts that are kept."""
    async with context.faculties.database.read() as connection:
        naming = await acts.naming(connection, context.community, whom)
    lifting = Unban if kind is Ban else Timeout
    found: dict[Ref, None] = {}
    for act in naming:
        action = act.action
        if not isinstance(action, kind | lifting) or action.member != whom or action.space is None:
            continue
        if isinstance(action, kind) and act.undone_by is None and _lasts(context, act):
            found[action.space] = None
        else:
            found.pop(action.space, None)
    return list(found)


def _lasts(context: Context, act: Act) -> bool:
    if not isinstance(act.action, Timeout):
        return True
    return act.intended_at + timedelta(minutes=act.action.minutes) > context.now
