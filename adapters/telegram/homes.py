"""Which group a conversation with one member belongs to: one that both are in; of an appeal, the one it is about."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from telegram.error import TelegramError

from adapters.hearing import meant
from adapters.telegram import names
from adapters.telegram.chats import is_inside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.hearing import Appeals
    from adapters.telegram.client import Client
    from bot.core.clock import Clock
    from bot.core.events import Named
    from bot.core.things import Ref

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=5)
"""For so long it holds that somebody is in a group, or is not."""
MOST = 50
"""Groups that are asked for one member at most."""
REMEMBERED = 10_000


@dataclass(slots=True, kw_only=True)
class Homes:
    """Finds homes. `spaces` returns the known groups, those where a member was active last first.

    `appeals` returns the cases that somebody can appeal.
    """

    client: Client
    clock: Clock
    spaces: Callable[[Ref], Awaitable[Sequence[Named]]]
    appeals: Appeals
    _lately: dict[int, Named] = field(default_factory=dict)
    _here: dict[tuple[int, int], tuple[datetime, bool]] = field(default_factory=dict)

    def note(self, user: int, space: Named) -> None:
        """Note that somebody did something in a group, or chose it."""
        self._lately.pop(user, None)
        self._lately[user] = space
        while len(self._lately) > REMEMBERED:
            self._lately.pop(next(iter(self._lately)))

    def note_presence(self, user: int, group: int, *, here: bool) -> None:
        """Note that somebody came into a group or left it."""
        self._here[user, group] = (self.clock.now(), here)
        while len(self._here) > REMEMBERED:
            self._here.pop(next(iter(self._here)))

    async def of(self, user: int) -> Named | None:
        """Return the group that somebody was active in last or chose; None where the bot shares none with them."""
        lately = self._lately.get(user)
        if lately is not None and await self.is_here(user, names.place(lately.ref).chat):
            return lately
        for space in list(await self.spaces(names.member(user)))[:MOST]:
            if await self.is_here(user, names.place(space.ref).chat):
                return space
        return None

    async def find(self, user: int, group: int) -> Named | None:
        """Return a group that is known if somebody is in it."""
        every = await self.spaces(names.member(user))
        found = next((one for one in every if one.ref == names.chat(group)), None)
        return found if found is not None and await self.is_here(user, group) else None

    async def of_appeal(self, user: int, words: str, home: Named | None) -> Named | None:
        """Return the group of the case that somebody appeals, though they were sent out of it; else their home."""
        found = await self.appeals([names.member(user)])
        case = meant(found, words)
        return case.space if case is not None else home

    async def is_here(self, user: int, group: int) -> bool:
        """Say whether somebody is in a group now; where Telegram does not tell, they are not."""
        at, here = self._here.get((user, group), (None, False))
        if at is not None and self.clock.now() - at < FRESH:
            return here
        try:
            here = is_inside(await self.client.get_chat_member(group, user))
        except TelegramError as error:
            log.info("whether %d is in the group %d is not known: %s", user, group, error)
            return False
        self.note_presence(user, group, here=here)
        return here
