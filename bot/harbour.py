"""The playground's community: filled with the sample on its first start, and read back for the page."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.playground import Past, PastChannel, PastMember, PastMessage
from adapters.playground.space import HARBOUR, PLATFORM
from bot.core.decisions import Mode
from bot.core.events import Named
from bot.core.outreach import NO_HOURS
from bot.core.policies import MODE
from bot.core.things import Audience, Rank
from bot.importing import import_jsonl
from brains.skills import SKILLS
from storage import acts, channels, communities, members, messages, policies, spaces, traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.clock import Clock
    from bot.core.decisions import Trace
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.db import Database

SAMPLE = Path(__file__).parent / "sample"
STAFF_CHANNEL = "staff-room"
RECENT = 200
"""Messages of each channel that the page begins with."""


async def prepare(database: Database, clock: Clock, home: Path) -> bool:
    """Load the sample and let the bot act there, on the first start only; says whether this was it."""
    async with database.read() as connection:
        if await spaces.community_of(connection, HARBOUR.ref):
            return False
    await import_jsonl(
        database,
        clock,
        home=home,
        path=SAMPLE / "messages.jsonl",
        community=HARBOUR.name,
        descriptions=SAMPLE / "channels.jsonl",
        platform=PLATFORM,
    )
    await database.write(functools.partial(_open, clock=clock))
    return True


async def _open(connection: Connection, clock: Clock) -> None:
    community = await communities.find_or_make(connection, HARBOUR.name, clock.now())
    for skill in SKILLS:
        await policies.put(connection, community, name=MODE + skill.name, value=Mode.ACT)
    room = await channels.find(connection, community, STAFF_CHANNEL)
    await policies.put(connection, community, name="staff_channel", value=str(room.ref))
    # Whoever tries the bot does so at any hour of the day.
    await policies.put(connection, community, name="quiet_hours", value=NO_HOURS)
    await spaces.belong(connection, HARBOUR, community)


async def found(connection: Connection) -> Community:
    """Return the playground's community. Raises LookupError before `prepare`."""
    community = await spaces.community_of(connection, HARBOUR.ref)
    if community is None:
        raise LookupError("the playground has no community yet")
    return community


async def past(database: Database) -> Past:
    """Read the community as the page shows it: whoever is in the staff's channel is staff, the first of them owner."""
    async with database.read() as connection:
        community = await found(connection)
        rooms = await channels.every(connection, community)
        people = {member.id: member for member in await members.every(connection, community)}
        inside = {room: await members.inside(connection, room) for room in rooms}
        recent = [one for room in rooms for one in await messages.recent(connection, room, RECENT)]
        bots = await members.bots(connection, community)
    staff = [member for room, ids in inside.items() if rooms[room].name == STAFF_CHANNEL for member in ids]
    named = {number: Named(ref=one.ref, name=one.name, bot=number in bots) for number, one in people.items()}
    return Past(
        channels=tuple(
            PastChannel(
                channel=Named(ref=room.ref, name=room.name, audience=room.audience),
                description=room.description,
                members=frozenset(people[number].ref for number in inside[room.id] if number not in bots),
            )
            for room in rooms.values()
            if room.audience is not Audience.DIRECT
        ),
        members=tuple(_member(one, staff) for number, one in people.items() if number not in bots),
        messages=tuple(
            PastMessage(
                message=one.message.ref,
                channel=rooms[one.message.channel].ref,
                author=named[one.message.author],
                text=one.message.text,
                at=one.message.sent_at,
                reply_to=one.reply_to,
                edited=one.edited,
            )
            for one in recent
        ),
    )


def _member(member: Member, staff: Sequence[int]) -> PastMember:
    rank = Rank.OWNER if staff[:1] == [member.id] else Rank.STAFF if member.id in staff else Rank.MEMBER
    return PastMember(member=Named(ref=member.ref, name=member.name, language=member.language), rank=rank)


async def why(database: Database, message: Ref) -> Sequence[Trace]:
    """Return the traces about a message of the playground, with what came of them."""
    async with database.read() as connection:
        community = await found(connection)
        return await acts.told(connection, await traces.about(connection, community, message))
