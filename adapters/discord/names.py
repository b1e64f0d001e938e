"""References of Discord and back: what stands in the id of a `discord:` reference.

A server `10`, a channel or thread `20`, a message `20/900`, a member `10/2`, a role `10/&5`, a date in the calendar
`10/@7`, an interaction `i/31/TOKEN`, and a message that one member alone sees `i/31/TOKEN/900`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bot.core.things import Ref

PLATFORM = "discord"
LONGEST_ID = 20
"""Digits of the largest number that names anything on Discord: 64 bits."""


class Unknown(Exception):
    """A reference that names nothing of the kind on Discord; the text says what."""


class Pair(NamedTuple):
    """A member and their server, a message and its channel: what is told apart only by both."""

    of: int
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An interaction and the token to answer it with, good for 15 minutes; `message` is one of the answers."""

    id: int
    token: str
    message: int = 0


def ref(*parts: object) -> Ref:
    """Name something by its parts."""
    return Ref(PLATFORM, "/".join(str(part) for part in parts))


def member(guild: int, user: int) -> Ref:
    """Name a member of a server."""
    return ref(guild, user)


def role(guild: int, number: int) -> Ref:
    """Name a role of a server."""
    return ref(guild, f"&{number}")


def number(wanted: Ref) -> int:
    """Return the number of a server, a channel or a thread. Raises Unknown."""
    return _number(_own(wanted), wanted)


def pair(wanted: Ref, sign: str = "") -> Pair:
    """Return both numbers of a message or a member; `&` is the sign of a role, `@` of a date. Raises Unknown."""
    of, slash, name = _own(wanted).partition("/")
    if not slash or not name.startswith(sign):
        raise Unknown(f"{_shown(wanted)} is nothing that Discord has")
    return Pair(_number(of, wanted), _number(name.removeprefix(sign), wanted))


def is_date(wanted: Ref) -> bool:
    """Say whether a reference names a date in the calendar."""
    return "/@" in wanted.id


def asked(wanted: Ref | None) -> Asked | None:
    """Return the interaction that a reference names, None for what is none."""
    parts = wanted.id.split("/") if wanted is not None and wanted.platform == PLATFORM else []
    if len(parts) not in {3, 4} or parts[0] != "i" or not all(_is_number(one) for one in (parts[1], *parts[3:])):
        return None
    return Asked(id=int(parts[1]), token=parts[2], message=int(parts[3]) if len(parts) > 3 else 0)  # noqa: PLR2004


def _own(wanted: Ref) -> str:
    if wanted.platform != PLATFORM:
        raise Unknown(f"{wanted} is not on Discord")
    return wanted.id


def _number(text: str, wanted: Ref) -> int:
    if not _is_number(text):
        raise Unknown(f"{_shown(wanted)} is nothing that Discord has")
    return int(text)


def _shown(wanted: Ref) -> str:
    """Return a reference as it may be read: of an interaction without its token, which lets whoever has it answer."""
    found = asked(wanted)
    return f"the interaction {found.id}" if found else str(wanted)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID
