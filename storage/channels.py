"""Channels: what they are called, what they are for, who may read them."""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass, replace
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
    from collections.abc import Mapping

    from sqlalchemy import Row, Select

    from bot.core.things import Community, Member
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What somebody may read: the scope for whatever is asked of messages, and the channels in it by number."""

    scope: Scope
    channels: Mapping[int, Channel]

    def channel(self, ref: Ref) -> Channel | None:
        """Return the channel of a reference, None where it is not within reach."""
        return next((one for one in self.channels.values() if one.ref == ref), None)

    def named(self, wanted: str) -> Channel:
        """Return the channel of a reference, an imported id or a name. Raises Mistake; others are never betrayed."""
        bare = wanted.removeprefix("#")
        for one in self.channels.values():
            if wanted == str(one.ref) or bare in {one.ref.id, one.name} or bare.casefold() == one.name.casefold():
                return one
        raise Mistake(_("You read no channel {name!r} here."), name=wanted)


async def every(connection: Connection, community: Community) -> dict[int, Channel]:
    """Return every channel of a community by its number."""
    rows = await connection.execute(_of(community).order_by(col(ChannelRow.id)))
    return {row.id: _channel(row) for row in rows}


async def audiences(connection: Connection, community: Community) -> dict[Ref, Audience]:
    """Return who may read each channel that is known, archived ones too."""
    rows = await connection.execute(
        select(*columns(ChannelRow, "ref", "audience")).where(col(ChannelRow.community_id) == community.id)
    )
    return {Ref.parse(row.ref): Audience(row.audience) for row in rows}


async def by_ref(connection: Connection, community: Community, ref: Ref) -> Channel | None:
    """Return the channel of a reference."""
    row = (await connection.execute(_of(community).where(col(ChannelRow.ref) == str(ref)))).first()
    return _channel(row) if row else None


def _of(community: Community) -> Select[*tuple[object, ...]]:
    chosen = select(*columns(ChannelRow, "id", "ref", "name", "description", "audience"))
    return chosen.where(col(ChannelRow.community_id) == community.id, col(ChannelRow.archived).is_(False))


def _channel(row: Row[*tuple[object, ...]]) -> Channel:
    return Channel(
        id=row.id,
        ref=Ref.parse(row.ref),
        name=row.name,
        description=row.description,
        audience=Audience(row.audience),
    )


async def describe(connection: Connection, channel: int, *, description: str, audience: Audience) -> None:
    """Say what a channel is for and who may read it."""
    await connection.execute(
        update(ChannelRow).where(col(ChannelRow.id) == channel).values(description=description, audience=audience)
    )


async def readable(connection: Connection, community: Community, reader: Member | None) -> Scope:
    """Resolve what a member may read, where the scope alone is wanted."""
    return (await reach(connection, community, reader)).scope


async def reach(connection: Connection, community: Community, reader: Member | None, *, alone: bool = False) -> Reach:
    """Resolve what a member may read, now: public channels and their own, nobody who withheld consent.

    Without a reader, what everyone may read. A direct conversation is never in scope, nor where the bot does not read.
    A guest reads of the public channels only those that they are in.
    What is for a human `alone` may be of any channel that one of their accounts in the community reads.
    """
    known = await every(connection, community)
    accounts = await members.alike(connection, community, reader) if reader and alone else {reader.id} if reader else ()
    mine = await members.joined(connection, *accounts) if accounts else frozenset()
    guest = bool(accounts) and await members.are_guests(connection, *accounts)
    rules = await policies.load(connection, community)
    within = {one.id: one for one in known.values() if _may_read(one, mine, guest=guest) and rules.reads(one.ref)}
    withheld = await members.withheld(connection, community)
    scope = Scope(community=community.id, channels=frozenset(within), not_authors=withheld)
    return Reach(scope=scope, channels=within)


async def aloud(connection: Connection, community: Community, where: Ref, reader: Member | None) -> Reach:
    """Resolve what may be said aloud in a channel to somebody: what they and all who read along may read.

    That is what is said in that channel itself, and in those open to everyone; only the former, where a guest is in it.
    """
    asked = await reach(connection, community, reader)
    # Who reads along in a channel does so whether the bot reads there or not.
    called = (col(ChannelRow.community_id) == community.id) & (col(ChannelRow.ref) == str(where))
    here = await connection.scalar(select(col(ChannelRow.id)).where(called))
    guests = here is not None and await members.has_guests(connection, here)
    within = {
        one.id: one
        for one in asked.channels.values()
        if one.ref == where or (one.audience is Audience.EVERYONE and not guests)
    }
    return Reach(scope=replace(asked.scope, channels=frozenset(within)), channels=within)


def _may_read(channel: Channel, mine: frozenset[int], *, guest: bool) -> bool:
    match channel.audience:
        case Audience.EVERYONE:
            return not guest or channel.id in mine
        case Audience.MEMBERS:
            return channel.id in mine
        case Audience.DIRECT:
            return False


async def find(connection: Connection, community: Community, wanted: str) -> Channel:
    """Return a channel by reference, imported id or name. Raises Mistake that suggests near names."""
    with contextlib.suppress(ValueError):
        if named := await by_ref(connection, community, Ref.parse(wanted)):
            return named
    known = (await every(connection, community)).values()
    bare = wanted.removeprefix("#")
    for one in known:
        if bare == one.ref.id or bare.casefold() == one.name.casefold():
            return one
    near = difflib.get_close_matches(bare, [one.name for one in known], n=3)
    if near:
        sentence = _("There is no channel {name!r} in {community}. Did you mean {near}?")
        raise Mistake(sentence, name=wanted, community=community.name, near=", ".join(near))
    raise Mistake(_("There is no channel {name!r} in {community}."), name=wanted, community=community.name)
