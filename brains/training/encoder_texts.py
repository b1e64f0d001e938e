"""What an encoder learns from: a community's messages in time order, and the pairs of texts that belong together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.knowledge.asking import is_question
from brains.training import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from brains.training.rows import Row

LATEST = 50_000
"""Messages read at most, the newest: more than an hour of learning sees, and a bound for memory."""
TELLING = 20
"""Characters below which a text says too little to be learned from or judged by."""
SOON = 3600.0
"""Seconds within which the next words of somebody else in a thread count as said to the ones before."""
FEWEST = 200
"""Messages that tell something below which there is nothing to learn from and to judge by."""
PARTS = (0.8, 0.9)
"""Where the messages, in time order, are cut: to learn from, to stop by, to judge by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message: names are whatever its source calls things, `at` is in seconds since the epoch."""

    id: str
    channel: str
    thread: str
    author: str
    text: str
    at: float
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A community's messages in time order, and what its channels are said to be about, by name."""

    said: Sequence[Said]
    cards: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two texts of a channel that belong together; one that is `asked` is a question with its answer."""

    one: str
    other: str
    channel: str
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The messages by time: to learn from, to stop by, to judge by."""

    learned: Sequence[Said]
    watched: Sequence[Said]
    judged: Sequence[Said]


def read_file(path: Path) -> Telling:
    """Read history in the interchange format; robots are left out. Raises Mistake."""
    read = (_said(row) for row in rows.rows(path) if not row.values.get("bot"))
    return telling(read, {})


def telling(said: Iterable[Said], cards: Mapping[str, str]) -> Telling:
    """Order messages by time, keep the newest that tell something, and refuse too few. Raises Mistake."""
    kept = sorted((one for one in said if len(one.text.strip()) >= TELLING), key=lambda one: one.at)[-LATEST:]
    channels = {one.channel for one in kept}
    if len(kept) < FEWEST or len(channels) < 2:  # noqa: PLR2004 - one alone tells nothing apart
        raise Mistake(
            f"There are {len(kept)} messages of {TELLING} characters or more in {len(channels)} channels to learn "
            f"from; an encoder needs at least {FEWEST} in two. The base encoder serves smaller communities well."
        )
    return Telling(said=kept, cards={name: text for name, text in cards.items() if name in channels and text})


def cut(said: Sequence[Said]) -> Slices:
    """Cut messages (n, in time order) in three, none of which has seen what comes after it."""
    first, second = (int(len(said) * part) for part in PARTS)
    return Slices(learned=said[:first], watched=said[first:second], judged=said[second:])


def answered(said: Sequence[Said]) -> list[tuple[Said, Said]]:
    """Find questions with what answers them: the reply, else the next words of somebody else in the thread."""
    known = {one.id: one for one in said if one.id}
    replies = [(known[one.reply_to], one) for one in said if one.reply_to in known]
    found = [(asked, reply) for asked, reply in replies if asked.author != reply.author and is_question(asked.text)]
    taken = {asked.id for asked, _ in found}
    return found + [(one, other) for one, other in _turns(said) if is_question(one.text) and one.id not in taken]


class Supply:
    """Draws pairs from messages: half of a channel (two messages of it, or one with its card), half of a conversation.

    Of the latter half are questions with their answers, where there are that many, the rest neighbours. Channels are
    drawn by the root of their size, so that a few large ones are not all that is learned.
    """

    def __init__(self, told: Telling, said: Sequence[Said], *, seed: int) -> None:
        by_channel: dict[str, list[Said]] = defaultdict(list)
        for one in said:
            by_channel[one.channel].append(one)
        self._rooms = [there for there in by_channel.values() if len(there) > 1]
        weights = np.sqrt([len(there) for there in self._rooms])
        self._shares = weights / weights.sum()
        self._cards = told.cards
        self._turns = [Pair(one=one.text, other=other.text, channel=one.channel) for one, other in _turns(said)]
        self._asked = [
            Pair(one=one.text, other=other.text, channel=one.channel, asked=True) for one, other in answered(said)
        ]
        self._random = np.random.default_rng(seed)

    def draw(self, count: int) -> list[Pair]:
        """Draw so many pairs, in no order."""
        asked = self._some(self._asked, min(count // 4, 4 * len(self._asked)))
        turns = self._some(self._turns, count // 2 - len(asked))
        every = [*asked, *turns, *self._of_channels(count - len(asked) - len(turns))]
        return [every[at] for at in self._random.permutation(len(every))]

    def _of_channels(self, count: int) -> list[Pair]:
        if not self._rooms:
            return []
        return [self._of(self._rooms[at]) for at in self._random.choice(len(self._rooms), count, p=self._shares)]

    def _of(self, there: Sequence[Said]) -> Pair:
        first, second = (there[at] for at in self._random.choice(len(there), 2, replace=False))
        card = self._cards.get(first.channel)
        other = card if card and self._random.random() < 0.5 else second.text  # noqa: PLR2004 - half of them
        return Pair(one=first.text, other=other, channel=first.channel)

    def _some(self, there: Sequence[Pair], count: int) -> list[Pair]:
        return [there[at] for at in self._random.integers(0, len(there), count)] if there else []


def _turns(said: Sequence[Said]) -> list[tuple[Said, Said]]:
    """Pair each message with the next one of its thread, where somebody else says it soon."""
    last: dict[str, Said] = {}
    found = []
    for one in said:
        before = last.get(_thread(one))
        if before is not None and before.author != one.author and one.at - before.at <= SOON:
            found.append((before, one))
        last[_thread(one)] = one
    return found


def _thread(one: Said) -> str:
    return f"{one.channel}/{one.thread}"


def _said(row: Row) -> Said:
    return Said(
        id=row.text("id", default=""),
        channel=row.text("channel"),
        thread=row.text("topic", default=row.text("thread", default="")),
        author=f"file/{row.text('user')}",  # no number of a member's
        text=row.text("text", default=""),
        at=row.moment("ts"),
        reply_to=row.text("reply_to", default=""),
    )
