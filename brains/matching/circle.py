"""Those who want to be introduced, as they are now: portraits kept for a while, and words read anew each time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.things import Audience
from brains.matching.centre import Centre
from brains.matching.corpus import Corpus
from brains.matching.people import CROWDED, NEWEST, SAMPLED, Crowd, Usual, draw, named, ranked, shared
from brains.matching.terms import substance, words
from storage import channels, interests, meetings, members, talks, wishes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.clock import Clock
    from bot.core.ports import Encoder, Scope, Vector, VectorStore
    from bot.core.things import Channel, Community, Member
    from brains.matching.corpus import Floats
    from brains.matching.people import Portrait
    from storage.connection import Connection
    from storage.db import Database
    from storage.interests import Interest
    from storage.meetings import Meeting
    from storage.talks import Said

FRESH = timedelta(minutes=15)
"""After which somebody is drawn anew; nothing that is shown rests on a portrait alone."""
REDRAWN = 40
"""Portraits that one question draws anew because they are old."""
YEAR = timedelta(days=365)
"""How far back portraits look."""
PAGES = 200
"""Pages of points read for portraits at once, a thousand points each."""
SAMPLE = 4
"""Pages of points, a thousand each, by which it is known what is usual in a community."""
LASTING = timedelta(days=1)
"""For how long what a sample says is usual is taken to be so; where it is small, no longer than a portrait."""
OF_LATE = timedelta(days=30)
"""For how long having been shown counts."""
WEEK = timedelta(days=7)
TERMS, ROOMS, EXAMPLES = 4, 2, 12
"""Shared words and channels that are told; messages among which an example is looked for."""
TELLING = 0.5
"""Substance from which a message is worth quoting: four different words."""
TOLD, AT_ONCE = 3, 300
"""Interests that somebody named which count, the newest; and those of all that one question encodes anew at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What two members have in common, as far as one of them may read: words, channels, something the other said.

    Where they are `told`, the terms are none that the reader wrote, but of interests that they told the bot; what the
    other told it is shown to nobody. `both_wrote` says whether each of them said anything that the reader may read.
    """

    member: Member
    terms: tuple[str, ...] = ()
    rooms: tuple[Channel, ...] = ()
    example: Said | None = None
    told: bool = False
    both_wrote: bool = True


@dataclass(slots=True)
class _Held:
    """A community as it was drawn: portraits with the moment of each, by person.

    What is usual is known since a moment, and portraits are drawn against it.
    """

    usual: Usual
    centre: Centre
    since: datetime
    portraits: dict[int, tuple[datetime, Portrait]] = field(default_factory=dict)
    present: dict[int, int] = field(default_factory=dict)
    crowd: Crowd | None = None

    def holds(self, moment: datetime) -> bool:
        """Say whether what is usual may still be taken to be so."""
        return moment < self.since + (LASTING if self.usual.messages >= SAMPLED else FRESH)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """What holds at this moment: who wants to be introduced, by person, and what everybody may read.

    `accounts` are those by which they said so, `humans` all that they have here: what bars one of these bars them.
    """

    scope: Scope
    accounts: Mapping[int, frozenset[int]]
    humans: Mapping[int, frozenset[int]]
    shut: frozenset[int]
    mine: frozenset[int]
    met: Sequence[Meeting]
    across: frozenset[int]
    busy: frozenset[int]
    attention: Mapping[int, meetings.Attention]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Suggests members to each other, of those alone who opted in."""

    database: Database
    vectors: Callable[[], Awaitable[VectorStore]]
    encoder: Callable[[], Awaitable[Encoder]]
    clock: Clock
    _held: dict[int, _Held] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def suggest(self, community: Community, asker: Member, *, text: str = "", k: int = 3) -> list[Common]:
        """Suggest up to `k` members to one who opted in, by what they wrote or by the interests that they name.

        Never one who withheld consent, was sanctioned, is a guest, knows the asker well already, was asked often this
        week, or with whom either of the two wants it not.
        """
        now = await self._now(community, asker)
        held = await self._draw(community, now, asker)
        vector = (await (await self.encoder()).encode([text]))[0] if text else None
        found = await asyncio.to_thread(self._ranked, held, now, asker, text, vector)
        raw = self._interest(held, asker, vector)
        chosen: list[Common] = []
        for person in found:
            if len(chosen) == k:
                break
            if one := await self._account(now, now.accounts[person], asker):
                chosen.append(await self.common(community, asker, one, text=text, toward=raw))
        return chosen

    async def common(
        self,
        community: Community,
        reader: Member,
        other: Member,
        *,
        text: str = "",
        toward: Floats | None = None,
    ) -> Common:
        """Return what two members have in common, from what is there now and the reader may read.

        `toward` (k, d) are vectors that an example should be near to; without, the reader's interests.
        """
        async with self.database.read() as connection:
            reach = await channels.reach(connection, community, reader, alone=True)
            mine = await members.alike(connection, community, reader)
            theirs = await _told_by(connection, community, other)
            public = {number for number, one in reach.channels.items() if one.audience is Audience.EVERYONE}
            scope = replace(reach.scope, channels=frozenset(public))
            own = [] if text else await talks.newest(connection, replace(scope, authors=mine), NEWEST)
            said = await talks.newest(connection, replace(scope, authors=theirs), NEWEST)
            liked = [] if text else await interests.of(connection, *mine)
        rooms = Counter(one.channel for one in own) & Counter(one.channel for one in said)
        held = self._held.get(community.id)
        usual, other_s = held.usual if held else None, [one.text for one in said]
        written = shared([text] if text else [one.text for one in own], other_s, usual, TERMS)
        terms = written or shared([one.text for one in liked[:TOLD]], other_s, usual, TERMS)
        if toward is None:
            toward = self._interest(held, reader, None) if held else np.zeros((0, 0), dtype=np.float32)
        return Common(
            member=other,
            terms=terms,
            rooms=tuple(reach.channels[number] for number, _many in rooms.most_common(ROOMS)),
            example=await self._example(replace(scope, authors=theirs), said, terms, toward),
            told=bool(terms) and not written,
            both_wrote=bool(own and said),
        )

    async def _now(self, community: Community, asker: Member) -> _Now:
        async with self.database.read() as connection:
            scope = (await channels.reach(connection, community, None)).scope
            wishing = await wishes.wishing(connection, community, "people")
            across = await wishes.wishing(connection, community, "across")
            shut = await meetings.sanctioned(connection, community, self.clock.now())
            shut |= await meetings.guests(connection, community) | scope.not_authors
            mine = await members.alike(connection, community, asker)
            doubles = await members.doubles(connection, community)
            met = await meetings.of(connection, *mine)
            accounts: dict[int, set[int]] = {}
            for member, person in wishing.items():
                accounts.setdefault(person, set()).add(member)
            humans = _humans(accounts, doubles)
            everyone = frozenset[int]().union(*humans.values())
            attention = await meetings.attention(connection, community, self.clock.now() - OF_LATE, among=everyone)
            week = await meetings.attention(connection, community, self.clock.now() - WEEK, among=everyone)
        return _Now(
            scope=scope,
            accounts={person: frozenset(some) for person, some in accounts.items() if not humans[person] & shut},
            humans=humans,
            shut=shut,
            mine=mine,
            met=met,
            across=frozenset(across),
            busy=frozenset(member for member, one in week.items() if one.asked >= meetings.MOST_ASKED),
            attention=attention,
        )

    async def _draw(self, community: Community, now: _Now, asker: Member) -> _Held:
        """Bring the portraits up to date: those who are new, the asker, and some of the oldest."""
        async with self._lock:
            moment = self.clock.now()
            held = self._held.get(community.id)
            if held is None or not held.holds(moment):
                held = self._held[community.id] = await self._sample(now.scope, moment)
            gone = held.portraits.keys() - now.accounts.keys()
            for person in gone:
                del held.portraits[person]
            old = sorted(
                (at, person)
                for person, (at, _one) in held.portraits.items()
                if at < moment - FRESH or person == asker.person
            )
            again = {person for _at, person in old[:REDRAWN]} | ({asker.person} & now.accounts.keys())
            wanted = {person: now.accounts[person] for person in (now.accounts.keys() - held.portraits.keys()) | again}
            if wanted:
                for portrait in await self._portraits(community, now.scope, wanted, held):
                    held.portraits[portrait.person] = (moment, portrait)
            if wanted or gone or held.crowd is None:
                portraits = [one for _at, one in held.portraits.values()]
                held.crowd = await asyncio.to_thread(Crowd.of, portraits, held.present, usual=held.usual)
        return held

    async def _sample(self, scope: Scope, moment: datetime) -> _Held:
        """Learn what is usual, by some pages of points: in the order of their ids they are a sample."""
        store, after = await self.vectors(), None
        points: list[UUID] = []
        rows: list[Vector] = []
        for _page in range(SAMPLE):
            page = await store.scroll(scope, after=after)
            points += page.ids
            rows += list(page.vectors)
            after = page.after
            if after is None:
                break
        async with self.database.read() as connection:
            said = await talks.by_points(connection, scope, points)
        known = [(said[point], row) for point, row in zip(points, rows, strict=True) if point in said]
        side = corpus(known, (await self.encoder()).size)
        usual = await asyncio.to_thread(Usual.of, side.texts, side.channels.tolist())
        centre = await asyncio.to_thread(Centre.of, side.texts, side.vectors)
        return _Held(usual=usual, centre=centre, since=moment)

    async def _portraits(
        self, community: Community, scope: Scope, wanted: Mapping[int, frozenset[int]], held: _Held
    ) -> list[Portrait]:
        whose = {account: person for person, accounts in wanted.items() for account in accounts}
        since = self.clock.now() - YEAR
        points = await self._newest(replace(scope, authors=frozenset(whose), since=since), whose)
        async with self.database.read() as connection:
            said = await talks.by_points(connection, scope, [point for some in points.values() for point, _ in some])
            labels = {one.conversation for one in said.values() if one.conversation} - held.present.keys()
            held.present |= await talks.present(connection, community.id, labels)
            liked = await interests.by_account(connection, whose)
        told = await self._told(liked, whose)
        now = self.clock.now().timestamp()

        def paint() -> list[Portrait]:
            found = []
            for person in wanted:
                own = [(said[point], vector) for point, vector in points.get(person, []) if point in said]
                talked = frozenset(one.conversation for one, _ in own if one.conversation)
                side = corpus(own, held.centre.size)
                found.append(draw(person, side, talks=talked, centre=held.centre, now=now, told=told.get(person)))
            return found

        return await asyncio.to_thread(paint)

    async def _told(self, liked: Mapping[int, Sequence[Interest]], whose: Mapping[int, int]) -> dict[int, Corpus]:
        """Return the newest interests that each person named, with their vectors; of these nothing is kept."""
        newest: dict[int, list[Interest]] = {}
        for one in sorted((one for some in liked.values() for one in some), key=lambda one: one.at, reverse=True):
            if len(theirs := newest.setdefault(whose[one.member], [])) < TOLD:
                theirs.append(one)
        known = [one for some in newest.values() for one in some][:AT_ONCE]
        if not known:
            return {}
        vectors = await (await self.encoder()).encode([one.text for one in known])
        every = _of_interests(known, vectors)
        people = np.array([whose[one.member] for one in known], dtype=np.int64)
        return {person: every.where(people == person) for person in newest}

    async def _newest(self, scope: Scope, whose: Mapping[int, int]) -> dict[int, list[tuple[UUID, Vector]]]:
        """Return the newest points of each person with their vectors."""
        store, after = await self.vectors(), None
        found: dict[int, list[tuple[datetime, UUID, Vector]]] = {}
        for _page in range(PAGES):
            page = await store.scroll(scope, after=after)
            for point, author, at, vector in zip(page.ids, page.authors, page.at, page.vectors, strict=True):
                found.setdefault(whose[author], []).append((at, point, vector))
            after = page.after
            if after is None:
                break
        return {
            person: [(point, vector) for _at, point, vector in sorted(some, key=lambda one: one[0])[-NEWEST:]]
            for person, some in found.items()
        }

    def _ranked(self, held: _Held, now: _Now, asker: Member, text: str, vector: Vector | None) -> list[int]:
        """Return the persons to suggest, best first."""
        crowd = held.crowd
        if crowd is None or asker.person not in held.portraits:
            return []
        portrait = held.portraits[asker.person][1]
        if vector is not None:
            portrait = named(portrait, text, vector, centre=held.centre)
        paired = meetings.paired(now.met, now.mine)
        moment = self.clock.now()
        shown = np.zeros(len(crowd.portraits), dtype=np.float32)
        allowed = []
        for at, one in enumerate(crowd.portraits):
            accounts = now.humans.get(one.person, frozenset())
            between = [met for account in accounts for met in paired.get(account, [])]
            shown[at] = sum(now.attention[account].shown for account in accounts if account in now.attention)
            shown[at] += CROWDED * any(
                met.first in now.mine and met.shown_at > moment - meetings.SHOWN_AGAIN for met in between
            )
            barred = any(met.bars(moment) for met in between) or bool(accounts & now.busy)
            # Whoever asked meanwhile may have drawn somebody who was not there yet at this moment.
            if one.person != asker.person and one.person in now.accounts and not barred:
                allowed.append(at)
        return [crowd.portraits[at].person for at in ranked(crowd.fit(portrait), shown, allowed=allowed)]

    def _interest(self, held: _Held, asker: Member, vector: Vector | None) -> Floats:
        if vector is not None:
            return np.asarray(vector, dtype=np.float32)[None, :]
        drawn = held.portraits.get(asker.person)
        return drawn[1].raw if drawn else np.zeros((0, held.centre.size), dtype=np.float32)

    async def _account(self, now: _Now, accounts: frozenset[int], asker: Member) -> Member | None:
        """Return by which account somebody is met: one on the asker's platform, or another where both want that."""
        async with self.database.read() as connection:
            known = list((await members.by_numbers(connection, accounts)).values())
        near = [one for one in known if one.ref.platform == asker.ref.platform]
        far = known if now.across & now.mine and now.across & accounts else []
        return next(iter([*near, *far]), None)

    async def _example(self, scope: Scope, said: Sequence[Said], terms: Sequence[str], toward: Floats) -> Said | None:
        """Choose something that somebody said: near to the reader's interests, with shared words, not too short."""
        near: dict[UUID, float] = {}
        store = await self.vectors()
        for vector in toward:
            for hit in await store.search(scope, vector=vector, limit=EXAMPLES):
                near[hit.id] = max(near.get(hit.id, 0.0), hit.score)
        async with self.database.read() as connection:
            found = await talks.by_points(connection, scope, list(near))
        candidates = list(found.values()) or list(said)
        wanted = {word for term in terms for word in words(term)}
        rated = [(_telling(one.text, wanted), near.get(one.point, 0.0), one.id, one) for one in candidates]
        return max(rated)[-1] if rated else None


