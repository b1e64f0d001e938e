"""Makes digests: a span is read once for all who may read it, chosen from for each reader, and read again if cited."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.things import Audience, Ref
from brains.matching.circle import corpus
from brains.matching.people import NEWEST, draw
from brains.moderation.detection import Post
from brains.rhythm import choosing, lines, phrasing
from brains.rhythm.digest import Digest, Newcomer
from brains.rhythm.guard import OURSELVES, Guard
from brains.rhythm.span import Share, think
from brains.rhythm.titles import untitled
from storage import spans, talks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.ports import Encoder, Generator, Scope, Vector, VectorStore
    from bot.core.things import Community
    from brains.matching.centre import Centre
    from brains.matching.corpus import Floats
    from brains.moderation.moderator import Moderator
    from brains.rhythm.digest import Kind, Line
    from brains.rhythm.span import Room, Span
    from storage.channels import Reach
    from storage.connection import Connection
    from storage.db import Database
    from storage.spans import Mark

LINES, OTHERS = 8, 3
"""Conversations of a digest; decisions, questions and links, of each."""
NAMED = 8
"""Newcomers who are named, at most."""
LIMIT = 2_000
"""Letters of a digest's conversations: one message on the platform that allows least, links apart."""
HELD = 32
"""Spans that are held in memory, those used last."""
YEAR = timedelta(days=365)
"""How far back interests are read."""

Key = tuple[int, frozenset[int], "datetime", "datetime"]
Spanned = Callable[["Community", "Scope", "Centre | None"], Awaitable["Span"]]
"""Returns the span of a scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digester:
    """Digests of one database; one of these serves all readers, who share what it read of a span.

    What everyone may read is read once. Each channel that only its members read is a span of its own, so that what is
    said there weighs nothing for anybody else.
    """

    database: Database
    vectors: VectorStore
    encoder: Encoder
    moderator: Callable[[Community], Awaitable[Moderator]] | None = None
    _held: OrderedDict[Key, tuple[Mark, Span]] = field(default_factory=OrderedDict)
    _locks: dict[Key, asyncio.Lock] = field(default_factory=dict)

    async def look(
        self,
        community: Community,
        reach: Reach,
        *,
        since: datetime,
        until: datetime,
        channels: Collection[int] | None = None,
        accounts: Collection[int] = (),
        interests: Floats | None = None,
        most: int = LINES,
        generator: Generator | None = None,
        language: str = "en",
        once: bool = False,
    ) -> Digest:
        """Return what was worth knowing from `since` until before `until`, of what is within reach.

        Only of some `channels`, by their numbers. `accounts` are whose digest it is: weighed by what they said lately,
        and without questions of their own; `interests` (k, d), as the encoder makes them, stand in for what they said.
        With a `generator`, conversations are told in its words where it writes the reader's `language` and every
        sentence is supported by what was said; else in quotes, which stay as they were said. `once` says that nobody
        else asks for a digest of these very moments, so that nothing of it is held.
        """
        if community.id != reach.scope.community:
            raise ValueError("a reach into another community")
        wanted = frozenset(reach.channels if channels is None else reach.channels.keys() & set(channels))
        scope = replace(reach.scope, since=since, until=until)
        shares = await self._shares(community, reach, wanted, scope, self._read if once else self._span)
        if interests is None and accounts and shares:
            interests = await self._interests(reach.scope, accounts, shares[0].span.centre, until)
        make = functools.partial(_digest, since=since, until=until, interests=interests, most=most)
        found = await asyncio.to_thread(make, shares, reach, without=frozenset(accounts))
        stands = await self._standing(reach.scope, found, shares)
        moderator = await self.moderator(community) if self.moderator is not None else None
        guard = Guard(shares=shares, reach=reach, moderator=moderator, at=until)
        kept = await asyncio.to_thread(lambda: _kept(guard.passes(found), guard.sayable(stands)))
        if generator is None or language not in generator.languages or not kept.lines:
            return kept
        may_be_said = functools.partial(self._may_be_said, moderator, until)
        return await phrasing.phrase(kept, generator, self.encoder, language=language, may_be_said=may_be_said)

    async def _may_be_said(self, moderator: Moderator | None, at: datetime, text: str) -> bool:
        """Say whether moderation finds nothing in words that the generator wrote."""
        if moderator is None:
            return True
        [vector] = await self.encoder.encode([text])
        post = Post(text=text, author=OURSELVES, channel=OURSELVES, at=at, vector=vector)
        return await asyncio.to_thread(moderator.weigh, post) == "allow"

    def forget(self) -> None:
        """Forget what was read, as after somebody's words were erased."""
        self._held.clear()

    async def _interests(self, scope: Scope, accounts: Collection[int], centre: Centre, now: datetime) -> Floats:
        """Return what somebody likes (k, d), by what they said lately within their scope."""
        scope = replace(scope, authors=frozenset(accounts) - scope.not_authors, until=now)
        own = await self.database.look(functools.partial(talks.newest, scope=scope, limit=NEWEST, by="author"))
        if not own:
            return np.zeros((0, self.encoder.size), dtype=np.float32)
        placed = await self._vectors(replace(scope, since=max(own[-1].at, now - YEAR)))
        side = corpus([(one, placed[one.point]) for one in own if one.point in placed], self.encoder.size)
        portrait = await asyncio.to_thread(draw, 0, side, talks=frozenset(), centre=centre, now=now.timestamp())
        return portrait.raw

    async def _shares(
        self, community: Community, reach: Reach, wanted: frozenset[int], scope: Scope, spanned: Spanned
    ) -> list[Share]:
        """Return the spans that hold the channels wanted: one of what is open to all, one for each closed channel."""
        open_ = frozenset(number for number, one in reach.channels.items() if one.audience is Audience.EVERYONE)
        found = []
        centre = None
        if wanted & open_:
            span = await spanned(community, replace(scope, channels=open_), None)
            centre = span.centre
            found.append(Share(span=span, channels=wanted & open_))
        for one in sorted(wanted - open_):
            span = await spanned(community, replace(scope, channels=frozenset({one})), centre)
            found.append(Share(span=span, channels=frozenset({one})))
        return found

    async def _span(self, community: Community, scope: Scope, centre: Centre | None) -> Span:
        """Return a span as it is now: as it is held, or read anew where anything in it changed."""
        assert scope.channels is not None and scope.since and scope.until  # noqa: S101, PT018 - as `_shares` makes it
        key = (community.id, scope.channels, scope.since, scope.until)
        async with self._locks.setdefault(key, asyncio.Lock()):
            now = await self.database.look(functools.partial(spans.mark, scope=scope))
            before = self._held.get(key)
            if before is not None and before[0] == (now, scope.not_authors):
                self._held.move_to_end(key)
                return before[1]
            span = await self._read(community, scope, centre)
            self._held[key] = ((now, scope.not_authors), span)
            while len(self._held) > HELD:
                oldest, _span = self._held.popitem(last=False)
                self._locks.pop(oldest, None)
            return span

    async def _read(self, community: Community, scope: Scope, centre: Centre | None) -> Span:
        heard = await self.database.look(functools.partial(spans.read, community=community, scope=scope))
        vectors = await self._vectors(scope) if heard.said else {}
        return await asyncio.to_thread(think, heard, vectors, size=self.encoder.size, centre=centre)

    async def _vectors(self, scope: Scope) -> dict[UUID, Vector]:
        found: dict[UUID, Vector] = {}
        after = None
        while True:
            page = await self.vectors.scroll(scope, after=after)
            found.update(zip(page.ids, page.vectors, strict=True))
            after = page.after
            if after is None:
                return found

    async def _standing(self, scope: Scope, found: Digest, shares: Sequence[Share]) -> frozenset[Ref]:
        """Return which messages that a digest cites still read so, may be read, and are under no review."""
        known = {ref: said for ref in found.sources for share in shares for said in [share.span.cited.get(ref)] if said}
        points = [one.point for one, _at in known.values()]
        if not points:
            return frozenset()

        async def read(connection: Connection) -> frozenset[Ref]:
            now = await talks.by_points(connection, scope, points)
            review = await spans.under_review(connection, scope.community)
            return frozenset(
                one.ref for one in now.values() if known[one.ref][0].text == one.text and str(one.ref) not in review
            )

        return await self.database.look(read)


