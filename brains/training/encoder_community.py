"""What an encoder may learn from a stored community: what everyone may read, of those who let it be collected."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from brains.training.encoder_texts import Said, telling
from storage import commons, messages
from storage.ties import ties

if TYPE_CHECKING:
    from bot.core.things import Community, Message
    from brains.training.encoder_texts import Telling
    from storage.commons import Common
    from storage.connection import Connection
    from storage.db import Database


async def read_community(database: Database, community: Community) -> Telling:
    """Read public messages as they are now; none of it is kept. Raises Mistake where there are too few."""
    return await database.look(functools.partial(_read, community=community))


async def lost(database: Database, community: Community, told: Telling) -> bool:
    """Say whether somebody whose words were read has been forgotten or withheld them since."""
    common = await database.look(functools.partial(commons.read, community=community))
    known = (await database.look(functools.partial(messages.all_of, scope=common.scope))).values()
    return not {one.author for one in told.said} <= {_author(one, common) for one in known}


def _author(one: Message, common: Common) -> str:
    return str(common.doubles.get(one.author, one.author))


async def _read(connection: Connection, community: Community) -> Telling:
    common = await commons.read(connection, community)
    names = {room.id: room.name for room in common.channels.values()}
    tied = await ties(connection, common.scope)
    said = [
        _said(one, names[one.channel], _author(one, common), *tied[one.id])
        for one in (await messages.all_of(connection, common.scope)).values()
        if one.channel in names and not one.to_bot
    ]
    cards = {room.name: f"{room.name}: {room.description}" for room in common.channels.values() if room.description}
    return telling(said, cards)


def _said(one: Message, channel: str, author: str, thread: str, reply_to: str) -> Said:
    return Said(
        id=str(one.ref),
        channel=channel,
        thread=thread,
        author=author,
        text=one.text,
        at=one.sent_at.timestamp(),
        reply_to=reply_to,
    )
