"""Who belongs where, from what is stored: profiles as fresh as the messages, audience and consent in every query."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import NotAllowed
from bot.core.i18n import _
from brains.matching.corpus import Card, Corpus
from brains.matching.evidence import pick_evidence
from brains.matching.matching import match_member, match_text
from brains.matching.profiles import ChannelProfiles, build_profiles
from brains.matching.reasons import Kind, explain, say
from brains.matching.storing import from_bytes, to_bytes
from brains.matching.terms import as_written
from storage import channels, encodings, feedback, members, messages, outbox, profiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from uuid import UUID

    from bot.core.clock import Clock
    from bot.core.i18n import Translate
    from bot.core.ports import Encoder, Page, Scope, Vector, VectorStore
    from bot.core.things import Channel, Community, Member, Message
    from brains.matching.suggestion import Suggestion
    from storage.db import Database

AT_ONCE = 256
"""Texts encoded together."""
CANDIDATES = 24
"""Messages of a channel looked at as evidence."""
NOBODY = -1
"""Id and author of a text that was asked and never posted."""
WORTH_OFFERING = 0.8
"""Log-odds that a member's own words must add beside the average channel: they make it 2.2 times as likely. Chosen
by reading: of the sample's members it keeps the right channels that `tests/story` names."""
GROWTH = 0.05
"""Share by which a community may grow before even fresh profiles are learned anew: a first start grows from nothing."""
VOICES = 3
"""The asker's own messages that evidence is sought for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A channel offered to somebody: reasons in words, and pairs of their message and the channel's as evidence.

    A `guess` has nothing to go by, and says so.
    """

    channel: Channel
    score: float
    reasons: tuple[str, ...]
    evidence: tuple[tuple[Message, ...], ...]
    guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A community as matching sees it: its public channels that the bot reads, and nobody who withheld consent."""

    scope: Scope
    rooms: dict[int, Channel]
    profiles: ChannelProfiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchmaker:
    """Matches within one database and its vectors, speaking one language.

    A running bot does with channel profiles that are `fresh_for` a while, so that not every message is a reason to
    learn them anew. Consent, channels, their audiences and much growth hold at once, always.
    """

    database: Database
    vectors: VectorStore
    encoder: Encoder
    clock: Clock
    translate: Translate
    fresh_for: timedelta = timedelta(0)

    async def for_member(self, community: Community, member: Member, *, k: int) -> list[Offer]:
        """Offer channels that a member neither joined nor declined, from their public messages. Raises NotAllowed."""
        async with self.database.read() as connection:
            withheld = await members.withheld(connection, community)
        if member.id in withheld:
            raise NotAllowed(
                _("{member} has not agreed to be collected, so there is nothing to match. Only they can change it."),
                member=member.name,
            )
        joined = await self.settled(community, member)
        known = await self._know(community)
        if known is None:
            return []
        own = await self._read(replace(known.scope, authors=await self._accounts(community, member)))
        found = match_member(known.profiles, own, joined=joined, now=self._now(), habits=False, k=k, floor=0)
        # Where there are few channels, the average is hardly anything but the channel itself.
        needed = min(WORTH_OFFERING, np.log(max(2, len(known.rooms.keys() - joined))) / 2)
        told = [suggestion for suggestion in found if suggestion.parts.content >= needed]
        return [await self._offer(known, suggestion, own) for suggestion in told]

    async def for_newcomer(self, community: Community, member: Member, *, k: int) -> list[Offer]:
        """Offer the channels that newcomers find first, to somebody who has said nothing yet."""
        joined = await self.settled(community, member)
        known = await self._know(community)
        if known is None:
            return []
        nothing = _corpus([], [], self.encoder.size)
        found = match_member(known.profiles, nothing, joined=joined, now=self._now(), k=k, floor=0)
        return [await self._offer(known, suggestion, nothing) for suggestion in found]

    async def settled(self, community: Community, member: Member) -> frozenset[int]:
        """Return the channels that need not be offered: those that a human is in, by any account, or declined."""
        async with self.database.read() as connection:
            accounts = await members.alike(connection, community, member)
            joined = await members.joined(connection, *accounts)
            said = await feedback.of(connection, *accounts)
        return joined | {channel for channel, opinion in said.items() if opinion == feedback.DECLINED}

    async def _accounts(self, community: Community, member: Member) -> frozenset[int]:
        async with self.database.read() as connection:
            return await members.alike(connection, community, member)

    async def for_texts(
        self, community: Community, texts: Sequence[str], *, k: int, without: frozenset[int] = frozenset()
    ) -> AsyncIterator[list[Offer]]:
        """Offer channels for each text in turn, as to somebody who wrote nothing else, and none of `without`.

        What is asked is kept nowhere.
        """
        known = await self._know(community)
        if known is None:
            for _ in texts:
                yield []
            return
        for start in range(0, len(texts), AT_ONCE):
            some = texts[start : start + AT_ONCE]
            for text, vector in zip(some, await self.encoder.encode(some), strict=True):
                yield await self._for_text(known, text, vector, k=k, without=without)

    async def for_text(
        self, community: Community, text: str, vector: Vector, *, k: int, without: frozenset[int] = frozenset()
    ) -> list[Offer]:
        """Offer channels for one text whose vector is there already."""
        known = await self._know(community)
        return await self._for_text(known, text, vector, k=k, without=without) if known else []

    async def _for_text(
        self, known: _Known, text: str, vector: Vector, *, k: int, without: frozenset[int]
    ) -> list[Offer]:
        if not text.strip():
            return []
        allowed = known.rooms.keys() - without
        found = match_text(known.profiles, vector=vector, text=text, allowed=allowed, k=k)
        asked = _asked(text, vector, self._now())
        return [await self._offer(known, suggestion, asked) for suggestion in found]

    async def _know(self, community: Community) -> _Known | None:
        """Load the channel profiles of exactly this state of the community, or learn them; None without a channel."""
        async with self.database.read() as connection:
            reach = await channels.reach(connection, community, None)
            state = await messages.state(connection, community.id)
            waiting = await outbox.count(connection)
            doubles = await members.doubles(connection, community)
        scope, rooms = reach.scope, dict(reach.channels)
        held = await self.vectors.count(scope)
        if not rooms:
            return None
        grown = round(np.log1p(held) / np.log1p(GROWTH))
        lasting = _digest(sorted(scope.not_authors), sorted(rooms.items()), sorted(doubles.items()), grown)
        version = f"{_digest(state, waiting, held)} {lasting}"
        learn = functools.partial(self._learn, scope, rooms, doubles)
        return _Known(scope=scope, rooms=rooms, profiles=await self._profiles(scope, learn, version))

    async def _profiles(
        self, scope: Scope, learn: Callable[[], Awaitable[ChannelProfiles]], version: str
    ) -> ChannelProfiles:
        """Return the profiles of this version; or, while they are fresh, of one that differs in messages alone."""
        fingerprint = self.encoder.fingerprint
        async with self.database.read() as connection:
            kept = await profiles.load(
                connection,
                scope.community,
                fingerprint=fingerprint,
                version=version,
                ending=version.partition(" ")[2],
                since=self.clock.now() - self.fresh_for,
            )
        if kept is not None:
            try:
                return from_bytes(kept)
            except ValueError:
                pass  # an older format: learned anew below
        learned = await learn()
        save = functools.partial(
            profiles.save,
            community=scope.community,
            fingerprint=fingerprint,
            version=version,
            data=to_bytes(learned),
            now=self.clock.now(),
        )
        await self.database.write(save)
        return learned

    async def _learn(self, scope: Scope, rooms: dict[int, Channel], doubles: dict[int, int]) -> ChannelProfiles:
        """Learn profiles; the accounts of one human are one member to them."""
        cards = [Card(id=room.id, name=room.name, description=room.description) for room in rooms.values()]
        placed = await self.encoder.encode([card.text for card in cards])
        told = {card.text: vector for card, vector in zip(cards, placed, strict=True)}
        keep = functools.partial(encodings.keep, fingerprint=self.encoder.fingerprint, vectors=told)
        await self.database.write(keep, durable=False)
        cards = [replace(card, vector=vector) for card, vector in zip(cards, placed, strict=True)]
        corpus = await self._read(scope)
        authors = np.array([doubles.get(number, number) for number in corpus.authors.tolist()], dtype=np.int64)
        corpus = replace(corpus, authors=authors)
        return await asyncio.to_thread(build_profiles, corpus, cards, encoder=self.encoder.fingerprint, now=self._now())

    async def _read(self, scope: Scope) -> Corpus:
        """Read every message in scope with its vector."""
        async with self.database.read() as connection:
            known = await messages.all_of(connection, scope)
        pages, after = [], None
        while True:
            page = await self.vectors.scroll(scope, after=after)
            pages.append(page)
            after = page.after
            if after is None:
                break
        kept = [(known[point], vector) for page in pages for point, vector in _rows(page) if point in known]
        return _corpus([message for message, _ in kept], [vector for _, vector in kept], self.encoder.size)

    async def _offer(self, known: _Known, suggestion: Suggestion, own: Corpus) -> Offer:
        reasons = explain(suggestion)
        written = as_written((term for reason in reasons for term in reason.terms), own.texts)
        told = (replace(reason, terms=tuple(written[term] for term in reason.terms)) for reason in reasons)
        return Offer(
            channel=known.rooms[suggestion.channel],
            score=suggestion.score,
            reasons=tuple(say(reason, self.translate) for reason in told),
            evidence=await self._evidence(known, suggestion, own),
            guess=reasons[0].kind is Kind.LITTLE,
        )

    async def _evidence(self, known: _Known, suggestion: Suggestion, own: Corpus) -> tuple[tuple[Message, ...], ...]:
        """Find pairs of what the asker said and what was said in the channel, both of which the asker may read."""
        voices = _voices(own, suggestion)
        if not len(voices):
            return ()
        scope = replace(
            known.scope,
            channels=frozenset({suggestion.channel}),
            not_authors=known.scope.not_authors | frozenset(int(author) for author in own.authors),
        )
        hits = {
            hit.id
            for text, vector in zip(voices.texts, voices.vectors, strict=True)
            for hit in await self.vectors.search(scope, vector=vector, text=text, limit=CANDIDATES)
        }
        async with self.database.read() as connection:
            theirs = await messages.by_point(connection, scope, sorted(hits))
            mine = await messages.by_number(connection, known.scope, [int(number) for number in voices.ids])
        candidates = await self._candidates(theirs)
        said = {message.id: message for message in theirs.values()}
        pairs = pick_evidence(known.profiles, voices, candidates)
        return tuple(
            tuple(message for message in (mine.get(pair.own), said.get(pair.theirs)) if message) for pair in pairs
        )

    async def _candidates(self, found: dict[UUID, Message]) -> Corpus:
        """Give candidates their vectors, which the index kept; here nothing is: a message may just be erased."""
        messages_found = list(found.values())
        vectors = await self.encoder.encode([message.text for message in messages_found])
        return _corpus(messages_found, list(vectors), self.encoder.size)

    def _now(self) -> float:
        return self.clock.now().timestamp()


def _rows(page: Page) -> Iterable[tuple[UUID, Vector]]:
    return zip(page.ids, page.vectors, strict=True)


def _corpus(found: Sequence[Message], vectors: Sequence[Vector], size: int) -> Corpus:
    return Corpus(
        ids=np.array([message.id for message in found], dtype=np.int64),
        texts=[message.text for message in found],
        vectors=np.array(vectors, dtype=np.float32).reshape(len(found), size),
        channels=np.array([message.channel for message in found], dtype=np.int64),
        authors=np.array([message.author for message in found], dtype=np.int64),
        times=np.array([message.sent_at.timestamp() for message in found], dtype=np.float64),
    )


def _asked(text: str, vector: Vector, now: float) -> Corpus:
    """Make a corpus of one text that nobody has posted: its id and author are no member's."""
    nobody = np.array([NOBODY], dtype=np.int64)
    return Corpus(
        ids=nobody, texts=[text], vectors=vector[None, :], channels=nobody, authors=nobody, times=np.array([now])
    )


def _voices(own: Corpus, suggestion: Suggestion) -> Corpus:
    """Choose whose words evidence is sought for: the messages that drove the suggestion, or the text that was asked."""
    if not suggestion.messages:
        return own.where(own.ids == NOBODY)
    return own.where(np.isin(own.ids, suggestion.messages[:VOICES]))


def _digest(*parts: object) -> str:
    """Name what profiles depend on: messages and their vectors; consent, channels and their descriptions."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
