"""Reads what somebody missed, as far as they may read it, and why they may care."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.i18n import written
from brains.matching.centre import Centre
from brains.matching.circle import corpus
from brains.matching.corpus import unit
from brains.matching.missed import Taste, Thread, choose
from brains.matching.people import NEWEST, Usual, draw, shared
from storage import channels, members, surroundings, talks, tastes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.ports import Encoder, Scope, Vector, VectorStore
    from bot.core.things import Channel, Community, Member
    from brains.matching.corpus import Floats
    from brains.matching.missed import Missed
    from storage.db import Database
    from storage.talks import Said
    from storage.tastes import Tasted

WINDOW = timedelta(days=14)
"""How far back is looked at most."""
DAY = timedelta(days=1)
"""How far back is looked at least: who is here every day missed something too."""
AWAY = timedelta(hours=1)
"""A silence that ends a visit."""
PAUSE = timedelta(minutes=30)
"""A silence that ends what was said in one go."""
CANDIDATES = 2000
"""The newest messages that are looked at."""
YEAR = timedelta(days=365)
OPINIONS, FIRST = 12, 3
"""Opinions that count, the newest ones, and messages by which such a conversation is known."""
TERMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A conversation that was missed: its label and title, where it begins, who took part, how many messages, and why.

    `terms` are words that the reader uses too; there may be none where it is `near` to what they write, and are none
    where it is named for being alive alone.
    """

    label: int
    sentence: str
    first: Said
    channel: Channel
    people: tuple[str, ...]
    messages: int
    terms: tuple[str, ...]
    evidence: Said
    near: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was missed since a moment; `known` is false for somebody who said nothing yet by which to choose."""

    since: datetime
    known: bool
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a reader need not be told of: where they took part, last spoke, and what they were shown."""

    mine: frozenset[int]
    part: frozenset[int]
    last: Mapping[int, datetime]
    shown: Mapping[int, Tasted]

    def covers(self, label: int, said: Sequence[Said]) -> bool:
        """Say whether the reader saw a conversation, or wants to hear no more of it."""
        end, here, before = said[-1].at, self.last.get(said[-1].channel), self.shown.get(label)
        settled = before is not None and (before.taste == "less" or before.at >= end)
        read = here is not None and here >= end
        return settled or read or label in self.part or any(one.author in self.mine for one in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Looks for what somebody missed."""

    database: Database
    vectors: VectorStore
    encoder: Encoder

    async def look(self, community: Community, reader: Member, *, now: datetime, k: int = 5) -> Found:
        """Find what a reader missed since they were last here, in what they may read, and would care about.

        Not what they took part in, what was said in a channel before their own last words there, what they were shown
        already and nobody added to, or what they wanted less of.
        """
        async with self.database.read() as connection:
            reach = await channels.reach(connection, community, reader, alone=True)
            scope = await surroundings.without_bots(connection, reach.scope)
            mine = await members.alike(connection, community, reader)
            own = await talks.newest(connection, replace(scope, authors=mine), NEWEST)
            since = max(now - WINDOW, min(now - DAY, last_visit(own, now)))
            heard = await talks.newest(connection, scope, CANDIDATES, since=now - WINDOW)
            said = [one for one in heard if one.at >= since]
            labels = {one.conversation for one in said if one.conversation is not None}
            shown = await tastes.of(connection, *mine)
            seen = _Seen(
                mine=mine,
                part=await talks.took_part(connection, community.id, mine, labels),
                last=await talks.last_words(connection, scope, mine),
                shown=shown,
            )
        open_ = {label: some for label, some in _conversations(said).items() if not seen.covers(label, some)}
        vectors = await self._vectors(replace(scope, since=said[-1].at)) if open_ else {}
        known = [(one, vectors[one.point]) for one in said if one.point in vectors]
        if not known:
            return Found(since=since, known=bool(own), told=())
        side = corpus(known, self.encoder.size)
        centre = await asyncio.to_thread(Centre.of, side.texts, side.vectors)
        placed = await asyncio.to_thread(centre.place, side.vectors, side.texts)
        rows = {one.point: row for (one, _vector), row in zip(known, placed, strict=True)}
        threads = [_thread(label, some, rows) for label, some in open_.items()]
        wanted = await self._interests(scope, own, mine, centre, now)
        taste = await self._taste(scope, shown, wanted, centre)
        taste = replace(taste, languages=frozenset(written([one.text]) for one in own))
        missed = await asyncio.to_thread(choose, [one for one in threads if one], taste, now=now, k=k)
        spoken = [one.text for one in heard], [one.channel for one in heard]
        usual = await asyncio.to_thread(Usual.of, *spoken)
        told = [await self._told(one, own, usual, reach.channels, known=bool(len(wanted))) for one in missed]
        return Found(since=since, known=bool(len(wanted) or len(taste.told)), told=tuple(told))

    async def _vectors(self, scope: Scope) -> dict[UUID, Vector]:
        found: dict[UUID, Vector] = {}
        after = None
        while True:
            page = await self.vectors.scroll(scope, after=after)
            found.update(zip(page.ids, page.vectors, strict=True))
            after = page.after
            if after is None:
                return found

    async def _interests(
        self, scope: Scope, own: Sequence[Said], mine: frozenset[int], centre: Centre, now: datetime
    ) -> Floats:
        """Return the reader's interests (k, d), from their newest messages."""
        if not own:
            return np.zeros((0, self.encoder.size), dtype=np.float32)
        page = await self.vectors.scroll(replace(scope, authors=mine, since=max(own[-1].at, now - YEAR)))
        placed = dict(zip(page.ids, page.vectors, strict=True))
        pairs = [(one, placed[one.point]) for one in own if one.point in placed]
        side = corpus(pairs, self.encoder.size)
        portrait = await asyncio.to_thread(draw, 0, side, talks=frozenset(), centre=centre, now=now.timestamp())
        return portrait.interests

    async def _taste(self, scope: Scope, shown: Mapping[int, Tasted], interests: Floats, centre: Centre) -> Taste:
        """Add what the reader said of conversations that they were shown."""
        said = sorted((one for one in shown.values() if one.taste in {"more", "less"}), key=lambda one: one.at)[
            -OPINIONS:
        ]
        signs = {one.conversation: 1.0 if one.taste == "more" else -1.0 for one in said}
        async with self.database.read() as connection:
            texts = await talks.in_conversations(connection, scope, list(signs), FIRST)
        every = [text for some in texts.values() for text in some]
        told = np.zeros((0, self.encoder.size), dtype=np.float32)
        if every:
            placed = iter(centre.place(await self.encoder.encode(every), every))
            told = unit(np.array([np.mean([next(placed) for _text in some], axis=0) for some in texts.values()]))
        by_channel: Counter[int] = Counter()
        for one in said:
            by_channel[one.channel] += int(signs[one.conversation])
        liked = np.array([signs[label] for label in texts], dtype=np.float32)
        return Taste(interests=interests, told=told, liked=liked, channels=dict(by_channel))

    async def _told(
        self, one: Missed, own: Sequence[Said], usual: Usual, rooms: Mapping[int, Channel], *, known: bool
    ) -> Told:
        thread = one.thread
        async with self.database.read() as connection:
            people = await members.by_numbers(connection, thread.authors)
        texts = [said.text for said in thread.said]
        return Told(
            label=thread.label,
            sentence=one.sentence,
            first=thread.said[0],
            channel=rooms[thread.said[0].channel],
            people=tuple(people[one].name for one in thread.authors if one in people),
            messages=len(thread.said),
            terms=shared([said.text for said in own], texts, usual, TERMS) if known else (),
            evidence=one.title,
            near=one.interest >= 0,
        )


def last_visit(own: Sequence[Said], now: datetime) -> datetime:
    """Return when somebody was last here before now: their last words before a silence of an hour."""
    later = now
    for one in own:
        if later - one.at > AWAY:
            return one.at
        later = one.at
    return now - WINDOW if not own else own[-1].at


def _conversations(said: Sequence[Said]) -> dict[int, list[Said]]:
    """Put messages, newest first, into their conversations by label, each oldest first.

    Where nobody knows yet what belongs together, it is what was said in one go, called as its first message.
    """
    found: dict[int, list[Said]] = {}
    going: dict[int, int] = {}
    for one in reversed(said):
        label = one.conversation
        if label is None:
            begun = found.get(going.get(one.channel, 0))
            goes_on = begun is not None and one.at - begun[-1].at <= PAUSE
            label = going[one.channel] = going[one.channel] if goes_on else one.id
        found.setdefault(label, []).append(one)
    return found


def _thread(label: int, said: Sequence[Said], rows: Mapping[UUID, Floats]) -> Thread | None:
    """Give a conversation its vectors, centred; None where none of it is in the store yet."""
    known = [one for one in said if one.point in rows]
    if not known:
        return None
    return Thread(label=label, said=known, vectors=np.array([rows[one.point] for one in known], dtype=np.float32))