def _named(new: Collection[int], every: Sequence[Span], rooms: Collection[Room]) -> tuple[Newcomer, ...]:
    """Name newcomers, in the order of their names, each by what they said first in these channels."""
    names = {one: name for one in new for span in every if (name := span.heard.names.get(one))}
    some = sorted(names, key=lambda one: (names[one], one))[:NAMED]
    first = {
        one: min((room.first[one] for room in rooms if one in room.first), key=lambda said: said.at) for one in some
    }
    return tuple(Newcomer(name=names[one], source=first[one].ref) for one in some)


def _kept(found: Digest, stands: frozenset[Ref]) -> Digest:
    """Leave out every line of which a message does not stand; of a conversation, its title goes alone."""

    def kept(some: Sequence[Line]) -> tuple[Line, ...]:
        return tuple(one for one in some if stands.issuperset(one.sources))

    return replace(
        found,
        lines=kept([untitled(one) if one.heading and one.heading.source not in stands else one for one in found.lines]),
        questions=kept(found.questions),
        decisions=kept(found.decisions),
        links=kept(found.links),
        named=tuple(one for one in found.named if one.source in stands),
    )


def _digest(
    shares: Sequence[Share],
    reach: Reach,
    *,
    since: datetime,
    until: datetime,
    interests: Floats | None,
    most: int,
    without: frozenset[int],
) -> Digest:
    channels = frozenset().union(*(share.channels for share in shares))
    every = [share.span for share in shares]
    chosen = choosing.choose(every, channels=channels, interests=interests, most=most)
    told = lines.fit([lines.of_matter(span, one, score, reach.channels) for span, one, score in chosen], LIMIT)
    heard = {one: room for share in shares for one, room in share.span.rooms.items() if one in share.channels}
    authors = frozenset().union(*(room.authors for room in heard.values()))
    accused = frozenset[int]().union(*(span.heard.accused for span in every))
    new = ({one for span in every for one in span.heard.new} & authors) - accused
    doubles = frozenset().union(*(span.heard.doubles for span in every))
    quoted = {(quote.source, quote.text) for line in told for quote in line.said}
    quarters: Counter[datetime] = Counter()
    for room in () if without else heard.values():  # what is somebody's own has no picture
        quarters.update(room.quarters)

    def best(kind: Kind) -> tuple[Line, ...]:
        some = heapq.merge(
            *(lines.others(span, kind, reach.channels, channels) for span in every),
            key=lambda one: (-one.line.score, one.line.began),
        )
        fresh = (
            one.line
            for one in some
            if not (one.authors <= without and kind == "question")
            and (kind == "link" or not any((quote.source, quote.text) in quoted for quote in one.line.quotes))
        )
        return tuple(itertools.islice(fresh, OTHERS))

    return Digest(
        since=since,
        until=until,
        lines=tuple(told),
        questions=best("question"),
        decisions=best("decision"),
        links=best("link"),
        newcomers=len(new),
        named=_named(new - doubles, every, heard.values()),
        messages=sum(room.messages for room in heard.values()),
        people=len(authors),
        channels=tuple((reach.channels[one], heard[one].messages) for one in sorted(heard)),
        quarters=tuple(sorted(quarters.items())),
    )
