"""What a back-fill reads of any platform: the rooms of a space and their pages, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.events import ChannelChanged, MessagePosted, Named
    from bot.core.things import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel or a thread to read; its messages belong to the channel `home`, of a public thread what it hangs on."""

    ref: Ref
    name: str
    home: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A channel that is not read, and what would mend that: rights are called as in the platform's own settings."""

    name: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was read of a room at once; everything from `before` on is read then, and `done` says that this is all."""

    messages: tuple[MessagePosted, ...]
    before: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a space has: the channels that messages belong to, what is read, and what the bot may not read."""

    homes: tuple[ChannelChanged, ...]
    rooms: tuple[Room, ...]
    closed: tuple[Closed, ...]


class Past(Protocol):
    """The old messages of one space. `side_by_side` says how many requests may be on the way at once."""

    space: Named
    side_by_side: int

    async def layout(self, wanted: Sequence[str] = ()) -> Layout:
        """Find what is to be read: channels, by name or number where only some are wanted. Raises Mistake."""
        ...

    async def page(self, room: Room, before: str = "", *, since: datetime | None = None) -> Page:
        """Read a page, newest first, from a mark on; nothing older than `since`. Raises NotAllowed or Gone."""
        ...

    def reaches(self, before: str, since: datetime | None) -> bool:
        """Say whether everything since a moment is read where a room is read down to a mark."""
        ...

    async def say(self, channel: Ref, text: str) -> Ref | None:
        """Say something in a channel of this space and return the message; None where that cannot be."""
        ...

    async def rewrite(self, message: Ref, text: str) -> bool:
        """Change what was said; False where it is gone."""
        ...
