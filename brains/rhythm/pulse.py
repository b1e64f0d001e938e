"""How a community is doing: how much is said, in what mood, and about what, in all and in each channel. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from brains.rhythm.topics import Spoken, changes
from brains.rhythm.trends import by_day, by_hour, local, mood, moods_by_day, span

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, tzinfo

    from bot.core.things import Channel, Message
    from brains.matching.corpus import Floats, Ids, Mask, Times
    from brains.rhythm.topics import Change
    from brains.rhythm.trends import Mood

WEEK, WEEKS = timedelta(days=7), 4
"""Topics of the last week are held beside those of so many weeks before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The last days up to a moment, on the clock of a community: whole days, and of the last as much as is over."""

    since: datetime
    until: datetime
    days: int

    @classmethod
    def ending(cls, now: datetime, days: int, zone: tzinfo = UTC) -> Window:
        """Return the window of so many days that ends now."""
        until = now.astimezone(zone)
        first = until.date() - timedelta(days=days - 1)
        return cls(since=datetime.combine(first, time(), zone), until=until, days=days)

    @property
    def begins(self) -> datetime:
        """Return from when on messages are needed: as much time again, and the weeks that topics are held beside."""
        return min(self.since - timedelta(days=self.days), self.until - WEEK * (WEEKS + 1))

    @property
    def zone(self) -> tzinfo:
        """Return whose clock it is."""
        return self.until.tzinfo or UTC


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Talk:
    """Messages (n,), oldest first: channels, authors and times; terms and texts, empty of what is too old to be read.

    `moods` (n,) is -1 to 1, NaN where nothing tells; `unnamed` are terms that name no topic, such as members' names.
    Nothing before `read`, seconds since the epoch, has terms or texts.
    """

    channels: Ids
    authors: Ids
    times: Times
    documents: Sequence[Sequence[str]]
    texts: Sequence[str]
    moods: Floats
    unnamed: Collection[str] = ()
    read: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How much was said on a day, and in what mood; None where too few spoke."""

    day: date
    messages: int
    mood: Mood | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One channel, or all of them where it is None: what was said in the time, and in as much time `before` it.

    `hours` (24,) counts the messages of each hour of the day. Rows of `change` are positions in the talk.
    """

    channel: Channel | None
    messages: int
    messages_before: int
    people: int
    days: tuple[Day, ...]
    hours: tuple[int, ...]
    mood: Mood | None
    mood_before: Mood | None
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What was said in a window: in all, and in each channel that may be read, the most first.

    `reads` says whether a mood could be told of these vectors at all; `said` are the messages that topics name.
    """

    window: Window
    whole: Part
    channels: tuple[Part, ...]
    reads: bool
    said: Mapping[int, Message]

    @property
    def lively(self) -> tuple[Part, ...]:
        """Return the channels where something was said in the window, or in as much time before it."""
        return tuple(one for one in self.channels if one.messages or one.messages_before)


def parts(talk: Talk, rooms: Mapping[int, Channel], window: Window) -> tuple[Part, tuple[Part, ...]]:
    """Sum up what was said in all, and in each channel, those first where the most was said."""
    cut = _Cut.of(talk, window)
    each = [_part(cut, room, talk.channels == number) for number, room in rooms.items()]
    whole = _part(cut, None, np.ones(len(talk.times), dtype=np.bool_))
    return whole, tuple(sorted(each, key=lambda one: (-one.messages, -one.messages_before)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cut:
    """A talk on the clock of its place, cut (n,) by the times that are held beside each other."""

    talk: Talk
    window: Window
    days: Ids
    hours: Ids
    inside: Mask
    earlier: Mask
    topical: Mask
    latest: Mask

    @classmethod
    def of(cls, talk: Talk, window: Window) -> _Cut:
        clock = local(talk.times, window.zone)
        until, again = window.until, timedelta(days=window.days)
        return cls(
            talk=talk,
            window=window,
            days=clock.days,
            hours=clock.hours,
            inside=_between(talk.times, window.since, until),
            earlier=_between(talk.times, window.since - again, until - again),
            topical=_between(talk.times, until - WEEK * (WEEKS + 1), until),
            latest=_between(talk.times, until - WEEK, until),
        )


def _between(times: Times, since: datetime, until: datetime) -> Mask:
    return np.asarray((times >= since.timestamp()) & (times < until.timestamp()))


def _part(cut: _Cut, room: Channel | None, where: Mask) -> Part:
    talk, window = cut.talk, cut.window
    now, earlier = where & cut.inside, where & cut.earlier
    first, last = window.since.date(), window.until.date()
    moods = moods_by_day(cut.days[now], talk.moods[now], talk.authors[now], first, last)
    counts = by_day(cut.days[now], first, last)
    return Part(
        channel=room,
        messages=int(now.sum()),
        messages_before=int(earlier.sum()),
        people=len(np.unique(talk.authors[now])),
        days=tuple(
            Day(day=day, messages=int(count), mood=one)
            for day, count, one in zip(span(first, last), counts, moods, strict=True)
        ),
        hours=tuple(by_hour(cut.hours[now]).tolist()),
        mood=mood(talk.moods[now], talk.authors[now]),
        mood_before=mood(talk.moods[earlier], talk.authors[earlier]),
        change=_change(cut, np.flatnonzero(where & cut.topical)),
    )


def _change(cut: _Cut, rows: Ids) -> Change:
    talk = cut.talk
    spoken = Spoken(
        rows=rows,
        documents=[talk.documents[row] for row in rows],
        texts=[talk.texts[row] for row in rows],
        authors=talk.authors[rows],
        days=cut.days[rows],
        now=cut.latest[rows],
    )
    week = (cut.window.until - WEEK).timestamp()
    begins = max(talk.read, week - (WEEK * WEEKS).total_seconds())
    before = max((week - begins) / timedelta(days=1).total_seconds(), 1.0)
    return changes(spoken, days=WEEK.days, before=before, unnamed=talk.unnamed)
