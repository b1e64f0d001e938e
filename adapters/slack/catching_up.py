"""Reads on, after an absence, in each channel that the bot is in: from the newest message that is stored."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.slack import names, told
from adapters.slack.web import Refused
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from adapters.slack.incoming import Incoming
    from adapters.slack.pages import Pages
    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.clock import Clock
    from bot.core.events import Event
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

    Give = Callable[[Event], Awaitable[None]]

log = logging.getLogger(__name__)

WAITS = 1.0
"""Seconds that what is said now waits for what was said before it: it must be acknowledged within three."""
GRACE = 3.0
"""Seconds in which Slack has told what was said while the line was opened."""
DAY = 24 * 3600
BACK = 3 * DAY
"""Seconds before the newest stored message in which changed words, and threads with new answers, are looked for."""
OLD_THREADS = 20
"""Threads of a channel, begun before that, in which new answers are looked for: those that were answered last."""
WINDOW = 7 * DAY
"""Seconds of a channel that are held in memory at once: Slack gives the newest first, and we want the oldest."""


@dataclass(slots=True, kw_only=True)
class Gap:
    """A channel in which something was missed: after the newest message that is stored, up to the first new one.

    `threads` are the newest stored answers of its threads.
    """

    channel: str
    after: str
    threads: dict[str, str] = field(default_factory=dict)
    before: str = ""
    begun: bool = False
    waits_until: float = 0.0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_missed(self, ts: str) -> bool:
        """Say whether a message was said before those that are told by themselves."""
        return bool(_revision(ts)) and not (self.before and not _is_after(self.before, ts))


class CatchingUp:
    """Reads on in one workspace, of which `then` is what was known before anything new was told."""

    def __init__(
        self, *, api: Api, pages: Pages, incoming: Incoming, clock: Clock, then: Mapping[Ref, KnownChannel]
    ) -> None:
        self._api = api
        self._pages = pages
        self._incoming = incoming
        self._clock = clock
        self._since = api.time
        """By Slack's own clock, before when nothing comes by the new line."""
        self._gaps = {one.channel: one for one in find_gaps(then)}
        self._group: asyncio.TaskGroup | None = None
        self._give: Give | None = None

    async def wait_for(self, channel: str) -> None:
        """Have a channel read on first, since somebody speaks there, and wait for that a little, once in all."""
        gap = self._gaps.get(channel)
        if gap is None or gap.closed.is_set():
            return
        self._begin(gap)
        gap.waits_until = gap.waits_until or asyncio.get_running_loop().time() + WAITS
        try:
            async with asyncio.timeout_at(gap.waits_until):
                await gap.closed.wait()
        except TimeoutError:
            log.info("channel %s is still read on", channel)

    def note(self, channel: str, ts: str) -> None:
        """Note the first new message of a channel, up to which it is read on.

        One from before the line was there is told again, and says nothing of those that came after it.
        """
        gap = self._gaps.get(channel)
        if gap and not gap.before and _seconds(ts) >= self._since:
            gap.before = ts

    async def read(self, channels: set[str], give: Give) -> None:
        """Read these channels on, one after the other; one in which somebody speaks at once."""
        self._give = give
        for channel in list(self._gaps):
            if channel not in channels:
                self._gaps.pop(channel).closed.set()
        async with asyncio.TaskGroup() as group:
            self._group = group
            for gap in list(self._gaps.values()):
                self._begin(gap)
                await gap.closed.wait()
            self._group = None

    def end(self) -> None:
        """Let go of whatever waits."""
        for gap in self._gaps.values():
            gap.closed.set()
        self._gaps.clear()

    def _begin(self, gap: Gap) -> None:
        if not gap.begun and self._group is not None:
            gap.begun = True
            self._group.create_task(self._close(gap))

    async def _close(self, gap: Gap) -> None:
        try:
            await self._read(gap)
        except Refused as refused:
            log.warning("what was said in channel %s meanwhile cannot be read: %s", gap.channel, refused)
        finally:
            gap.closed.set()

    async def _read(self, gap: Gap) -> None:
        """Hand over what was said in a channel and its threads, oldest first, and what was changed lately."""
        new: list[Told] = []
        async for one in self._said(gap):
            if _revision(told.text(one, "ts")) < self._since * names.MICROSECONDS:
                await self._tell(one, gap)
            else:
                new.append(one)
        gap.closed.set()
        if new:
            # Slack may be telling these by itself right now, as what is to be answered: that goes first.
            await self._clock.sleep(GRACE)
        for one in new:
            await self._tell(one, gap)

    async def _said(self, gap: Gap) -> AsyncIterator[Told]:
        """Give what stands in a channel since a while before the gap, and what was answered in its threads since."""
        until, seen = self._api.time + 1, set[str]()
        for oldest, latest in _windows(_seconds(gap.after) - BACK, until):
            pages = self._pages.each(
                "conversations.history",
                "messages",
                channel=gap.channel,
                oldest=f"{oldest}.000000",
                latest=f"{latest}.000000",
                inclusive=True,
            )
            found = [one async for one in pages]
            seen |= {told.text(one, "ts") for one in found}
            answers = [answer for one in found for answer in await self._answers(one, gap, until)]
            for one in sorted([*found, *answers], key=lambda one: _revision(told.text(one, "ts"))):
                yield one
        for began in sorted(gap.threads.keys() - seen, key=lambda ts: _revision(gap.threads[ts]))[-OLD_THREADS:]:
            for one in await self._replies(began, gap.threads[began], gap, until):
                yield one

    async def _answers(self, message: Told, gap: Gap, until: int) -> list[Told]:
        """Return what was answered since in the thread that a message began."""
        began, newest = told.text(message, "ts"), told.text(message, "latest_reply")
        known = gap.threads.get(began) or gap.after
        return await self._replies(began, known, gap, until) if newest and _is_after(newest, known) else []

    async def _replies(self, began: str, known: str, gap: Gap, until: int) -> list[Told]:
        pages = self._pages.each(
            "conversations.replies", "messages", channel=gap.channel, ts=began, oldest=known, latest=f"{until}.000000"
        )
        return [answer async for answer in pages if _is_after(told.text(answer, "ts"), known)]

    async def _tell(self, message: Told, gap: Gap) -> None:
        assert self._give is not None  # noqa: S101 - it is read only then
        ts, edited = told.text(message, "ts"), told.text(message, "edited", "ts")
        if not gap.is_missed(ts):
            return
        is_answer = told.text(message, "thread_ts") not in {"", ts}
        event: Event | None = None
        try:
            if is_answer or _is_after(ts, gap.after):
                event = await self._incoming.posted(message, gap.channel)
            elif edited and _is_after(edited, gap.after):
                event = await self._incoming.edited(message, {}, gap.channel, edited)
        except ValueError as odd:
            log.warning("a message of channel %s is passed over: %s", gap.channel, odd)
        if event is not None:
            await self._give(event)


