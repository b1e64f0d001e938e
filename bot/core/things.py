"""What a community is made of: references, channels, members, messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from datetime import datetime

POINTS = UUID("5d0ad3f6-6b0e-5b5c-9f43-6b696e666f6c")
"""Namespace of every point id, so that a message has the same point in every vector store."""


class Ref(NamedTuple):
    """The name of anything on a platform; `id` is opaque outside its adapter."""

    platform: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read `platform:id`; raises ValueError when there is no colon."""
        platform, colon, name = text.partition(":")
        if not (platform and colon and name):
            raise ValueError(f"not a reference: {text!r}")
        return cls(platform, name)

    def is_of(self, space: Ref) -> bool:
        """Say whether a channel is of a space: it is named by it, or is that space itself."""
        return self == space or (self.platform == space.platform and self.id.startswith(f"{space.id}/"))


class Audience(StrEnum):
    """Who may read a channel. Resolved to readers at query time, never stored as a list of them."""

    EVERYONE = "everyone"
    MEMBERS = "members"
    DIRECT = "direct"


class Rank(IntEnum):
    """What a member may do here, as the platform says at the moment of asking."""

    MEMBER = 0
    STAFF = 1
    OWNER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """A community; nothing crosses from one to another."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A Discord or Slack channel, a Telegram group or forum topic."""

    id: int
    ref: Ref
    name: str
    description: str = ""
    audience: Audience = Audience.EVERYONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One account in one community. A `guest` reads only the channels that they are in, open ones too."""

    id: int
    ref: Ref
    name: str
    person: int
    language: str = ""
    guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One stored message; its audience is the audience of its channel.

    What was said `to_bot` is no talk of its channel: who asks there for knitters does not make it one for knitting.
    """

    id: int
    ref: Ref
    channel: int
    author: int
    text: str
    sent_at: datetime
    thread: int | None = None
    to_bot: bool = False


def point_id(community: int, message: Ref) -> UUID:
    """Name a message's point: UUIDv5 of community and reference, the same after every import and reindex."""
    return uuid5(POINTS, f"{community}/{message}")
