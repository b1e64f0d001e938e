"""Learns in the background where everybody belongs, so that nobody who asks waits for it."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Gone, Overloaded, Unavailable
from brains.matching.learning import GROWTH
from storage import communities, profiles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.things import Community
    from brains.matching.learning import Learning
    from brains.matching.shelf import Learned
    from storage.commons import Common
    from storage.connection import Connection
    from storage.db import Database
    from storage.profiles import Label

log = logging.getLogger(__name__)

GLANCE = 60.0
"""Seconds between looks whether what was learned may still be used: consent, channels and accounts."""
HOUR = timedelta(hours=1)
"""Between looks whether a community has grown, which costs more."""
DAY = timedelta(days=1)
"""Older profiles are learned anew: who is new, and what is talked of, fades by the day. So are those that are of the
future, since the clock was wrong when they were learned, or is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How often in a row learning was cut off in a community, and when last."""

    times: int
    at: datetime

    @property
    def rest(self) -> timedelta:
        """Return for how long it is left alone: once it is tried again at once, then twice as late each time."""
        return timedelta(0) if self.times == 1 else min(HOUR, timedelta(seconds=GLANCE * 2 ** (self.times - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """What is learned of every community of one database."""

    database: Database
    clock: Clock
    learning: Callable[[], Awaitable[Learning]]
    _looked: dict[int, datetime] = field(default_factory=dict)
    _cut: dict[int, Cut] = field(default_factory=dict)

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            await self.clock.sleep(GLANCE)
            try:
                await self.look()
            except Unavailable as error:
                log.warning("where members belong waits to be learned: %s", error)

    async def look(self) -> int:
        """Learn what is due, in every community; returns in how many. Raises the last Unavailable in the end."""
        async with self.database.read() as connection:
            every = await communities.every(connection)
        learned = 0
        trouble: Unavailable | None = None
        for community in every:
            if self._rests(community):
                continue
            try:
                learned += await self._look(community)
            except (Gone, Overloaded) as error:  # what it needs is away: asking again costs nothing
                trouble = error
            except Unavailable as error:  # one that cannot be learned keeps no other waiting
                trouble = error
                before = self._cut.get(community.id)
                self._cut[community.id] = Cut(times=before.times + 1 if before else 1, at=self.clock.now())
        if trouble is not None:
            raise trouble
        return learned

    def _rests(self, community: Community) -> bool:
        """Say whether learning was cut off here again and again, so that it waits: it would only be cut off again."""
        cut = self._cut.get(community.id)
        return cut is not None and _apart(self.clock.now(), cut.at) < cut.rest

    async def _look(self, community: Community) -> bool:
        learning = await (await self.learning()).by(community)
        common, label = await self.database.look(functools.partial(_see, learning=learning, community=community))
        if not common.channels:
            return False
        kept = await learning.kept(community, common, label)
        if not await self._is_due(learning, community, common, kept):
            return False
        before = kept.profiles if kept else None
        await learning.shelf.learn_once(community.id, functools.partial(learning.learn, community, before=before))
        self._cut.pop(community.id, None)
        return True

    async def _is_due(self, learning: Learning, community: Community, common: Common, kept: Learned | None) -> bool:
        """Say whether to learn: at once where nothing may be used or rehearsed, else daily, or once much was said."""
        now = self.clock.now()
        if kept is None:
            return await learning.vectors.count(common.scope) > 0
        if not kept.profiles.rehearsed or _apart(now, kept.label.built_at) >= DAY:
            return True
        if _apart(now, self._looked.get(community.id, kept.label.built_at)) < HOUR:
            return False
        self._looked[community.id] = now
        return await learning.grown(common, kept) >= GROWTH


def _apart(one: datetime, other: datetime) -> timedelta:
    """Return how far apart two moments are, whichever came first: a clock may be set back."""
    return abs(one - other)


async def _see(connection: Connection, learning: Learning, community: Community) -> tuple[Common, Label | None]:
    return await learning.shelf.commons.of(connection, community), await profiles.label(connection, community.id)
