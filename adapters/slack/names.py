"""References of Slack and back: what stands in the id of a `slack:` reference.

A workspace `T1`, a channel or a direct conversation `C1`, a message `C1/1700000000.000100` (a thread is named by its
first message), a member `U1`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from bot.core.things import Ref

PLATFORM = "slack"
_OWN = re.compile(r"[A-Z0-9]{2,40}", re.ASCII)
_TIMESTAMP = re.compile(r"\d{1,12}\.\d{1,9}", re.ASCII)


class Unknown(Exception):
    """A reference that names nothing of the kind on Slack; the text says what."""


class Message(NamedTuple):
    """A message's channel, and the timestamp that names it there."""

    channel: str
    ts: str


def is_own(told: object) -> bool:
    """Say whether something is an id as Slack gives them."""
    return isinstance(told, str) and _OWN.fullmatch(told) is not None


def ref(own: str) -> Ref:
    """Name a workspace, a channel or a member by Slack's own id."""
    return Ref(PLATFORM, own)


def message(channel: str, ts: str) -> Ref:
    """Name a message, or the thread that it began."""
    return Ref(PLATFORM, f"{channel}/{ts}")


def own(wanted: Ref) -> str:
    """Return Slack's own id of a workspace, a channel or a member. Raises Unknown."""
    if wanted.platform != PLATFORM or not _OWN.fullmatch(wanted.id):
        raise Unknown(f"{wanted} is nothing that Slack has")
    return wanted.id


def parts(wanted: Ref) -> Message:
    """Return the channel and the timestamp of a message. Raises Unknown."""
    channel, slash, ts = wanted.id.partition("/")
    if wanted.platform != PLATFORM or not slash or not _OWN.fullmatch(channel) or not _TIMESTAMP.fullmatch(ts):
        raise Unknown(f"{wanted} is no message of Slack")
    return Message(channel, ts)


def instant(ts: str) -> datetime:
    """Return when a timestamp was. Raises ValueError."""
    if not _TIMESTAMP.fullmatch(ts):
        raise ValueError(f"not a timestamp of Slack: {ts!r}")
    return datetime.fromtimestamp(float(ts), UTC)