def find_gaps(known: Mapping[Ref, KnownChannel]) -> list[Gap]:
    """Find where something may have been said that is not stored: after the newest message of each channel.

    In a channel where nothing was ever read, what is newer than all that is stored.
    """
    newest: dict[str, str] = {}
    threads: dict[str, dict[str, str]] = {}
    for ref, one in known.items():
        if one.archived or one.channel.audience is Audience.DIRECT:
            continue
        try:
            latest = names.parts(one.latest).ts if one.latest else ""
            channel = names.parts(ref).channel if one.thread else names.own(ref)
        except names.Unknown:
            continue
        if one.thread and latest:
            threads.setdefault(channel, {})[names.parts(ref).ts] = latest
        elif not one.thread:
            newest[channel] = latest
    stored = [ts for ts in (*newest.values(), *(ts for some in threads.values() for ts in some.values())) if ts]
    if not stored:
        return []  # nothing was ever read here; old messages come by the back-fill
    last = max(stored, key=_revision)
    return [Gap(channel=channel, after=ts or last, threads=threads.get(channel, {})) for channel, ts in newest.items()]


def _revision(ts: str) -> int:
    try:
        return names.revision(ts)
    except ValueError:
        return 0


def _is_after(ts: str, other: str) -> bool:
    return _revision(ts) > _revision(other)


def _seconds(ts: str) -> int:
    return _revision(ts) // names.MICROSECONDS


def _windows(since: int, until: int) -> Iterator[tuple[int, int]]:
    """Give stretches of time that touch, oldest first; what stands on their border is told twice, which is harmless."""
    start = max(since, 0)
    while start < until:
        yield start, min(start + WINDOW, until)
        start += WINDOW