def _humans(accounts: Mapping[int, set[int]], doubles: Mapping[int, int]) -> dict[int, frozenset[int]]:
    """Return all accounts of each human, of whom some are given; `doubles` name those of who has several."""
    alike: dict[int, set[int]] = {}
    for account, first in doubles.items():
        alike.setdefault(first, set()).add(account)
    return {
        person: frozenset(some.union(*(alike.get(doubles.get(one, one), ()) for one in some)))
        for person, some in accounts.items()
    }


async def _told_by(connection: Connection, community: Community, other: Member) -> frozenset[int]:
    """Return the accounts whose words tell others of somebody: the one by which they are met.

    That their accounts are one human's they told the bot alone, unless they want to be met across platforms.
    """
    accounts = await members.alike(connection, community, other)
    return accounts if "across" in await wishes.of(connection, *accounts) else frozenset({other.id})


def _telling(text: str, wanted: set[str]) -> tuple[bool, bool]:
    said = words(text)
    return substance(said) >= TELLING, bool(wanted & set(said))


def _of_interests(told: Sequence[Interest], vectors: Vector) -> Corpus:
    """Lay interests and their vectors side by side, as if they were messages that stand in no channel."""
    return Corpus(
        ids=np.array([-one.id for one in told], dtype=np.int64),
        texts=[one.text for one in told],
        vectors=np.asarray(vectors, dtype=np.float32),
        channels=np.full(len(told), -1, dtype=np.int64),
        authors=np.array([one.member for one in told], dtype=np.int64),
        times=np.array([one.at.timestamp() for one in told], dtype=np.float64),
    )


def corpus(own: Sequence[tuple[Said, Vector]], size: int) -> Corpus:
    """Put messages and their vectors side by side."""
    return Corpus(
        ids=np.array([one.id for one, _ in own], dtype=np.int64),
        texts=[one.text for one, _ in own],
        vectors=np.array([vector for _, vector in own], dtype=np.float32).reshape(len(own), size),
        channels=np.array([one.channel for one, _ in own], dtype=np.int64),
        authors=np.array([one.author for one, _ in own], dtype=np.int64),
        times=np.array([one.at.timestamp() for one, _ in own], dtype=np.float64),
    )
