"""Finds what to show beside a suggestion: pairs of what the asker said and what is said there, read as it is now."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.corpus import unit
from brains.matching.evidence import pick_evidence
from brains.matching.learning import corpus_of
from brains.matching.reasons import PEOPLE
from storage import company, encodings, messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from bot.core.ports import Encoder, Scope, VectorStore
    from bot.core.things import Message
    from brains.matching.corpus import Corpus
    from brains.matching.profiles import ChannelProfiles
    from brains.matching.suggestion import Suggestion
    from storage.commons import Common
    from storage.company import Companion
    from storage.connection import Connection
    from storage.db import Database
    from storage.encodings import Half

CANDIDATES = 10
"""Messages of a channel looked at as evidence."""
VOICES = 3
"""The asker's own messages that evidence is sought for."""
NOBODY = -1
"""Id and author of a text that was asked and never posted."""

ACQUAINTED = 4
"""People one talks with that are looked for in a channel, the closest."""

Pair = tuple["Message", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown beside a suggestion: pairs of messages, and people there with whom the asker talks."""

    pairs: tuple[Pair, ...]
    people: tuple[Companion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoting:
    """Quotes from one database and its vectors."""

    database: Database
    vectors: VectorStore
    encoder: Encoder

    async def beside(
        self,
        profiles: ChannelProfiles,
        common: Common,
        suggestions: Sequence[Suggestion],
        *,
        own: Corpus,
        said: Mapping[int, Message],
    ) -> list[Shown]:
        """Return for each suggestion what everyone may read: pairs, or single messages where the asker wrote nothing.

        One search a suggestion and one look for all of them: time is short, and the first pair is what is read.
        """
        voices = [_voices(own, one) for one in suggestions]
        mine = frozenset(int(author) for author in own.authors)
        others = replace(common.scope, not_authors=common.scope.not_authors | mine)
        searches = [self._search(others, one, voice) for one, voice in zip(suggestions, voices, strict=True)]
        found = await asyncio.gather(*searches)
        look = functools.partial(
            _quotes,
            common=common,
            scope=replace(others, channels=frozenset(one.channel for one in suggestions)),
            points=sorted({point for some in found for point in some}),
            people={one.channel: one.people[:ACQUAINTED] for one in suggestions if one.people},
            fingerprint=self.encoder.fingerprint,
        )
        quotes = await self.database.look(look)
        pairs = await asyncio.to_thread(_choose, profiles, voices, found, quotes)
        told = {message.id: message for message in quotes.messages.values()}
        return [
            Shown(
                pairs=tuple(
                    tuple(message for message in (said.get(one), told.get(other)) if message is not None)
                    for one, other in some
                ),
                people=tuple(quotes.people.get(suggestion.channel, ())),
            )
            for suggestion, some in zip(suggestions, pairs, strict=True)
        ]

    async def _search(self, scope: Scope, suggestion: Suggestion, voices: Corpus) -> list[UUID]:
        """Find what is said in a channel near all voices at once, by meaning and by the words they share with it."""
        if not len(voices):
            return []
        there = replace(scope, channels=frozenset({suggestion.channel}))
        middle = unit(voices.vectors.sum(axis=0))
        words = " ".join(shared.term for shared in suggestion.terms) or None
        return [hit.id for hit in await self.vectors.search(there, vector=middle, text=words, limit=CANDIDATES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quotes:
    """Messages by their points with the vectors that are kept of them, by text; people by channel."""

    messages: Mapping[UUID, Message]
    vectors: Mapping[str, Half]
    people: Mapping[int, Sequence[Companion]]


async def _quotes(
    connection: Connection,
    *,
    common: Common,
    scope: Scope,
    points: Sequence[UUID],
    people: Mapping[int, Sequence[int]],
    fingerprint: str,
) -> _Quotes:
    """Read messages and people as they are now; here nothing is kept."""
    found = await messages.by_point(connection, scope, points)
    texts = [message.text for message in found.values()]
    return _Quotes(
        messages=found,
        vectors=await encodings.kept(connection, fingerprint=fingerprint, texts=texts),
        people=await company.of(connection, common, people, most=PEOPLE) if people else {},
    )


def _choose(
    profiles: ChannelProfiles, voices: Sequence[Corpus], found: Sequence[Sequence[UUID]], quotes: _Quotes
) -> list[tuple[tuple[int, int], ...]]:
    """Choose the pairs for each suggestion, as numbers of messages."""
    chosen: list[tuple[tuple[int, int], ...]] = []
    for voice, points in zip(voices, found, strict=True):
        there = [quotes.messages[point] for point in sorted(points) if point in quotes.messages]
        there = [message for message in there if not message.to_bot and message.text in quotes.vectors]
        candidates = corpus_of(there, [quotes.vectors[message.text] for message in there], voice.vectors.shape[1])
        pairs = pick_evidence(profiles, voice, candidates) if there and len(voice) else []
        chosen.append(tuple((pair.own, pair.theirs) for pair in pairs))
    return chosen


def _voices(own: Corpus, suggestion: Suggestion) -> Corpus:
    """Choose whose words evidence is sought for: the messages that drove the suggestion, or the text that was asked."""
    if not suggestion.messages:
        return own.where(own.ids == NOBODY)
    return own.where(np.isin(own.ids, suggestion.messages[:VOICES]))
