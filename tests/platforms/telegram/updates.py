"""What the bot is told, by long polls: until a later question confirms it, it is told again."""

from __future__ import annotations

import asyncio
import itertools

BY_DEFAULT = {"message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "my_chat_member"}
OTHER_POLLER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Conflict(Exception):
    """Somebody else asks, or a webhook is set."""


class Updates:
    """The queue of one bot."""

    def __init__(self) -> None:
        self.waiting: list[dict] = []
        self.offsets: list[int] = []
        """What each question confirmed, in order."""
        self.allowed = set(BY_DEFAULT)
        self._numbers = itertools.count(5_000_001)
        self._moved = asyncio.Condition()
        self._poll = 0
        self.asking = 0
        """Questions that wait for an answer."""

    async def push(self, kind: str, told: dict) -> int:
        """Have something be told, of a kind that the bot wants to hear."""
        number = next(self._numbers)
        if kind in self.allowed or not self.offsets:
            async with self._moved:
                self.waiting.append({"update_id": number, kind: told})
                self._moved.notify_all()
        return number

    async def push_raw(self, update: dict) -> int:
        """Have something be told as it is, only with a number."""
        number = next(self._numbers)
        async with self._moved:
            self.waiting.append({"update_id": number, **update})
            self._moved.notify_all()
        return number

    async def fetch(self, offset: int, limit: int, wait: float, allowed: list[str] | None) -> list[dict]:
        """Answer one question. Raises Conflict where another comes before it is answered."""
        async with self._moved:
            self._poll += 1
            mine = self._poll
            if allowed is not None:
                self.allowed = set(allowed) or set(BY_DEFAULT)
            self.waiting = [one for one in self.waiting if one["update_id"] >= offset]
            self.offsets.append(offset)
            self.asking += 1
            self._moved.notify_all()
            try:
                async with asyncio.timeout(wait or 0.001):
                    await self._moved.wait_for(lambda: self.waiting or self._poll != mine)
            except TimeoutError:
                return []
            finally:
                self.asking -= 1
            if self._poll != mine:
                raise Conflict(OTHER_POLLER)
            return self.waiting[:limit]

    async def settled(self, patience: float = 30.0) -> None:
        """Wait until everything that was told is confirmed."""
        last = max((one["update_id"] for one in self.waiting), default=0)
        async with asyncio.timeout(patience), self._moved:
            await self._moved.wait_for(lambda: all(one["update_id"] > last for one in self.waiting))

    async def polled(self, patience: float = 30.0) -> None:
        """Wait until a question of the bot waits for an answer."""
        async with asyncio.timeout(patience), self._moved:
            await self._moved.wait_for(lambda: self.asking > 0)
