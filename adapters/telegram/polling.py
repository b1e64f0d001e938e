"""Asks Telegram what happened, over and over. An update is confirmed once it was taken in, never before.

Telegram forgets what a later question confirms, and all that came before it. So a question is asked again only when
everything of the answer before it is stored; while one chat waits, the next question waits with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut

from adapters.telegram.client import told
from bot.core.errors import Gone, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.telegram.client import Client
    from bot.core.clock import Clock

log = logging.getLogger(__name__)

WAIT = 25
"""Seconds for which Telegram is asked to hold a question that it has no answer to."""
TRIES = 6
"""Questions that may fail one after the other before the connection counts as lost."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two that failed: doubled each time, up to this."""
WEBHOOK = (
    "KINFOLK_TELEGRAM_TOKEN: a webhook is set for this bot, and what happens goes there. End the program that set it, "
    "call the Bot API's deleteWebhook, and start Kinfolk again."
)
ANOTHER = (
    "KINFOLK_TELEGRAM_TOKEN: another program asks Telegram for what happens to this bot, and each takes it from the "
    "other. End the other one, or give it a bot of its own."
)


@dataclass(slots=True, kw_only=True)
class Polling:
    """Polls for one bot. `hear` takes in one update and returns once it is stored."""

    client: Client
    clock: Clock
    hear: Callable[[dict[str, object]], Awaitable[None]]
    connected: Callable[[bool], None]
    wait: int = WAIT
    _failed: int = 0

    async def run(self) -> None:
        """Poll until cancelled. Raises Gone or Misconfigured."""
        offset = 0
        try:
            while True:
                updates = await self._ask(offset)
                if updates is None:
                    continue
                await self._hear_all(updates)
                before, offset = offset, max([offset, *(_number(one) + 1 for one in updates)])
                if updates and offset == before:
                    await self._pause(Gone("Telegram tells of updates without numbers."))
        finally:
            self.connected(False)  # noqa: FBT003 - it is the state itself

    async def _ask(self, offset: int) -> Sequence[dict[str, object]] | None:
        """Return what happened since, None where the question failed and may be asked again."""
        try:
            # The first answer comes at once, so that it is known whether Telegram answers at all.
            wait = self.wait if offset or self._failed < 0 else 0
            found = await self.client.updates(offset, wait=wait)
        except InvalidToken as error:
            raise told(error) from None
        except RetryAfter as busy:
            await self.clock.sleep(busy._retry_after.total_seconds())  # noqa: SLF001 - the other is on its way out
            return None
        except Conflict as conflict:
            if "webhook" in str(conflict).lower():
                raise Misconfigured(WEBHOOK) from None
            await self._pause(Gone(ANOTHER))
            return None
        except TimedOut as late:
            await self._pause(told(late))
            return None
        except TelegramError as error:
            await self._pause(told(error))
            return None
        self._failed = -1
        self.connected(True)  # noqa: FBT003 - it is the state itself
        return [one for one in found if isinstance(one, dict)]

    async def _pause(self, trouble: Exception) -> None:
        """Wait before the next question, longer each time. Raises what is wrong once it was tried often enough."""
        self._failed = max(self._failed, 0) + 1
        if self._failed >= TRIES:
            raise trouble
        self.connected(False)  # noqa: FBT003 - it is the state itself
        log.info("Telegram is asked again: %s", trouble)
        await self.clock.sleep(min(FIRST_PAUSE * 2 ** (self._failed - 1), LONGEST_PAUSE))

    async def _hear_all(self, updates: Sequence[dict[str, object]]) -> None:
        """Take in what happened: chats side by side, what happened in one in order.

        Groups come before conversations with one member, which belong to a group that is known by then.
        """
        chats: defaultdict[int, list[dict[str, object]]] = defaultdict(list)
        for one in updates:
            chats[_chat(one)].append(one)
        for alone in (False, True):
            async with asyncio.TaskGroup() as group:
                for chat, some in chats.items():
                    if (chat > 0) is alone:
                        group.create_task(self._hear_in_order(some))

    async def _hear_in_order(self, updates: Sequence[dict[str, object]]) -> None:
        for one in updates:
            await self.hear(one)


def _number(update: dict[str, object]) -> int:
    number = update.get("update_id")
    return number if isinstance(number, int) else -1


def _chat(update: dict[str, object]) -> int:
    """Return the number of the chat in which something happened, 0 where it names none."""
    for kind, inside in update.items():
        message = inside.get("message") if kind == "callback_query" and isinstance(inside, dict) else inside
        chat = message.get("chat") if isinstance(message, dict) else None
        number = chat.get("id") if isinstance(chat, dict) else None
        if isinstance(number, int):
            return number
    return 0
