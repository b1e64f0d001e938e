"""Reads lists of many pages from Slack, and waits where Slack says so: nobody waits for what is read in this way."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adapters.slack import told
from bot.core.errors import Gone, Overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.clock import Clock

log = logging.getLogger(__name__)

PAGE, MANY = 200, 999
"""How many of anything are asked for at once, as Slack recommends, and of what there are thousands, as it allows."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before Slack is asked again where it failed: doubled each time, up to this."""


class Pages:
    """Reads for one bot."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    async def each(self, method: str, what: str, /, *, limit: int = PAGE, **given: object) -> AsyncIterator[Told]:
        """Give what stands in a list. Raises Refused."""
        async for answer in self.answers(method, limit=limit, **given):
            for one in told.parts(answer, what):
                yield one

    async def texts(self, method: str, what: str, /, **given: object) -> AsyncIterator[str]:
        """Give the texts that stand in a list. Raises Refused."""
        async for answer in self.answers(method, limit=PAGE, **given):
            for one in told.texts(answer, what):
                yield one

    async def answers(self, method: str, /, *, limit: int, **given: object) -> AsyncIterator[Told]:
        """Give the answers, page by page. Raises Refused."""
        cursor = ""
        while True:
            answer = await self._ask(method, limit=limit, cursor=cursor or None, **given)
            yield answer
            following = told.text(answer, "response_metadata", "next_cursor")
            if not following or following == cursor:
                return
            cursor = following

    async def _ask(self, method: str, /, **given: object) -> Told:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._api.call(method, who="bot", **given)
            except Overloaded as busy:
                await self._clock.sleep(busy.after)
            except Gone as gone:
                log.info("%s is asked again in %g s: %s", method, pause, gone)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
