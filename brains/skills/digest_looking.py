"""Looks for what a digest tells: within what its readers may read, by what one of them cares for, by their clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import rhythms
from bot.core.errors import Mistake
from bot.core.i18n import _
from storage import members, subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.ports import Generator
    from bot.core.things import Channel, Member
    from brains.rhythm.digest import Digest
    from brains.skills.skill import Context
    from storage.channels import Reach

NAME = "digest"


async def look(
    context: Context,
    reach: Reach,
    since: datetime,
    *,
    until: datetime | None = None,
    reader: Member | None = None,
    rooms: Sequence[Channel] | None = None,
    most: int,
    generator: Generator | None = None,
) -> Digest:
    """Return what happened within reach; for a `reader`, by what they care for. Raises Mistake where nothing looks.

    Without `until`, up to now. With a `generator`, in its words where it writes the language in which they are told: it
    takes seconds.
    """
    if context.faculties.digester is None:
        raise Mistake(_("I am not set up for this yet. The staff finds the reason with /why."))
    digester = await context.faculties.digester()
    accounts: frozenset[int] = frozenset()
    if reader is not None:
        async with context.faculties.database.read() as connection:
            accounts = await members.alike(connection, context.community, reader)
    return await digester.look(
        context.community,
        reach,
        since=since,
        until=until or context.now,
        channels=None if rooms is None else [one.id for one in rooms],
        accounts=accounts,
        most=most,
        generator=generator,
        language=context.language,
        once=until is None,
    )


async def zone_of(context: Context, member: Member | None = None) -> str:
    """Return by whose clock somebody is told the time: by that of their subscription, else by the community's."""
    if member is not None:
        async with context.faculties.database.read() as connection:
            held = await subscriptions.of(connection, "digest", member.id)
        if held is not None and (rhythm := rhythms.stored(held.when)) is not None:
            return rhythm.zone
    return context.policy.time_zone
