"""Hands one act to its platform: in its turn, again where that may be, never while the platform says to wait."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.budget import Budget
from bot.core.actions import Edit, Say, Spoken, target
from bot.core.decisions import Receipt
from bot.core.errors import Gone, Overloaded
from bot.core.log import trail
from bot.policy import ONLY_PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.budget import Urgency
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.decisions import Obstacle
    from bot.core.ports import Adapter
    from bot.core.things import Ref
    from bot.metrics import Figures

log = logging.getLogger(__name__)

TRIES = 4
"""How often an act is tried that a platform was too busy for, or that may be repeated."""
TURNS = 20
"""Turns that one act may take, which goes on in the next one while it has more to do."""
AWAY = 1.0
"""Seconds until a platform that could not be reached is tried again."""
WORTH_A_WORD = 0.5
"""Seconds for which an act may be held up without its receipt saying so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends within the budget of each platform, of which this process has one."""

    adapters: Mapping[str, Adapter]
    clock: Clock
    figures: Figures
    budgets: dict[str, Budget] = field(default_factory=dict)

    async def send(self, action: Action, urgency: Urgency) -> Receipt:
        """Try until the platform took or refused it, and say what held it up."""
        where = target(action)
        assert where is not None  # noqa: S101 - what Kinfolk itself keeps is not sent
        if where.platform not in self.adapters:
            return Receipt(state="failed", error=f"{where.platform} is not connected")
        held: defaultdict[Obstacle, float] = defaultdict(float)
        receipt = await self._try(action, where, urgency, held)
        self.figures.waited(where.platform, held)
        if (waited := sum(held.values())) <= WORTH_A_WORD:
            return receipt
        most: Obstacle = max(held, key=held.__getitem__)
        return replace(receipt, waited=round(waited, 1), waited_for=most)

    def can_edit(self, action: Say) -> bool:
        """Say whether what is said so can be changed afterwards."""
        adapter = self.adapters.get(action.to.platform)
        can = adapter.can if adapter is not None else frozenset()
        return Edit.__name__ in can and not (action.only and ONLY_PLAIN in can)

    def drafts(self, where: Ref) -> bool:
        """Say whether a text is shown there while it grows, without being a message yet."""
        adapter = self.adapters.get(where.platform)
        return adapter is not None and adapter.limits.drafts(where)

    async def show_if_spare(self, action: Edit | Say) -> bool:
        """Show a text on its way to its last word if nobody would miss the turn; say whether that was done."""
        where = action.channel if isinstance(action, Edit) else action.to
        chat, route = self._chat(action, where), type(action).__name__
        if not self._budget(where).take_spare(chat, route=route):
            return False
        try:
            return (await self.adapters[where.platform].act(action)).state == "done"
        except Overloaded as busy:
            self._budget(where).pause(busy.after, chat=chat, route=route, scope=busy.scope)
        except Gone as gone:
            log.info("an edit on the way was lost: %s", gone)
        except Exception as error:  # noqa: BLE001 - belongs to the pipeline's door: the last edit tells what is wrong
            log.error("an edit on the way ended in a bug: %s", trail(error))
        return False

    async def _try(self, action: Action, where: Ref, urgency: Urgency, held: defaultdict[Obstacle, float]) -> Receipt:
        """Try a few times, each in its turn. A platform that says to wait is waited for."""
        chat, route, budget = self._chat(action, where), type(action).__name__, self._budget(where)
        error: Exception = Gone("it was never tried")
        tries = 0
        for _turn in range(TURNS):
            if tries == TRIES:
                break
            for obstacle, seconds in (await budget.take(chat, urgency, route=route)).items():
                held[obstacle] += seconds
            try:
                return await self.adapters[where.platform].act(action)
            except Overloaded as busy:
                error = busy
                tries += busy.after > 0
                budget.pause(busy.after, chat=chat, route=route, scope=busy.scope)
            except Gone as gone:
                error = gone
                tries += 1
                if isinstance(action, Spoken) and not (isinstance(action, Edit) and action.mends):
                    return Receipt(state="unknown", error=str(gone))
                await self.clock.sleep(AWAY)
                held["away"] += AWAY
        return Receipt(state="failed", error=f"given up after {TRIES} tries: {error}")

    def _chat(self, action: Action, where: Ref) -> str:
        """Name whose turns an act takes: the chat's, or those of whoever is answered alone."""
        limits = self.adapters[where.platform].limits
        chat = limits.chat_of(action, where)
        if isinstance(action, Say | Edit) and action.only and action.invocation and limits.answers_apart:
            return f"{chat} {action.only}"
        return chat

    def _budget(self, where: Ref) -> Budget:
        if where.platform not in self.budgets:
            self.budgets[where.platform] = Budget(self.adapters[where.platform].limits, self.clock)
        return self.budgets[where.platform]
