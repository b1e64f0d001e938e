"""A platform that does all that a bot can ask for, and keeps what that was; nothing happens on it by itself."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, get_args

from bot.core.actions import Edit, OpenDirect, Outward, Say, target
from bot.core.decisions import Receipt
from bot.core.errors import Mistake
from bot.core.ports import Limits
from bot.core.things import Ref

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.core.actions import Action
    from bot.core.commands import Command
    from bot.core.events import Arrival, File

PLATFORM = "discord"
"""What it is called: references of its form are links on all platforms, once they are put into the words of each."""


Done = tuple["Action", Ref | None]
"""An act, and what was made by it."""


def server_of(ref: Ref) -> str:
    """Return the server that anything of ours is in: what stands before the first dash of its number."""
    return ref.id.partition("/")[0][:SERVER]


SERVER = 6
"""Digits of a server's number; those of all that is in it begin with them."""


class Stage:
    """Keeps what was done on each server, and what was made by it."""

    platform = PLATFORM
    can = frozenset(kind.__name__ for kind in get_args(Outward)) | {"only-asked", "buttons", "files"}
    limits = Limits(chat=((100_000, 1.0),), overall=(100_000, 1.0))

    def __init__(self) -> None:
        self.done: defaultdict[str, list[Done]] = defaultdict(list)
        self._numbers = itertools.count(900_000)

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Hand over nothing: whoever makes the attempt does."""

    async def act(self, action: Action) -> Receipt:
        """Keep what was to be done, and say that it was."""
        where = target(action)
        if where is None:
            raise Mistake("This is done nowhere.")
        text = action.text if isinstance(action, Say | Edit | OpenDirect) else ""
        made = (
            None if isinstance(action, Edit) else Ref(PLATFORM, f"{where.id.partition('/')[0]}/{next(self._numbers)}")
        )
        self.done[server_of(where)].append((action, made))
        return Receipt(state="done", made=made, text=text)

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Raise Mistake: nobody sends files here."""
        raise Mistake("There are no files here.")
