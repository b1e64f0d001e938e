"""Looks over a community: reads its last hour, and what was usual before only where much was said, and finds causes."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from brains.moderation.undisguise import undisguise
from brains.moderation.words import Phrase, Words, is_by_letters
from brains.rhythm import causes
from brains.rhythm.spikes import FIGURES, HOUR, SEASON, WEEK, WEEKS
from brains.rhythm.unusual import PERIOD, Look, Past, frequent
from storage import lately

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from bot.core.actions import Subject
    from bot.core.ports import Scope
    from bot.core.things import Channel
    from brains.rhythm.causes import Cause
    from brains.rhythm.spikes import Floats
    from brains.rhythm.unusual import Sighting
    from storage.connection import Connection
    from storage.db import Database
    from storage.lately import Said

    Moods = Callable[[Sequence[str]], Awaitable[Floats]]

MOST = 5_000
"""Messages of the last hour that are looked at; where more is said, the newest."""
SAMPLE = 2_000
"""Messages before them that say which words are usual."""
MOOD_SAMPLE = 300
"""Messages of a channel that say in which mood it usually is."""
BAD = 0.5
"""Probability from which on a message is in a bad mood."""
QUIET = timedelta(days=7)
"""A watched word that nobody said for so long is told of when it is said again."""
NEW = timedelta(days=1)
"""Whoever wrote nothing before that is a newcomer."""
ENOUGH = 1_000
"""Texts with the letters of a watched word in which it is looked for as a word: `ai` is in `said`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look saw: what is unusual and what the first of it likely comes from, and what known goes on."""

    sightings: tuple[Sighting, ...] = ()
    causes: tuple[Cause, ...] = ()
    going: frozenset[Subject] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """Looks over what is within a scope, whose channels are `rooms` by number.

    `moods` gives the probability (n,) that texts are in a bad mood, where that can be told.
    """

    database: Database
    scope: Scope
    rooms: Mapping[int, Channel]
    moods: Moods | None = None

    async def look(self, now: datetime, *, watched: Sequence[str] = (), known: Collection[Subject] = ()) -> Seen:
        """Return what is unusual now and was not `known` before; `watched` are words that the staff names."""
        since = now - timedelta(hours=1, seconds=PERIOD)
        recent = replace(self.scope, since=since, until=now + timedelta(microseconds=1))
        said = await self.database.look(functools.partial(lately.said, scope=recent, limit=MOST))
        if not said:
            return Seen()
        hits = await asyncio.to_thread(_hits, watched, said) if watched else {}
        named = {subject.name for subject in known if subject.kind == "word"}
        quiet = [word for word in hits if word not in named and not await self._was_said(word, hits[word][0].at)]
        # What goes on takes half as much as what begins.
        least = FIGURES.least // 2 if known else FIGURES.least
        busy = [channel for channel, count in Counter(one.channel for one in said).items() if count >= least]
        often = [one for one in hits.values() if len(one) >= least]
        much = len(said) >= least and bool(busy or often or known or await asyncio.to_thread(frequent, said))
        past = await self._past(said, busy, hits, now) if much else Past(end=now.timestamp())
        bad = await self._bad([one for one in said if one.channel in busy]) if much else frozenset()
        look = Look(now=now.timestamp(), said=said, past=past, rooms=self.rooms, hits=hits, bad=bad)
        sightings = await asyncio.to_thread(look.see, known, quiet)
        going = frozenset([one for one in known if look.goes_on(one)])
        told = next((one for one in sightings[:1] if one.spike is not None), None)
        found = await self._causes(told, past, now) if told else []
        return Seen(sightings=tuple(sightings), causes=tuple(found), going=going)

    async def _past(
        self, said: Sequence[Said], busy: Sequence[int], hits: Mapping[str, Sequence[Said]], now: datetime
    ) -> Past:
        """Read what was usual before the last hour, of the channels that are busy in it, and of the whole."""
        end = datetime.fromtimestamp((now.timestamp() - HOUR) // HOUR * HOUR, UTC)
        aged = busy or [said[0].channel]
        before = replace(self.scope, until=end)
        there = replace(before, channels=frozenset(busy))

        async def read(connection: Connection) -> Past:
            firsts = await lately.began(connection, aged)
            drawn = await lately.sample(connection, before, limit=SAMPLE)
            return Past(
                end=end.timestamp(),
                counts=await lately.by_hour(connection, there, end, WEEKS * WEEK) if busy else {},
                ages={channel: int((end - first).total_seconds() // HOUR) for channel, first in firsts.items()},
                everywhere=await lately.everywhere(connection, before, end, SEASON),
                sample=drawn,
            )

        past = await self.database.look(read)
        counted = await asyncio.to_thread(_counted, list(hits), past.sample) if hits else {}
        usual = {channel: await self._usually_bad(channel, before) for channel in busy} if self.moods else {}
        return replace(past, watched=counted, bad=usual)

    async def _bad(self, said: Sequence[Said]) -> frozenset[int]:
        """Return the numbers of the messages in a bad mood."""
        mine = [one for one in said if one.text.strip()]
        if self.moods is None or not mine:
            return frozenset()
        found = await self.moods([one.text for one in mine])
        return frozenset(one.id for one, bad in zip(mine, found, strict=True) if bad >= BAD)

    async def _usually_bad(self, channel: int, before: Scope) -> float:
        """Return the share of a channel's messages in a bad mood; thin evidence leans on one of ten."""
        there = replace(before, channels=frozenset({channel}))
        drawn = await self.database.look(functools.partial(lately.said, scope=there, limit=MOOD_SAMPLE))
        texts = [one.text for one in drawn if one.text.strip()]
        bad = (await self.moods(texts) >= BAD).sum() if self.moods is not None and texts else 0
        return float((bad + 2) / (len(texts) + 20))

    async def _was_said(self, word: str, at: float) -> bool:
        """Say whether a word was said within the quiet time before an instant."""
        moment = datetime.fromtimestamp(at, UTC)
        before = replace(self.scope, since=moment - QUIET, until=moment)
        texts = await self.database.look(functools.partial(lately.holding, scope=before, word=word, limit=ENOUGH))
        return bool(texts) and bool(await asyncio.to_thread(_counted, [word], texts))

    async def _causes(self, one: Sighting, past: Past, now: datetime) -> list[Cause]:
        """Return what a sighting likely comes from."""
        authors = {said.author for said in one.said}
        new = await self.database.look(functools.partial(lately.newcomers, authors=authors, before=now - NEW))
        return await asyncio.to_thread(causes.causes, one.said, past.sample, new)


def _hits(watched: Iterable[str], said: Sequence[Said]) -> dict[str, list[Said]]:
    """Return the messages that hold each watched word as a word, disguised or not."""
    words = Words(Phrase(text=word) for word in watched)
    found: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        for word in _in(words, one.text):
            found[word].append(one)
    return dict(found)


def _counted(watched: Iterable[str], texts: Iterable[str]) -> Counter[str]:
    words = Words(Phrase(text=word) for word in watched)
    return Counter(word for text in texts for word in _in(words, text))


def _in(words: Words, text: str) -> set[str]:
    """Return the watched words that a text holds, as it is or undisguised, as moderation looks for its own."""
    undone = undisguise(text)
    found = {hit.phrase.text for form in {text, undone.plain} for hit in words.find(form)}
    if undone.tricks & {"spread", "broken"}:
        apart = words.find_pulled_apart(undone.plain)
        found |= {hit.phrase.text for hit in apart if is_by_letters(hit.found, text)}
    return found
