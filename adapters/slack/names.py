"""References of Slack and back: what stands in the id of a `slack:` reference.

A workspace `T1`, a channel or a direct conversation `C1`, a message `C1/1700000000.000100` (a thread is named by its
first message), a member `U1`, and what a member asked with `i/https://hooks.slack.com/...`, where answers to it go.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from bot.core.things import Ref

PLATFORM = "slack"
ASKED = "i/"
MICROSECONDS = 1_000_000
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


def check(own: str) -> str:
    """Return an id of Slack's, as it told it. Raises ValueError for what is none."""
    if not _OWN.fullmatch(own):
        raise ValueError(f"not an id of Slack: {own[:40]!r}")
    return own


def own(wanted: Ref) -> str:
    """Return Slack's own id of a workspace, a channel or a member. Raises Unknown."""
    if wanted.platform != PLATFORM or not _OWN.fullmatch(wanted.id):
        raise Unknown(f"{_shown(wanted)} is nothing that Slack has")
    return wanted.id


def parts(wanted: Ref) -> Message:
    """Return the channel and the timestamp of a message. Raises Unknown."""
    channel, slash, ts = wanted.id.partition("/")
    if wanted.platform != PLATFORM or not slash or not _OWN.fullmatch(channel) or not _TIMESTAMP.fullmatch(ts):
        raise Unknown(f"{_shown(wanted)} is no message of Slack")
    return Message(channel, ts)


def instant(ts: str) -> datetime:
    """Return when a timestamp was. Raises ValueError."""
    if not _TIMESTAMP.fullmatch(ts):
        raise ValueError(f"not a timestamp of Slack: {ts!r}")
    return datetime.fromtimestamp(float(ts), UTC)


def revision(ts: str) -> int:
    """Return a timestamp as a number that grows: microseconds since 1970. Raises ValueError."""
    if not _TIMESTAMP.fullmatch(ts):
        raise ValueError(f"not a timestamp of Slack: {ts!r}")
    seconds, _dot, rest = ts.partition(".")
    return int(seconds) * MICROSECONDS + int(rest.ljust(6, "0")[:6])


def invocation(address: str) -> Ref:
    """Name what a member asked with by the address that takes answers to it, for 30 minutes."""
    return Ref(PLATFORM, f"{ASKED}{address}")


def pressed(user: str, ts: str) -> Ref:
    """Name what a member asked by a button that no address for answers came with."""
    return Ref(PLATFORM, f"h/{user}/{ts[:40]}")


def address(wanted: Ref | None) -> str:
    """Return the address that takes answers to what a member asked, empty for anything else."""
    if wanted is None or wanted.platform != PLATFORM or not wanted.id.startswith(ASKED):
        return ""
    return wanted.id.removeprefix(ASKED)


def _shown(wanted: Ref) -> str:
    """Return a reference as it may be read: an address lets whoever has it answer."""
    return f"{wanted.platform}:{ASKED}…" if address(wanted) else str(wanted)
