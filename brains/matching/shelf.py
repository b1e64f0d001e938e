"""What one process holds of matching between two questions: profiles as they were loaded, and who is learning."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.errors import KinfolkError
from storage.commons import Commons

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from brains.matching.profiles import ChannelProfiles
    from storage.profiles import Label


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Profiles and what they are called."""

    label: Label
    profiles: ChannelProfiles

    @property
    def messages(self) -> int:
        """Return how many messages they were learned from."""
        return int(self.profiles.messages.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many points a community had when they were counted, and how many messages were encoded by then at all."""

    points: int
    encoded: int


@dataclass(slots=True)
class Shelf:
    """Shared by all that match in one process. What it holds is held against the tables with every question."""

    commons: Commons = field(default_factory=Commons)
    learned: dict[int, Learned] = field(default_factory=dict)
    counted: dict[int, Counted] = field(default_factory=dict)
    behind: bool = False
    """Whether somebody learns in the background here: then nobody who asks waits for rehearsals."""
    _learning: dict[tuple[int, bool], asyncio.Task[Learned]] = field(default_factory=dict)

    async def learn_once(
        self, community: int, learn: Callable[[], Coroutine[None, None, Learned]], *, rehearsed: bool = True
    ) -> Learned:
        """Learn, or wait for who learns the same already; it goes on though whoever asked waits no longer."""
        return await asyncio.shield(self.begin(community, learn, rehearsed=rehearsed))

    def begin(
        self, community: int, learn: Callable[[], Coroutine[None, None, Learned]], *, rehearsed: bool = True
    ) -> asyncio.Task[Learned]:
        """Begin to learn unless somebody does, and return who does."""
        key = (community, rehearsed)
        under_way = self._learning.get(key)
        if under_way is None:
            under_way = self._learning[key] = asyncio.create_task(learn(), name="learning to match")
            under_way.add_done_callback(functools.partial(self._ended, key))
        return under_way

    def _ended(self, key: tuple[int, bool], task: asyncio.Task[Learned]) -> None:
        self._learning.pop(key, None)
        if not task.cancelled() and isinstance(trouble := task.exception(), KinfolkError):
            log.warning("where members belong waits to be learned: %s", trouble)

    async def close(self) -> None:
        """Learn no more."""
        for one in list(self._learning.values()):
            one.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await one
