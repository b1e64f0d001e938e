"""Recognising a member in what is stored: by their reference, by those of their messages, by their words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHORTEST = 8
"""Characters that a text or a name needs to be recognised by: anybody may say "ok"."""
LONGEST = 40
"""Characters of a text that are looked for: whoever quotes it may have cut it short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What gives a member away. `quotes` are the beginnings of their texts and their name, by the first characters."""

    member: str
    messages: frozenset[str]
    quotes: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, *, member: str, messages: Iterable[str], words: Iterable[str]) -> Self:
        """Make probes of a member's reference, the references of their messages, and their name and texts."""
        quotes: dict[str, set[str]] = defaultdict(set)
        for text in map(fold, words):
            if len(text) >= SHORTEST:
                quotes[text[:SHORTEST]].add(text[:LONGEST])
        by_head = {head: tuple(sorted(some)) for head, some in quotes.items()}
        return cls(member=member, messages=frozenset(messages), quotes=by_head)

    def __or__(self, other: Self) -> Self:
        """Recognise by what either recognises by; both are of one member."""
        quotes = {
            head: tuple(sorted({*self.quotes.get(head, ()), *other.quotes.get(head, ())}))
            for head in self.quotes.keys() | other.quotes.keys()
        }
        return replace(self, messages=self.messages | other.messages, quotes=quotes)

    def names(self, document: str) -> bool:
        """Say whether a JSON document refers to the member or to a message of theirs."""
        return any(self._refers(text) for text in strings(document))

    def shows(self, document: str) -> bool:
        """Say whether a JSON document refers to the member or holds words of theirs."""
        return any(self._refers(text) or self._quotes(text) for text in strings(document))

    def _refers(self, text: str) -> bool:
        return any(part == self.member or part in self.messages for part in (text, *text.split(" ")))

    def _quotes(self, text: str) -> bool:
        folded = fold(text)
        return any(
            folded.startswith(self.quotes.get(folded[at : at + SHORTEST], ()), at)
            for at in range(len(folded) - SHORTEST + 1)
        )


def fold(text: str) -> str:
    """Return a text on one line, as it is quoted."""
    return " ".join(text.split())


def strings(document: str) -> Iterator[str]:
    """Give every text in a JSON document, keys included; what is no JSON is one text."""
    try:
        yield from _strings(orjson.loads(document))
    except orjson.JSONDecodeError:
        yield document


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            for name, one in value.items():
                yield name
                yield from _strings(one)
