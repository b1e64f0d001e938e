"""Exports of a platform brought in by the bulk path: each of one space, whose bot finds the same community later."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.things import Audience
from bot.importing import Bulk, Progress, alone, digest, portions, settle
from storage import backfills, channels, readers, refusals, spaces
from storage.following import Following
from storage.intake import Intake, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from adapters.history.exports import BadRecord, Export, Home
    from bot.core.clock import Clock
    from bot.core.events import ChannelChanged, MessagePosted
    from bot.core.things import Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals

Opening = Callable[[], "AbstractContextManager[Sequence[Export]]"]
"""Reads exports through, and holds them open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportsImported:
    """What exports added, and how much of them could not be read, the first of it by name.

    `elsewhere` counts what was left out because another export holds it.
    """

    stored: Stored
    bad: int
    elsewhere: int
    named: tuple[BadRecord, ...]


async def import_exports(
    database: Database,
    clock: Clock,
    *,
    home: Path,
    opening: Opening,
    community: str | None,
    strict: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> ExportsImported:
    """Store the messages of exports that are not there yet, with the references that the platform's bot gives them.

    Everything is read once before anything is written, so that a damaged export, or with `strict` one with a message
    that cannot be read, leaves nothing behind. Raises Mistake for those and when another import is running.
    """
    async with alone(home):
        with ExitStack() as stack:
            found = await asyncio.to_thread(lambda: stack.enter_context(opening()))
            _check(found, strict=strict)
            refused = await refusals.load(home)
            stored, done, whole = Stored(), 0, sum(export.tally.good for export in found)
            for export in found:
                begin = functools.partial(_begin, export=export, name=community, clock=clock, refused=refused)
                intake, met = await database.write(begin)
                bulk = Bulk(database, clock, intake, met)
                async for portion in portions(export.messages()):
                    work = functools.partial(_store, intake=intake, space=export.space.ref, events=portion)
                    await bulk.store(work, read=len(portion))
                    progress(done + bulk.read, whole)
                await bulk.note(await asyncio.to_thread(_about, export))
                stored, done = stored + bulk.stored, done + bulk.read
    return ExportsImported(
        stored=stored,
        bad=sum(export.tally.bad for export in found),
        elsewhere=sum(export.tally.elsewhere for export in found),
        named=tuple(one for export in found for one in export.tally.named),
    )


def _check(found: Sequence[Export], *, strict: bool) -> None:
    for export in found:
        if strict and export.tally.bad:
            first = export.tally.named[0]
            raise Mistake(f"{export.path}, {first.place}: {first.reason}. Nothing was imported.")


def _about(export: Export) -> dict[str, object]:
    about: dict[str, object] = {"file": export.path.name, "space": str(export.space.ref)}
    return about | ({"sha256": digest(export.path)} if export.path.is_file() else {})


async def _begin(
    connection: Connection, *, export: Export, name: str | None, clock: Clock, refused: Refusals
) -> tuple[Intake, Stored]:
    """Settle the space and store its channels, closed ones as closed before their first message.

    Returns what stores the messages, and what is new before them. What a bot heard of a channel is newer than any
    export: of a channel that is known only this is followed, that it is closed.
    """
    community = await settle(connection, export.space, name or await _housing(connection, export.space.ref), clock)
    intake = Intake(community, clock.now(), refusals=refused)
    await intake.begin(connection)
    known = await channels.audiences(connection, community)
    homes = [home for home in export.homes if _is_news(home, known)]
    rooms = [home.told.channel for home in homes]
    await intake.take_over(connection, rooms, space=export.space.ref)
    met = await intake.meet_channels(connection, rooms)
    following = Following(community, clock.now(), refused)
    await following.begin(connection)
    await following.follow(connection, [home.told for home in homes if _says_more(home.told)])
    new = [await _admit(connection, intake, home, clock.now()) for home in homes if home.readers]
    return intake, Stored(channels=met, members=sum(new))


async def _store(connection: Connection, *, intake: Intake, space: Ref, events: Sequence[MessagePosted]) -> Stored:
    """Store messages, but for those that were deleted since the export was made: what is gone does not come back."""
    gone = await backfills.deleted(connection, space, [event.message for event in events])
    return await intake.store(connection, [event for event in events if event.message not in gone])


async def _housing(connection: Connection, space: Ref) -> str | None:
    """Return the community of a channel that the bot knows from the group beside it, and has not met by itself."""
    if await spaces.community_of(connection, space):
        return None
    housed = await spaces.housing(connection, space)
    return housed.name if housed else None


def _is_news(home: Home, known: dict[Ref, Audience]) -> bool:
    told = home.told.channel
    if told.ref not in known:
        return True
    return told.audience is Audience.MEMBERS and known[told.ref] is Audience.EVERYONE


def _says_more(told: ChannelChanged) -> bool:
    """Say whether there is more to a channel than what it is called and that everybody may read it."""
    return bool(told.description) or told.archived or told.channel.audience is not Audience.EVERYONE


async def _admit(connection: Connection, intake: Intake, home: Home, at: datetime) -> int:
    """Let those into a closed channel who were in it when the export was made, and whose names may be held.

    Returns how many members are new.
    """
    refused = await intake.refused(connection, [one.ref for one in home.readers])
    welcome = [one for one in home.readers if one.ref not in refused]
    new = await intake.meet_members(connection, welcome)
    inside = [intake.member(one.ref) for one in welcome]
    await readers.admit(connection, intake.channel(home.told.channel.ref), inside, at=at)
    return new
