"""Who of some members writes in a channel, by name, and what they said there last: only what everyone may read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from storage import messages, wishes
from storage.rows import columns
from storage.tables import MemberRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.things import Message
    from storage.commons import Common
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A member who writes in a channel: what they are called, and their last message there."""

    name: str
    said: Message


async def of(
    connection: Connection, common: Common, wanted: Mapping[int, Sequence[int]], *, most: int
) -> dict[int, list[Companion]]:
    """Return for each channel `most` of the members wanted there, in their order, who write there.

    Nobody who withheld consent, no bot, and none who said nothing there that is still to be read. A member stands for
    all accounts of that human who wants to be met across platforms. Whoever else has several is not named: by which of
    them the reader knows them is not told here, and that two are one they told the bot alone.
    """
    whose = await _open(connection, common, _accounts(common, wanted))
    latest = await _latest(connection, sorted(whose), [one for one in wanted if one in common.channels])
    said = await messages.by_number(connection, common.scope, list(latest.values()))
    called = await _names(connection, sorted({author for _, author in latest}))
    found: dict[int, list[Companion]] = {}
    for channel, people in wanted.items():
        there: dict[int, Companion] = {}
        for (room, author), number in latest.items():
            member = whose[author]
            if room == channel and member in people and number in said and author in called:
                there[member] = Companion(name=called[author], said=said[number])
        found[channel] = [there[member] for member in people if member in there][:most]
    return found


def _accounts(common: Common, wanted: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Return the accounts of all members wanted, each with the member that it stands for."""
    others: defaultdict[int, set[int]] = defaultdict(set)
    for account, first in common.doubles.items():
        others[first].add(account)
    people = {member for some in wanted.values() for member in some}
    whose = {account: member for member in people for account in {member, *others[member]}}
    return {account: member for account, member in whose.items() if account not in common.scope.not_authors}


async def _open(connection: Connection, common: Common, whose: Mapping[int, int]) -> dict[int, int]:
    """Return the accounts of whoever has one alone, or wants to be met by any of them."""
    several = {member for account, member in whose.items() if account in common.doubles}
    for human in sorted(several):
        if "across" in await wishes.of(connection, *(one for one, member in whose.items() if member == human)):
            several.remove(human)
    return {account: member for account, member in whose.items() if member not in several}


async def _latest(connection: Connection, authors: Sequence[int], rooms: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return the number of the last message with words, by channel and author."""
    if not authors or not rooms:
        return {}
    rows = await connection.execute(
        select(*columns(MessageRow, "channel_id", "author_id"), func.max(col(MessageRow.id)).label("last"))
        .where(col(MessageRow.author_id).in_(authors), (col(MessageRow.channel_id) + 0).in_(rooms))
        .where(func.trim(col(MessageRow.text)) != "")
        .group_by(*columns(MessageRow, "channel_id", "author_id"))
    )
    return {(row.channel_id, row.author_id): row.last for row in rows}


async def _names(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    if not numbers:
        return {}
    rows = await connection.execute(
        select(*columns(MemberRow, "id", "name")).where(
            col(MemberRow.id).in_(numbers), col(MemberRow.bot).is_(False), col(MemberRow.name) != ""
        )
    )
    return {row.id: row.name for row in rows}
