"""Tries rules on what was said lately, as it was then: nothing is stored, nothing is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from bot.core.events import MemberJoined
from brains.moderation.detection import Post
from brains.moderation.trial import Joined, Trial, try_out
from storage import acquaintance, channels, encodings, inbox, members, messages, spaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.core.i18n import Translate
    from bot.core.things import Community
    from brains.moderation.moderator import Moderator
    from storage.connection import Connection
    from storage.db import Database


async def trial(
    database: Database,
    moderator: Moderator,
    community: Community,
    *,
    since: datetime,
    translate: Translate,
    fingerprint: str = "",
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Trial:
    """Examine every message since a moment with its author's history; with a fingerprint, with the vectors kept."""
    async with database.read() as connection:
        happened = await _happened(connection, community, since, fingerprint)
    return await asyncio.to_thread(try_out, moderator, happened, translate=translate, progress=progress)


async def _happened(
    connection: Connection, community: Community, since: datetime, fingerprint: str
) -> list[Post | Joined]:
    said = await messages.since(connection, community, since)
    people = {one.id: one for one in await members.every(connection, community)}
    withheld = await members.withheld(connection, community)
    rooms = await channels.every(connection, community)
    known = await acquaintance.before(connection, community, since)
    written = Counter({number: one.messages for number, one in known.items()})
    texts = [one.message.text for one in said] if fingerprint else []
    kept = await encodings.kept(connection, fingerprint=fingerprint, texts=texts) if texts else {}
    found: list[Post | Joined] = await _joined(connection, community, since)
    for one in said:
        message, room = one.message, rooms.get(one.message.channel)
        if room is None or message.author in withheld:
            continue
        vector = kept.get(message.text)
        found.append(
            Post(
                text=message.text,
                author=people[message.author].ref,
                channel=room.ref,
                at=message.sent_at,
                message=message.ref,
                before=written[message.author],
                joined_at=known[message.author].joined_at,
                vector=None if vector is None else vector.astype(np.float32),
            )
        )
        written[message.author] += 1
    return found


async def _joined(connection: Connection, community: Community, since: datetime) -> list[Post | Joined]:
    places = await spaces.of(connection, community)
    arrivals = await inbox.since(connection, [str(place.ref) for place in places], since)
    return [
        Joined(member=one.event.member.ref, at=one.event.at)
        for one in arrivals
        if isinstance(one.event, MemberJoined) and one.event.channel is None and not one.event.member.bot
    ]
