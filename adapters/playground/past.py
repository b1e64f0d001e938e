"""What the playground is filled with when it starts: the community as Kinfolk remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.things import Rank, Ref

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.events import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChannel:
    """A channel: its audience says who may read it, `members` who has joined."""

    channel: Named
    description: str = ""
    archived: bool = False
    members: frozenset[Ref] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMember:
    """A member, with the language they chose and what they may do."""

    member: Named
    rank: Rank = Rank.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMessage:
    """A message that was written before; an author who is no member any more is shown by name."""

    message: Ref
    channel: Ref
    author: Named
    text: str
    at: datetime
    thread: Named | None = None
    reply_to: Ref | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Channels, members, and the newest messages of each channel, oldest first."""

    channels: tuple[PastChannel, ...] = ()
    members: tuple[PastMember, ...] = ()
    messages: tuple[PastMessage, ...] = ()
