"""Learns in the background where everybody belongs, so that nobody who asks waits for it."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
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
"""Older profiles are learned anew: who is new, and what is talked of, fades by the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """What is learned of every community of one database."""

    database: Database
    clock: Clock
    learning: Callable[[], Awaitable[Learning]]
    _looked: dict[int, datetime] = field(default_factory=dict)

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
        learned, trouble = 0, None
        for community in every:
            try:
                learned += await self._look(community)
            except Unavailable as error:  # one that cannot be learned keeps no other waiting
                trouble = error
        if trouble is not None:
            raise trouble
        return learned

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
        return True

    async def _is_due(self, learning: Learning, community: Community, common: Common, kept: Learned | None) -> bool:
        """Say whether to learn: at once where nothing may be used or rehearsed, else daily, or once much was said."""
        now = self.clock.now()
        if kept is None:
            return await learning.vectors.count(common.scope) > 0
        if not kept.profiles.rehearsed or now - kept.label.built_at >= DAY:
            return True
        if now - self._looked.get(community.id, kept.label.built_at) < HOUR:
            return False
        self._looked[community.id] = now
        return await learning.grown(common, kept) >= GROWTH


async def _see(connection: Connection, learning: Learning, community: Community) -> tuple[Common, Label | None]:
    return await learning.shelf.commons.of(connection, community), await profiles.label(connection, community.id)
