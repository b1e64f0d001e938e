"""The playground as a platform among others: it hands over what people do on its page, and does what the bot wants."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, get_args

from adapters.fetching import AWAY, too_large
from adapters.playground import acts, views
from adapters.playground.deeds import plan
from adapters.playground.feed import Feed
from adapters.playground.space import HARBOUR, PLATFORM, Space
from bot.core.actions import Outward, target
from bot.core.errors import Gone, Mistake, Unavailable
from bot.core.events import Arrival, MessageEdited
from bot.core.ports import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.playground.asked import Asked
    from adapters.playground.page import File
    from adapters.playground.past import Past
    from adapters.playground.space import Room
    from bot.core import events
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.decisions import Receipt, Ruling, Trace
    from bot.core.events import Event
    from bot.core.things import Ref

    Put = Callable[[Arrival], Awaitable[bool]]

log = logging.getLogger(__name__)

SETTLED = 1.0
"""Seconds for which the bot's own message must have stayed as it is before its new words are handed over."""


class Playground:
    """A chat platform on one page. What a person does is on disk before the page hears that it is done."""

    def __init__(
        self,
        *,
        port: int,
        past: Callable[[], Awaitable[Past]],
        why: Callable[[Ref], Awaitable[Sequence[Trace]]],
        ready: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._port = port
        self._past = past
        self._why = why
        self._ready = ready
        self._clock = clock
        self._space = Space(feed=Feed(), clock=clock)
        self._put: Put | None = None
        self._commands: Sequence[Command] = ()
        self._one_at_a_time = asyncio.Lock()
        self._settling: set[asyncio.Task[None]] = set()
        self.open = asyncio.Event()
        """Set while the page can be opened."""

    @property
    def platform(self) -> str:
        """Return the first part of every reference of the playground."""
        return PLATFORM

    @property
    def can(self) -> frozenset[str]:
        """Return every action there is on platforms, and that it speaks to one member alone."""
        return frozenset(kind.__name__ for kind in get_args(Outward)) | {"only", "enters", "buttons", "files", "fetch"}

    @property
    def limits(self) -> Limits:
        """Return limits that nobody meets: the page is on this machine."""
        return Limits(chat=((50, 1.0),), overall=(200, 1.0))

    @property
    def url(self) -> str:
        """Return the page's address."""
        return f"http://127.0.0.1:{self._port}"

    async def run(self, put: Put, commands: Sequence[Command]) -> None:
        """Serve the page until cancelled. Raises Misconfigured when the port is somebody else's."""
        files = await asyncio.to_thread(_read_files)
        from adapters.playground.page import Page
        from adapters.playground.serving import listen, serve

        with listen(self._port) as listener:
            self._port = listener.getsockname()[1]
            self._space = Space(feed=Feed(), clock=self._clock)
            self._space.fill(await self._past())
            self._put, self._commands = put, commands
            self.open.set()
            try:
                page = Page(
                    space=self._space, commands=commands, files=files, do=self._do, why=self._why, ready=self._ready
                )
                await serve(page.app(), listener, ending=self._space.feed.close)
            finally:
                self._put = None
                self.open.clear()
                for task in self._settling:
                    task.cancel()

    async def act(self, action: Action) -> Receipt:
        """Carry out an action, and hand over what happened thereby, as platforms do. Raises Gone while it is closed."""
        if self._put is None:
            raise Gone("The playground is not open. It opens when the bot runs.")
        async with self._one_at_a_time:
            receipt, events = acts.carry_out(self._space, action)
            for event in events:
                if isinstance(event, MessageEdited):
                    self._hand_over_settled(event)
                else:
                    await self._hand_over(event)
        return receipt

    async def fetch(self, file: events.File, *, limit: int) -> bytes:
        """Return a file of a message that is still there. Raises Mistake."""
        name, _sign, number = file.url.rpartition("#")
        post = self._space.posts.get(name)
        if post is None or post.deleted_by or not number.isdecimal() or int(number) >= len(post.files):
            raise Mistake(AWAY)
        data = post.files[int(number)].data
        if len(data) > limit:
            raise too_large(limit)
        return data

    def watched(self, trace: Trace) -> None:
        """Show under its message what was ruled, and what the bot would have done; without one, where it would have."""
        name = views.about(trace)
        if trace.verdict.decisions and name in self._space.posts:
            self._space.think(name, trace)
        elif where := next(filter(None, map(self._held_back, trace.verdict.rulings)), None):
            self._space.think(self._space.note(where).id, trace)

    def _held_back(self, ruling: Ruling) -> Room | None:
        """Return the channel where something would have been done."""
        where = target(ruling.action)
        return None if ruling.kept or where is None else self._space.rooms.get(where.id)

    async def _do(self, asked: Asked) -> str:
        async with self._one_at_a_time:
            deed = plan(self._space, asked, self._commands)
            for event in deed.events:
                if self._put is None:
                    raise Gone("The playground is ending. Start Kinfolk again.")
                await self._put(Arrival(space=HARBOUR, event=event))
            deed.happen()
        return deed.made

    async def _hand_over(self, event: Event) -> None:
        """Hand over what the bot itself did. It is done already, so trouble is logged and no failure of the act."""
        if self._put is None:
            return
        try:
            await self._put(Arrival(space=HARBOUR, event=event))
        except Unavailable as error:
            log.warning("a %s of the bot could not be stored: %s", type(event).__name__, error)

    def _hand_over_settled(self, event: MessageEdited) -> None:
        task = asyncio.create_task(self._settle(event))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, event: MessageEdited) -> None:
        """Hand over an edit unless another follows soon: a streamed answer changes many times a second."""
        await self._clock.sleep(SETTLED)
        post = self._space.posts[event.message.id]
        if post.text == event.text and not post.deleted_by:
            await self._hand_over(event)


def _read_files() -> dict[str, File]:
    """Read what is served; in a thread, together with the web server's code, which takes a while to import."""
    import adapters.playground.serving  # noqa: F401
    from adapters.playground.page import read_files

    return read_files()
