"""The bot while it runs: its parts side by side, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.commands import served
from bot.core.errors import Unavailable
from bot.jobs import EVERY
from bot.metrics import show
from bot.supervisor import Supervisor
from storage import communities, linking, retention

if TYPE_CHECKING:
    from bot.ahead import Ahead
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.ports import Adapter
    from bot.indexing import Index
    from bot.lanes import Lanes
    from bot.metrics import Figures
    from brains.skills.skill import Skill
    from storage.db import Database
    from storage.inbox import Inbox

log = logging.getLogger(__name__)

DRAINING = 6.0
"""Seconds in which what was begun may be finished, once the bot is told to stop."""
HOUR = 3600.0
GLANCE = 5.0
"""Seconds between looks at the companions: far less than they live without being asked."""

Part = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """All that runs in one bot.

    `look_after` asks the companions how they are, which starts those again that died. `chores` are what else runs
    beside. `alone` says that no other
    process handles events of these tables, so that what a dead one had leased is free at once.
    """

    database: Database
    clock: Clock
    inbox: Inbox
    lanes: Lanes
    ahead: Ahead
    index: Callable[[], Awaitable[Index]]
    adapters: Sequence[Adapter]
    skills: Sequence[Skill]
    figures: Figures
    look_after: Callable[[], Awaitable[None]]
    compact: Callable[[], Awaitable[object]]
    chores: Mapping[str, Part]
    alone: bool
    metrics_port: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Live until `stop`. Raises Misconfigured when a part cannot start."""
        await self.inbox.begin(alone=self.alone)
        life = asyncio.create_task(Supervisor(self.clock).run(self._parts()))
        told = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({life, told}, return_when=asyncio.FIRST_COMPLETED)
            if self.stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRAINING):
                        await self.lanes.drain()
        finally:
            # However it ends: no part may go on once the tables are closed.
            told.cancel()
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life

    def stop(self) -> None:
        """Finish what was begun, and end."""
        self.stopping.set()

    def _parts(self) -> Mapping[str, Part]:
        commands = commands_of(self.skills)
        put = self.figures.counting(self.inbox.put)
        adapters = {one.platform: functools.partial(one.run, put, commands) for one in self.adapters}
        return {
            "leases": self.inbox.renew_leases,
            "encoding": self.ahead.run,
            "lanes": self.lanes.run,
            "index": self._follow,
            "retention": self._retain,
            "companions": self._watch,
            **self.chores,
            **({"metrics": self._show} if self.metrics_port else {}),
            **adapters,
        }

    async def _show(self) -> None:
        await show(self.figures, port=self.metrics_port, database=self.database, clock=self.clock)

    async def _follow(self) -> None:
        await (await self.index()).follow(self.clock)

    async def _retain(self) -> None:
        """Erase what its time is up for, each hour."""
        while True:
            await self.database.write(functools.partial(linking.gather, now=self.clock.now()))
            async with self.database.read() as connection:
                every = await communities.every(connection)
            now = self.clock.now()
            for community in every:
                purge = functools.partial(retention.purge, community=community, now=now)
                while await self.database.write(purge):
                    pass
            while await self.database.write(functools.partial(retention.purge_events, now=now)):
                pass
            await self.compact()
            await self.clock.sleep(HOUR)

    async def _watch(self) -> None:
        """Start a companion again that died, before anybody misses it."""
        while True:
            try:
                await self.look_after()
            except Unavailable as error:
                log.warning("%s", error)
            await self.clock.sleep(GLANCE)


def commands_of(skills: Sequence[Skill]) -> list[Command]:
    """Return the commands that these skills serve, as platforms are to register them."""
    names = tuple(name for skill in skills for name in skill.commands)
    unasked = tuple(skill.name for skill in skills if skill.acts_unasked)
    schedules = tuple(one.name for one in EVERY)
    return served(names, {"help.command": names, "mode.skill": unasked, "schedule.name": schedules})
