"""What happens on a platform, as dead data. The union is closed: a new member of it is a change of the design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A channel, a thread or a member as the platform names it."""

    ref: Ref
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted:
    """Somebody wrote something. Its key is `message`, so that a redelivery is harmless."""

    message: Ref
    channel: Named
    author: Named
    text: str
    at: datetime
    thread: Named | None = None
    reply_to: Ref | None = None
    source: str


Event = MessagePosted
