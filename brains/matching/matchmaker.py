"""Who belongs where, from what is stored: profiles as fresh as the messages, audience and consent in every query."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import NotAllowed, Unavailable
from bot.core.i18n import _
from bot.core.ports import untuned
from brains.matching import offering
from brains.matching.aversion import sunk
from brains.matching.behaviour import Stated
from brains.matching.corpus import Corpus
from brains.matching.learning import Learning, corpus_of, encoded_ever
from brains.matching.matching import match_member, match_text
from brains.matching.quoting import NOBODY, Quoting, Shown
from brains.matching.reasons import Kind, Reason, explain, say
from brains.matching.shelf import Shelf
from brains.matching.terms import as_written
from storage import profiles
from storage.askers import read_asker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.i18n import Translate
    from bot.core.ports import Embedding, Encoder, Vector, VectorStore
    from bot.core.things import Channel, Community, Member, Message
    from brains.matching.profiles import ChannelProfiles
    from brains.matching.suggestion import Suggestion
    from storage.askers import Asker
    from storage.commons import Common
    from storage.connection import Connection
    from storage.db import Database
    from storage.profiles import Label

AT_ONCE = 256
"""Texts encoded together."""
REASONS = 3
"""Reasons told with an offer, the strongest first."""
LOOKED_BY = 3
"""Of the interests that somebody named, the newest that offers go by."""
DEEPER = 3
"""So many times as many suggestions are looked at as are offered: others take the place of what sinks."""
PATIENT = 3
"""How often a channel is offered to somebody who never answers before others go first."""
FADE = 0.5
"""What each offer from then on leaves of its score and share, while it is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A channel offered to somebody: reasons in words, and pairs of their message and the channel's as evidence.

    A `guess` has nothing to go by, and says so. The `score` of what is offered `to_member`, by all that is known of
    them, is how likely they come to use it within three months; of what is offered for a text, how sure it belongs.
    """

    channel: Channel
    score: float
    reasons: tuple[str, ...]
    evidence: tuple[tuple[Message, ...], ...]
    guess: bool = False
    to_member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A community as matching sees it: its public channels that the bot reads, and nobody who withheld consent."""

    common: Common
    profiles: ChannelProfiles

    @property
    def rooms(self) -> Mapping[int, Channel]:
        """Return the channels by number."""
        return self.common.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the tables say at one moment: what everyone may read, who asks, what the profiles there are called."""

    common: Common
    asker: Asker | None
    label: Label | None
    encoded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchmaker:
    """Matches within one database and its vectors, speaking one language.

    What was learned is held on the `shelf`, which all matchmakers of a process share. Consent, channels and their
    audiences are read with every question. `tuned` gives the encoder and the vectors that a community adopted.
    """

    database: Database
    vectors: VectorStore
    encoder: Encoder
    clock: Clock
    translate: Translate
    shelf: Shelf = field(default_factory=Shelf)
    tuned: Callable[[Community], Awaitable[Embedding | None]] = untuned

    async def for_member(self, community: Community, member: Member, *, k: int) -> list[Offer]:
        """Offer channels that a member neither joined nor declined, from their public messages. Raises NotAllowed."""
        if (by := await self._by(community)) is not self:
            return await by.for_member(community, member, k=k)
        seen = await self._see(community, member)
        asker = seen.asker
        assert asker is not None  # noqa: S101 - somebody asks
        if member.id in seen.common.scope.not_authors:
            raise NotAllowed(
                _("{member} has not agreed to be collected, so there is nothing to match. Only they can change it."),
                member=member.name,
            )
        known = await self._know(community, seen)
        if known is None:
            return []
        own = self._own(asker)
        needed = offering.needed(len(known.rooms.keys() - asker.settled))
        told = await self._match(known, own, asker, k=_looked(k, asker), needed=needed)
        said = {message.id: message for message in asker.said}
        found = self._sunk(known, told, asker, cost=known.profiles.ranker.variety)
        seats = offering.places([one.channel for one in found], k, known.profiles.waiting)
        return await self._offers(known, [found[at] for at in seats], own, said)

    async def for_newcomer(self, community: Community, member: Member, *, k: int) -> list[Offer]:
        """Offer the channels that newcomers find first, to somebody who has said nothing yet."""
        if (by := await self._by(community)) is not self:
            return await by.for_newcomer(community, member, k=k)
        seen = await self._see(community, member, words=False)
        known = await self._know(community, seen)
        if known is None or seen.asker is None:
            return []
        nothing = corpus_of([], [], self.encoder.size)
        found = await self._match(known, nothing, seen.asker, k=_looked(k, seen.asker))
        return await self._offers(known, self._sunk(known, found, seen.asker)[:k], nothing, {})

    async def _match(
        self, known: _Known, own: Corpus, asker: Asker, *, k: int, needed: float | None = None
    ) -> list[Suggestion]:
        """Rank the channels that may be offered to whoever asks, by habits unless something of their own is needed."""
        match = functools.partial(
            match_member,
            known.profiles,
            own,
            joined=asker.joined,
            refused=asker.declined,
            member=min(asker.accounts, default=None),
            stated=await self._stated(asker),
            allowed=known.rooms.keys() - asker.settled,
            now=self._now(),
            habits=needed is None,
            k=k,
            floor=0,
            needed=-np.inf if needed is None else needed,
            waiting=frozenset() if needed is None else known.profiles.waiting,
        )
        return await asyncio.to_thread(match)

    async def _stated(self, asker: Asker) -> Stated:
        """Lay out what the asker said they like, the newest; it is encoded here, and the encoder remembers it."""
        told = asker.interests[:LOOKED_BY]
        if not told:
            return Stated()
        texts = [one.text for one in told]
        return Stated(
            members=np.array([min(asker.accounts)] * len(told), dtype=np.int64),
            texts=texts,
            vectors=await self.encoder.encode(texts),
            times=np.array([one.at.timestamp() for one in told], dtype=np.float64),
        )

    def _sunk(self, known: _Known, found: Sequence[Suggestion], asker: Asker, *, cost: float = 0.0) -> list[Suggestion]:
        """Let what is like a refused channel sink, and what was offered again and again without an answer.

        `cost` is what likeness to one further up costs, where they were spread out by it.
        """
        often = {one.channel: asker.unanswered[str(known.rooms[one.channel].ref)] - PATIENT + 1 for one in found}
        faded = {channel: FADE ** max(0, times) for channel, times in often.items()}
        return sunk(known.profiles, found, asker.declined, faded=faded, cost=cost)

    async def settled(self, community: Community, member: Member) -> frozenset[int]:
        """Return the channels that need not be offered: those that a human is in, by any account, or declined.

        Nor those on platforms where they have no account.
        """
        seen = await self._see(community, member, words=False)
        return seen.asker.settled if seen.asker else frozenset()

    async def refused(self, community: Community, member: Member) -> frozenset[int]:
        """Return the channels that a human declined, by any account."""
        seen = await self._see(community, member, words=False)
        return seen.asker.declined if seen.asker else frozenset()

    async def for_texts(
        self,
        community: Community,
        texts: Sequence[str],
        *,
        k: int,
        without: frozenset[int] = frozenset(),
        refused: frozenset[int] = frozenset(),
    ) -> AsyncIterator[list[Offer]]:
        """Offer channels for each text in turn, as to somebody who wrote nothing else, and none of `without`.

        Those like `refused` ones sink. What is asked is kept nowhere.
        """
        if (by := await self._by(community)) is not self:
            async for offers in by.for_texts(community, texts, k=k, without=without, refused=refused):
                yield offers
            return
        known = await self._know(community, await self._see(community))
        if known is None:
            for _ in texts:
                yield []
            return
        for start in range(0, len(texts), AT_ONCE):
            some = texts[start : start + AT_ONCE]
            for text, vector in zip(some, await self.encoder.encode(some), strict=True):
                yield await self._for_text(known, text, vector, k=k, without=without, refused=refused)

    async def for_text(
        self,
        community: Community,
        text: str,
        vector: Vector,
        *,
        k: int,
        without: frozenset[int] = frozenset(),
        refused: frozenset[int] = frozenset(),
    ) -> list[Offer]:
        """Offer channels for one text whose vector, by the encoder that serves everything, is there already."""
        if (by := await self._by(community)) is not self:
            [vector] = await by.encoder.encode([text])
            return await by.for_text(community, text, vector, k=k, without=without, refused=refused)
        known = await self._know(community, await self._see(community))
        return await self._for_text(known, text, vector, k=k, without=without, refused=refused) if known else []

    async def _for_text(
        self, known: _Known, text: str, vector: Vector, *, k: int, without: frozenset[int], refused: frozenset[int]
    ) -> list[Offer]:
        if not text.strip():
            return []
        allowed = known.rooms.keys() - without
        looked = k * DEEPER if refused else k
        match = functools.partial(match_text, known.profiles, vector=vector, text=text, allowed=allowed, k=looked)
        found = sunk(known.profiles, await asyncio.to_thread(match), refused)[:k]
        return await self._offers(known, found, _asked(text, vector, self._now()), {})

    async def _by(self, community: Community) -> Matchmaker:
        """Return the matchmaker that goes by what a community adopted: this one where that is nothing."""
        found = await self.tuned(community)
        return replace(self, vectors=found.vectors, encoder=found.encoder, tuned=untuned) if found else self

    async def _see(self, community: Community, member: Member | None = None, *, words: bool = True) -> _Seen:
        """Read in one look what everyone may read, who asks, and what was learned."""
        return await self.database.look(
            functools.partial(
                _see,
                shelf=self.shelf,
                community=community,
                member=member,
                fingerprint=self.encoder.fingerprint if words else "",
                now=self.clock.now(),
            )
        )

    async def _know(self, community: Community, seen: _Seen) -> _Known | None:
        """Return what was learned of exactly these channels and this consent; None without a channel."""
        if not seen.common.channels:
            return None
        learning = Learning(
            database=self.database, vectors=self.vectors, encoder=self.encoder, clock=self.clock, shelf=self.shelf
        )
        learned = await learning.serving(community, seen.common, seen.label, seen.encoded)
        common = seen.common
        if learned.label != seen.label:
            # Whoever waited for it may have done so while somebody withheld consent, or a channel was closed.
            common = await self.database.look(functools.partial(self.shelf.commons.of, community=community))
            if common.mark != learned.label.version:
                raise Unavailable("Channels or consent changed while I learned them; ask me again in a minute.")
        return _Known(common=common, profiles=learned.profiles)

    def _own(self, asker: Asker) -> Corpus:
        """Lay the asker's words side by side, as far as they were encoded."""
        kept = [message for message in asker.said if message.text in asker.vectors]
        return corpus_of(kept, [asker.vectors[message.text] for message in kept], self.encoder.size)

    async def _offers(
        self, known: _Known, suggestions: Sequence[Suggestion], own: Corpus, said: Mapping[int, Message]
    ) -> list[Offer]:
        if not suggestions:
            return []
        quoting = Quoting(database=self.database, vectors=self.vectors, encoder=self.encoder)
        shown = await quoting.beside(known.profiles, known.common, suggestions, own=own, said=said)
        return [self._offer(known, one, own, beside) for one, beside in zip(suggestions, shown, strict=True)]

    def _offer(self, known: _Known, suggestion: Suggestion, own: Corpus, shown: Shown) -> Offer:
        reasons = _named(explain(suggestion, limit=REASONS + 1), shown)[:REASONS] or explain(_bare(suggestion))
        written = as_written((term for reason in reasons for term in reason.terms), own.texts)
        told = [replace(reason, terms=tuple(written[term] for term in reason.terms)) for reason in reasons]
        there = [one.said for one in shown.people] if any(one.kind is Kind.TIES for one in reasons) else []
        quoted = {message.id for pair in shown.pairs for message in pair}
        return Offer(
            channel=known.rooms[suggestion.channel],
            score=suggestion.score,
            reasons=tuple(say(reason, self.translate) for reason in told),
            evidence=(*shown.pairs, *((message,) for message in there if message.id not in quoted)),
            guess=reasons[0].kind is Kind.LITTLE,
            to_member=NOBODY not in own.authors,
        )

    def _now(self) -> float:
        return self.clock.now().timestamp()


