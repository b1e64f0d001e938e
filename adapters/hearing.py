"""What adapters share once something happened: a command in words, where an appeal belongs, and patience in storing."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from adapters.addressing import command_in
from bot.core.errors import Unavailable
from bot.core.events import CommandGiven

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.events import Arrival, Event, MessagePosted
    from bot.core.ports import Appealable
    from bot.core.things import Rank, Ref

    Appeals = Callable[[Collection[Ref]], Awaitable[Sequence[Appealable]]]
    Put = Callable[[Arrival], Awaitable[bool]]

log = logging.getLogger(__name__)

T = TypeVar("T")

APPEAL = "appeal"
"""The one command that is heard of who is no member any more."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before what could not be stored is handed over again: doubled each time, up to this."""


def said(
    event: MessagePosted, *, rank: Rank, commands: Sequence[Command], words: str | None = None
) -> tuple[Event, ...]:
    """Return what to hand over of a message, in order: itself, and then the command that it gives to the bot in words.

    The message comes first, since the command's answer belongs to it (`invocation`), and it must be stored for that.
    It is not `mentioned` any more: who gives a command turns to the bot once, and gets one answer. That answer is not
    for them alone (`aside`), since everybody read what was asked. `words` is what was said to the bot, where the text
    of the message still holds its name.
    """
    text = event.text if words is None else words
    found = command_in(text, commands) if event.mentioned and not event.author.bot else None
    if found is None:
        return (event,)
    given = CommandGiven(
        command=found.name,
        line=found.line,
        aside=False,
        member=event.author,
        rank=rank,
        channel=event.channel,
        at=event.at,
        invocation=event.message,
    )
    return replace(event, mentioned=False), given


def plea(text: str, commands: Sequence[Command]) -> str | None:
    """Return what stands after the command by which a text appeals, None for any other text."""
    found = command_in(text, commands)
    return found.line if found is not None and found.name == APPEAL else None


def meant(found: Sequence[Appealable], words: str) -> Appealable | None:
    """Return the case that an appeal is about, of those that its author can appeal, newest first.

    It is the one whose id stands in the words, else the newest: by anything else, words about one community could reach
    the staff of another.
    """
    named = set(re.findall(r"\w+", words.upper()))
    return min(found, key=lambda one: one.case not in named, default=None)


class Handover:
    """Gives what happened to the stream. While nothing can be stored, it waits: platforms tell each thing only once.

    What comes later in the same space waits behind it: a deletion must not overtake its message. `before` is awaited in
    turn ahead of each arrival, for what must be known first.
    """

    def __init__(self, put: Put, *, clock: Clock, before: Callable[[Arrival], Awaitable[None]] | None = None) -> None:
        self._put = put
        self._clock = clock
        self._before = before
        self._turns: defaultdict[Ref, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def give(self, arrival: Arrival) -> None:
        """Return once an arrival is stored, however long that takes."""
        turn = self._turns[arrival.space.ref]
        async with turn:
            if self._before is not None:
                await self._before(arrival)
        if not await self._stored(arrival):
            async with turn:
                await self._store_later(arrival)

    async def look_up(self, find: Callable[[], Awaitable[T]]) -> T:
        """Return what must be known before something can be given, however long it takes until it can be read."""
        waits = _pauses()
        while True:
            try:
                return await find()
            except Unavailable as away:
                log.warning("what just happened waits for what must be known of it: %s", away)
            await self._clock.sleep(next(waits))

    async def _stored(self, arrival: Arrival) -> bool:
        try:
            await self._put(arrival)
        except Unavailable as full:
            log.warning("a %s waits to be stored: %s", type(arrival.event).__name__, full)
            return False
        return True

    async def _store_later(self, arrival: Arrival) -> None:
        for pause in _pauses():
            await self._clock.sleep(pause)
            if await self._stored(arrival):
                return


def _pauses() -> Iterator[float]:
    """Return the seconds to wait before each next try, without end."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
