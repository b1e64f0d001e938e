"""Says a text while it is being written: one message that grows by edits, whose last word always comes.

Where a platform has no edits, and in a conversation that is still to be opened, it is said once, when it is whole;
where a platform shows drafts, these grow before that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import Anew, Edit, OpenDirect, Say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.core.actions import Action
    from bot.core.decisions import Receipt
    from bot.sending import Sender

log = logging.getLogger(__name__)

LONGEST = 60.0
"""Seconds that the writing of a streamed reply may take; what its turn is waited for does not count."""

Attempt = Callable[["Action"], Awaitable["Receipt"]]
"""Tries an action in its turn; whatever comes of it is a receipt."""


async def say_in_pieces(
    action: Say | OpenDirect, pieces: AsyncIterator[str], *, sender: Sender, attempt: Attempt
) -> tuple[Action, Receipt]:
    """Say what comes as it comes, and return the action as it was carried out in the end, with its receipt.

    Edits in between use what the budget has to spare. Nothing comes: the action's own text is said.
    """
    growing = Growing(action, sender=sender, attempt=attempt)
    async with contextlib.aclosing(_bounded(pieces)) as bounded:
        async for piece in bounded:
            growing.said = piece if isinstance(piece, Anew) else growing.said + piece
            if growing.said.strip() and not await growing.show():
                break
    return await growing.end()


class Growing:
    """One message on its way to its last word: `said` is to be seen in the end, `shown` is what is seen already."""

    def __init__(self, action: Say | OpenDirect, *, sender: Sender, attempt: Attempt) -> None:
        self.said = self.shown = ""
        self.dropped = 0
        self._action = action
        self._sender = sender
        self._attempt = attempt
        self._receipt: Receipt | None = None

    async def show(self) -> bool:
        """Show what was said so far, or leave it to a later edit; False when there is nothing that could be edited."""
        if isinstance(self._action, OpenDirect):
            return True
        if self._sender.drafts(self._action.to):
            await self._sender.show_if_spare(replace(self._action, text=self.said, draft=True, buttons=()))
            return True
        if not self._sender.can_edit(self._action):
            return True
        if self._receipt is None:
            self._receipt = await self._attempt(replace(self._action, text=self.said))
            self.shown = self.said
            return self._receipt.state == "done" and self._receipt.made is not None
        if await self._sender.show_if_spare(self._edit(self._receipt)):
            self.shown = self.said
        else:
            self.dropped += 1
        return True

    async def end(self) -> tuple[Action, Receipt]:
        """Show the last word."""
        if self._receipt is None:
            whole = replace(self._action, text=self.said) if self.said.strip() else self._action
            return whole, await self._attempt(whole)
        if self.shown != self.said:
            last = await self._attempt(self._edit(self._receipt))
            self.shown, self.dropped = self.said if last.state == "done" else self.shown, self.dropped - 1
            self._receipt = _both_waited(self._receipt, last)
        receipt = replace(self._receipt, dropped=self.dropped)
        return replace(self._action, text=self.shown), replace(receipt, text=self.shown) if receipt.made else receipt

    def _edit(self, receipt: Receipt) -> Edit:
        assert receipt.made is not None  # noqa: S101 - nothing is shown after a first try that made nothing
        assert isinstance(self._action, Say)  # noqa: S101 - another is said once
        return Edit(
            message=receipt.made,
            channel=self._action.to,
            text=self.said,
            only=self._action.only,
            invocation=self._action.invocation,
            buttons=self._action.buttons,
        )


def _both_waited(first: Receipt, last: Receipt) -> Receipt:
    """Return the first receipt with the waits of both."""
    longer = max(first, last, key=lambda one: one.waited)
    return replace(first, waited=round(first.waited + last.waited, 1), waited_for=longer.waited_for)


async def _bounded(pieces: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """Yield pieces until they end, fail or take too long; what was said so far stays."""
    left = LONGEST
    closing = contextlib.aclosing(pieces) if isinstance(pieces, AsyncGenerator) else contextlib.nullcontext()
    try:
        async with closing:
            while True:
                began = time.monotonic()
                async with asyncio.timeout(left):
                    piece = await anext(pieces, None)
                left -= time.monotonic() - began
                if piece is None:
                    return
                yield piece
    except Exception as error:  # noqa: BLE001 - belongs to the pipeline's door: a skill's own text may fail
        log.warning("a streamed reply broke off: %s", type(error).__name__)
