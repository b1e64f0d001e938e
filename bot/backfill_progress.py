"""The one message in the staff's channel that tells how far a back-fill is; whoever goes on changes the same one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from bot.core.errors import Mistake, Unavailable
from bot.core.i18n import _
from storage import backfills, channels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.backfill import Reading
    from bot.core.clock import Clock
    from bot.core.i18n import Translate
    from bot.core.things import Ref
    from storage.db import Database

BETWEEN = 5.0
"""Seconds between two changes."""
READING = _(
    "I am reading what was said here before I came. Read to the end: {done} of {rooms} channels and threads; "
    "new messages: {messages}."
)
READ = _(
    "I have read what was said here before I came: {done} of {rooms} channels and threads, {messages} new messages."
)
STOPPED = _(
    "I stopped reading what was said here before I came, at {done} of {rooms} channels and threads. {messages} new "
    "messages are kept; `kinfolk import {platform}` goes on from there."
)


class BackfillProgress:
    """Tells the staff of a reading, in one message that is changed at most every few seconds."""

    def __init__(self, database: Database, clock: Clock, reading: Reading, translate: Translate) -> None:
        self._database = database
        self._clock = clock
        self._reading = reading
        self._translate = translate
        self._message: Ref | None = None
        self._told = ""

    @contextlib.asynccontextmanager
    async def telling(self, channel: str) -> AsyncIterator[None]:
        """Tell while it goes on, and how it ended; nothing where there is no such channel or nothing to read."""
        if not channel or self._reading.read_rooms == len(self._reading.rooms):
            yield
            return
        await self._begin(channel)
        teller = asyncio.create_task(self._go_on())
        ended = STOPPED
        try:
            yield
            ended = READ
        finally:
            teller.cancel()
            await asyncio.wait([teller])
            await self._end(ended)

    async def _begin(self, channel: str) -> None:
        """Change the message that a reading before left behind, or send one."""
        reading = self._reading
        with contextlib.suppress(Mistake, Unavailable):
            async with self._database.read() as connection:
                room = (await channels.find(connection, reading.community, channel)).ref
                self._message = await backfills.notice(connection, reading.community, reading.past.space.ref)
            if self._message is None or not await self._change(READING):
                self._message = await reading.past.say(room, self._say(READING))
                await self._keep(self._message)

    async def _go_on(self) -> None:
        while self._message is not None:
            await self._clock.sleep(BETWEEN)
            with contextlib.suppress(Unavailable):
                await self._change(READING)

    async def _end(self, sentence: str) -> None:
        """Say how it ended. What was stopped is gone on with in the same message."""
        with contextlib.suppress(Unavailable):
            if await self._change(sentence) and sentence is READ:
                await self._keep(None)

    async def _change(self, sentence: str) -> bool:
        """Change the message where there is something new to say; False where there is none any more."""
        text = self._say(sentence)
        if self._message is None:
            return False
        if text != self._told and not await self._reading.past.rewrite(self._message, text):
            return False
        self._told = text
        return True

    def _say(self, sentence: str) -> str:
        reading = self._reading
        return self._translate(sentence).format(
            done=reading.read_rooms,
            rooms=len(reading.rooms),
            messages=reading.bulk.stored.messages,
            platform=reading.past.space.ref.platform,
        )

    async def _keep(self, message: Ref | None) -> None:
        space, community, now = self._reading.past.space.ref, self._reading.community, self._clock.now()
        await self._database.write(lambda connection: backfills.keep_notice(connection, community, space, message, now))
