"""Keeps the parts of the bot alive: what dies is started again, later and later; what is misconfigured ends it all."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.core.errors import KinfolkError, Misconfigured
from bot.core.log import trail

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.core.clock import Clock

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds before a part is started again: doubled each time, up to this."""
HEALTHY = 120.0
"""Seconds after which a part that died counts as one that had been well."""


class Supervisor:
    """Runs parts side by side until cancelled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, parts: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        """Run every part. Raises the Misconfigured of any of them."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts.items():
                    group.create_task(self._keep(name, part), name=name)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part again and again."""
        pause = FIRST_PAUSE
        while True:
            began = self._clock.now()
            try:
                await part()
                return
            except Misconfigured:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a part dies of, the others live on
                lived = (self._clock.now() - began).total_seconds()
                pause = FIRST_PAUSE if lived > HEALTHY else pause
                _tell(name, error, pause)
            await self._clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _tell(name: str, error: Exception, pause: float) -> None:
    if isinstance(error, KinfolkError):
        log.warning("%s stopped (%s); it is started again in %g s", name, error, pause)
    else:
        log.error("%s stopped; it is started again in %g s: %s", name, pause, trail(error))
