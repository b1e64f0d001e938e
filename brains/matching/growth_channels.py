"""Channels that could be one, and channels in which nothing is said any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.things import Channel
    from brains.matching.conversations import Conversations
    from brains.matching.corpus import Floats, Rows

QUIET = 90 * DAY
"""Seconds without a word after which a channel that was alive once may be put away."""
ALIVE, VOICES = 20, 3
"""Messages and people that a channel had at least, if it ever was alive."""
SMALL = 2.0
"""Conversations a week up to which a channel is small."""
HERE = 4
"""Conversations that a channel needs at least to say what it is about."""
LIKE = 0.8
"""How near the conversations of two channels must come to one another, beside how near they come to their own."""
SHARED = 0.5
"""Share of the people of the smaller channel who talk in the other one too."""
KEPT = frozenset(
    (
        *("announcement", "announcements", "news", "rules", "rule", "welcome", "introductions", "introduction", "info"),
        *("information", "faq", "readme", "start", "start-here", "new-members", "lobby", "general", "staff", "mods"),
        *("moderators", "admin", "admins", "log", "logs", "archive"),
        *("公告", "规则", "群规", "欢迎", "新人", "自我介绍", "管理", "通知", "须知"),
    )
)
"""Names of channels that are not there to be talked in, or that everybody counts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How much was ever said in a channel: by how many, and when last (seconds since the epoch)."""

    messages: int
    people: int
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two small channels about the same; the `smaller` may go over to the other. `shared` counts who talks in both."""

    smaller: int
    larger: int
    shared: int
    closeness: float


def is_kept(channel: Channel) -> bool:
    """Say whether a channel is for rules, news or newcomers by its name, and stays whatever is said in it."""
    name = channel.name.lower().lstrip("#")
    return name in KEPT or bool(set(name.replace("_", "-").split("-")) & KEPT)


def quiet(rooms: Sequence[Channel], lives: dict[int, Life], *, now: float) -> list[Channel]:
    """Return the channels that were alive and are silent now, the longest silent first."""
    silent = [
        one
        for one in rooms
        if (life := lives.get(one.id)) is not None
        and (life.messages, life.people) >= (ALIVE, VOICES)
        and life.people >= VOICES
        and now - life.last >= QUIET
        and not is_kept(one)
    ]
    return sorted(silent, key=lambda one: lives[one.id].last)


def pairs(talk: Conversations, similarity: Floats, rooms: Sequence[Channel]) -> list[Pair]:
    """Return the pairs of small channels that are about the same and have their people in common, the nearest first."""
    if not len(talk):
        return []
    weeks = max(1.0, float(np.ptp(talk.times)) / (7 * DAY))
    held = {one.id: np.flatnonzero(talk.channels == one.id) for one in rooms if not is_kept(one)}
    small = [(one, rows) for one, rows in held.items() if HERE <= len(rows) <= max(HERE, SMALL * weeks)]
    found = [
        pair
        for at, (one, mine) in enumerate(small)
        for other, theirs in small[at + 1 :]
        if (pair := _pair(talk, similarity, (one, mine), (other, theirs))) is not None
    ]
    return sorted(found, key=lambda pair: -pair.closeness)


def _pair(talk: Conversations, similarity: Floats, one: tuple[int, Rows], other: tuple[int, Rows]) -> Pair | None:
    (smaller, few), (larger, many) = sorted((one, other), key=lambda room: (len(room[1]), -room[0]))
    mine, theirs = (set(talk.corpus.authors[talk.messages(rows)].tolist()) for rows in (few, many))
    within = min(_among(similarity, few), _among(similarity, many))
    across = float(similarity[np.ix_(few, many)].mean())
    shared = len(mine & theirs)
    if within <= 0 or across < LIKE * within or shared < max(2, SHARED * len(mine)):
        return None
    return Pair(smaller=smaller, larger=larger, shared=shared, closeness=across / within)


def _among(similarity: Floats, rows: Rows) -> float:
    block = similarity[np.ix_(rows, rows)]
    return float((block.sum() - np.trace(block)) / (len(rows) * (len(rows) - 1)))
