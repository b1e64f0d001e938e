"""What an excitement is likely to come from: one member, newcomers, a link, a message that is answered, words. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from brains.matching import terms
from brains.rhythm.topics import log_odds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bot.core.things import Ref
    from storage.lately import Said

HALF = 0.5
"""Share of the messages, or of those who wrote them, from which on something is a cause."""
SOME = 0.2
"""Share of the messages that answer one message, or hold one link, from which on it is a cause."""
SEVERAL = 3
"""Members who must have used a word or a link before it is told: what is of one alone is not repeated."""
TELLING = 2.0
"""Standard errors by which a word must stand out."""
WORDS = 5
"""Words that are told at most."""

_LINK = re.compile(r"https?://[^\s<>|)\]\"']+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One likely cause: what it is, how many messages or members speak for it, and what it names."""

    kind: Literal["author", "newcomers", "link", "answers", "words"]
    count: int
    of: int
    author: int = 0
    text: str = ""
    message: Ref | None = None
    words: tuple[str, ...] = ()


def causes(said: Sequence[Said], before: Sequence[str], newcomers: Collection[int]) -> list[Cause]:
    """Return what is likely behind messages, the plainest first; `before` are texts of the usual talk."""
    found = [_author(said), _newcomers(said, newcomers), _link(said), _answers(said), _words(said, before)]
    return [one for one in found if one is not None]


def _author(said: Sequence[Said]) -> Cause | None:
    [(author, count)] = Counter(one.author for one in said).most_common(1)
    return Cause(kind="author", count=count, of=len(said), author=author) if count > HALF * len(said) else None


def _newcomers(said: Sequence[Said], newcomers: Collection[int]) -> Cause | None:
    people = {one.author for one in said}
    new = people & set(newcomers)
    if len(new) < SEVERAL or len(new) < HALF * len(people):
        return None
    return Cause(kind="newcomers", count=len(new), of=len(people))


def _link(said: Sequence[Said]) -> Cause | None:
    users: dict[str, set[int]] = {}
    counts: Counter[str] = Counter()
    for one in said:
        for link in {found.rstrip(".,;:!?") for found in _LINK.findall(one.text)}:
            users.setdefault(link, set()).add(one.author)
            counts[link] += 1
    for link, count in counts.most_common():
        if len(users[link]) >= SEVERAL and count >= SOME * len(said):
            return Cause(kind="link", count=count, of=len(said), text=link)
    return None


def _answers(said: Sequence[Said]) -> Cause | None:
    answered = Counter(one.reply_to for one in said if one.reply_to is not None)
    if not answered:
        return None
    [(message, count)] = answered.most_common(1)
    return Cause(kind="answers", count=count, of=len(said), message=message) if count >= SOME * len(said) else None


def _words(said: Sequence[Said], before: Sequence[str]) -> Cause | None:
    words = standing_out(said, before)
    return Cause(kind="words", count=len(said), of=len(said), words=words) if words else None


def standing_out(said: Sequence[Said], before: Sequence[str]) -> tuple[str, ...]:
    """Return the words that several members use now and that the usual talk has far less of, most telling first.

    Where little usual talk is known, a word tells that many messages hold and none before.
    """
    users: dict[str, set[int]] = {}
    now: Counter[str] = Counter()
    for one in said:
        for term in set(terms.words(one.text)):
            users.setdefault(term, set()).add(one.author)
            now[term] += 1
    usual = Counter(term for text in before for term in set(terms.words(text)))
    every = sorted(now | usual)
    counts = np.array([[now[term], usual[term]] for term in every], dtype=np.float64).reshape(-1, 2)
    scores = dict(zip(every, log_odds(counts[:, 0], counts[:, 1]).tolist(), strict=True))
    many = SOME * len(said)
    telling = [term for term in now if scores[term] >= TELLING or (now[term] >= many and not usual[term])]
    able = [term for term in telling if len(users[term]) >= SEVERAL]
    told = _apart(sorted(able, key=lambda term: (-scores[term], term)))[:WORDS]
    written = terms.as_written(told, (one.text for one in said))
    return tuple(written[term] for term in told)


def _apart(ranked: Iterable[str]) -> list[str]:
    """Leave out pairs of Chinese characters that overlap with one that tells more."""
    kept: list[str] = []
    for term in ranked:
        chained = any("\u3040" <= term[0] <= "\u9fff" and (term[0] == one[-1] or term[-1] == one[0]) for one in kept)
        if not chained:
            kept.append(term)
    return kept