async def _see(
    connection: Connection,
    *,
    shelf: Shelf,
    community: Community,
    member: Member | None,
    fingerprint: str,
    now: datetime,
) -> _Seen:
    common = await shelf.commons.of(connection, community)
    asker = None
    if member is not None:
        asker = await read_asker(connection, community, member, common, fingerprint=fingerprint, now=now)
    return _Seen(
        common=common,
        asker=asker,
        label=await profiles.label(connection, community.id),
        encoded=await encoded_ever(connection),
    )


def _looked(k: int, asker: Asker) -> int:
    """Return how many suggestions to look at: more than are offered only where some may sink."""
    return k * DEEPER if asker.declined or asker.unanswered else k


def _named(reasons: Sequence[Reason], shown: Shown) -> tuple[Reason, ...]:
    """Put in the names of those whom the asker may see there; where there are none, nobody is spoken of."""
    names = tuple(one.name for one in shown.people)
    named = [replace(one, names=names) if one.kind is Kind.TIES else one for one in reasons]
    return tuple(one for one in named if one.names or one.kind is not Kind.TIES)


def _bare(suggestion: Suggestion) -> Suggestion:
    """Return a suggestion of which only people would speak, without them."""
    return replace(suggestion, people=())


def _asked(text: str, vector: Vector, now: float) -> Corpus:
    """Make a corpus of one text that nobody has posted: its id and author are no member's."""
    nobody = np.array([NOBODY], dtype=np.int64)
    return Corpus(
        ids=nobody, texts=[text], vectors=vector[None, :], channels=nobody, authors=nobody, times=np.array([now])
    )
