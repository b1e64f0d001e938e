"""Channels: what they are called, what they are for, who may read them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlmodel import col

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.ports import Scope
from bot.core.things import Audience, Channel, Ref
from storage import members, policies
from storage.rows import columns
from storage.tables import ChannelRow

if TYPE_CHECKING:
    from bot.core.things import Community, Member
    from storage.connection import Connection


async def every(connection: Connection, community: Community) -> dict[int, Channel]:
    """Return every channel of a community by its number."""
    rows = await connection.execute(
        select(*columns(ChannelRow, "id", "ref", "name", "description", "audience"))
        .where(col(ChannelRow.community_id) == community.id, col(ChannelRow.archived).is_(False))
        .order_by(col(ChannelRow.id))
    )
    return {
        row.id: Channel(
            id=row.id,
            ref=Ref.parse(row.ref),
            name=row.name,
            description=row.description,
            audience=Audience(row.audience),
        )
        for row in rows
    }


async def by_ref(connection: Connection, community: Community, ref: Ref) -> Channel | None:
    """Return the channel of a reference."""
    return next((one for one in (await every(connection, community)).values() if one.ref == ref), None)


async def describe(connection: Connection, channel: int, *, description: str, audience: Audience) -> None:
    """Say what a channel is for and who may read it."""
    await connection.execute(
        update(ChannelRow).where(col(ChannelRow.id) == channel).values(description=description, audience=audience)
    )


async def readable(connection: Connection, community: Community, reader: Member | None) -> Scope:
    """Resolve what a member may read, now: public channels and their own, nobody who withheld consent.

    Without a reader, what everyone may read. A direct conversation is never in scope, nor where the bot does not read.
    """
    known = await every(connection, community)
    mine = await members.joined(connection, reader.id) if reader else frozenset()
    rules = await policies.load(connection, community)
    return Scope(
        community=community.id,
        channels=frozenset(one.id for one in known.values() if _may_read(one, mine) and rules.reads(one.ref)),
        not_authors=await members.withheld(connection, community),
    )


def _may_read(channel: Channel, mine: frozenset[int]) -> bool:
    match channel.audience:
        case Audience.EVERYONE:
            return True
        case Audience.MEMBERS:
            return channel.id in mine
        case Audience.DIRECT:
            return False


async def find(connection: Connection, community: Community, wanted: str) -> Channel:
    """Return a channel by reference, imported id or name. Raises Mistake that suggests near names."""
    known = (await every(connection, community)).values()
    bare = wanted.removeprefix("#")
    for one in known:
        if wanted == str(one.ref) or bare == one.ref.id or bare.casefold() == one.name.casefold():
            return one
    near = difflib.get_close_matches(bare, [one.name for one in known], n=3)
    if near:
        sentence = _("There is no channel {name!r} in {community}. Did you mean {near}?")
        raise Mistake(sentence, name=wanted, community=community.name, near=", ".join(near))
    raise Mistake(_("There is no channel {name!r} in {community}."), name=wanted, community=community.name)
