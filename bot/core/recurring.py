"""What comes again and again: on which days and at which times, as instants of a time zone, and in words. Pure.

Days and hours are those of the clock on the wall. An hour that does not exist on some day comes at the first instant
after the gap, and of one that comes twice the first counts. What comes in every hour goes by the minutes of UTC.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from apscheduler.triggers.cron import CronTrigger

ANY = "*"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR = 60
"""Minutes."""
SHOWN = 40
"""Characters of what nobody understood that are worth repeating."""

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Fields of cron as APScheduler reads them: `mon,thu` or `mon-fri`, `9`, `*/5`."""

    days: str = ANY
    hour: str = ANY
    minute: str = "0"

    @property
    def is_often(self) -> bool:
        """Return whether it comes in every hour."""
        return self.hour == ANY

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first instant after a moment, in UTC."""
        return next(self.all_after(moment, zone))

    def all_after(self, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Return the instants after a moment one after the other, in UTC."""
        place = UTC if self.is_often else zone
        # The wall's time is counted as if it were UTC's, in which no hour is missing and none comes twice.
        wall, last = moment.astimezone(place).replace(tzinfo=UTC), moment
        while True:
            wall = _cron(self).get_next_fire_time(None, wall + _TICK)
            instant = instant_of(wall.replace(tzinfo=None), place)
            if instant > last:
                last = instant
                yield instant

    def __str__(self) -> str:
        """Return the words that `read` understands."""
        if self.is_often and self.days == ANY:
            step = self.minute.removeprefix("*/")
            return f"every {step} minutes" if step != self.minute else f"hourly :{int(self.minute):02}"
        if self.is_often or not (self.hour.isdecimal() and self.minute.isdecimal()):
            return f"cron {self.minute} {self.hour} {self.days}"
        days = "daily" if self.days == ANY else self.days
        return f"{days} {int(self.hour):02}:{int(self.minute):02}"


def daily(hour: int, minute: int = 0) -> When:
    """Return what comes every day."""
    return When(hour=str(hour), minute=str(minute))


def weekly(days: str, hour: int, minute: int = 0) -> When:
    """Return what comes on some days of the week: `mon`, `mon,thu`, `mon-fri`."""
    return When(days=days, hour=str(hour), minute=str(minute))


def hourly(minute: int = 0) -> When:
    """Return what comes every hour."""
    return When(minute=str(minute))


def every(minutes: int) -> When:
    """Return what comes every so many minutes, a number that goes into an hour."""
    if not 0 < minutes < HOUR or HOUR % minutes:
        raise ValueError(f"{minutes} minutes do not go into an hour")
    return When(minute=f"*/{minutes}")


def instant_of(wall: datetime, zone: tzinfo) -> datetime:
    """Return when the clock on the wall first shows a time, or what comes next where it never does; in UTC."""
    there = wall.replace(tzinfo=zone)
    instant = there.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # PEP 495: of a time in a gap, fold=0 is told by the offset before the gap and fold=1 by the one after it, so that
    # the jump is between the two.
    early = there.replace(fold=1).astimezone(UTC)
    seconds = range(int((instant - early).total_seconds()))
    jumped = bisect_left(seconds, x=True, key=lambda one: _shown(early, one, zone) >= wall)
    return early + timedelta(seconds=jumped)


def _shown(moment: datetime, seconds: int, zone: tzinfo) -> datetime:
    return (moment + timedelta(seconds=seconds)).astimezone(zone).replace(tzinfo=None)


@cache
def _cron(when: When) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    return CronTrigger(day_of_week=when.days, hour=when.hour, minute=when.minute, second=0, timezone=UTC)


_NAMES = {
    **{name: name for name in DAYS},
    **dict(zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), DAYS, strict=True)),
    **{
        f"{week}{day}": name
        for week in ("周", "星期", "礼拜")
        for day, name in zip("一二三四五六日", DAYS, strict=True)
    },
    **{f"{week}天": "sun" for week in ("星期", "礼拜")},
}
_SETS = {
    **dict.fromkeys(("", "daily", "every day", "everyday", "每天", "每日"), ANY),
    **dict.fromkeys(("weekdays", "on weekdays", "工作日"), "mon-fri"),
    **dict.fromkeys(("weekends", "on weekends", "周末"), "sat,sun"),
}
_AT = re.compile(r"(?P<days>\D*?)\s*(?:\bat\b)?\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>am|pm)?")
_OFTEN = re.compile(r"(?:hourly|every hour|每小时)\s*(?::?(?P<minute>\d{1,2}))?")
_STEP = re.compile(r"every (?P<step>\d{1,2}) ?min(?:ute)?s?")
_HALF, _MINUTES, _OCLOCK = re.compile(r"点半"), re.compile(r"点(\d{1,2})分?"), re.compile(r"点(?:整)?")
NOON = 12


def read(text: str) -> When:
    """Read when something comes: `daily 09:00`, `mon,thu 18:30`, `hourly :15`, `周一 9点`. Raises Mistake."""
    plain = " ".join(text.casefold().replace("：", ":").split())
    plain = _OCLOCK.sub(":00", _MINUTES.sub(lambda found: f":{int(found[1]):02}", _HALF.sub(":30", plain)))
    try:
        return _step(plain) or _often(plain) or _at(plain)
    except ValueError:
        sentence = _(
            "I do not know when {when!r} is. Say for instance `daily 09:00`, `mon 09:00`, `mon,thu 18:30` or "
            "`mon-fri 08:00`."
        )
        raise Mistake(sentence, when=text[:SHOWN]) from None


def _step(text: str) -> When | None:
    found = _STEP.fullmatch(text)
    return every(int(found["step"])) if found else None


def _often(text: str) -> When | None:
    found = _OFTEN.fullmatch(text)
    return hourly(_within(found["minute"] or "0", HOUR)) if found else None


def _at(text: str) -> When:
    found = _AT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, minute = int(found["hour"]), _within(found["minute"] or "0", HOUR)
    if found["half"]:
        if not 1 <= hour <= NOON:
            raise ValueError(text)
        hour = hour % NOON + (NOON if found["half"] == "pm" else 0)
    return weekly(_days(found["days"].strip()), _within(str(hour), 24), minute)


def _within(number: str, limit: int) -> int:
    if int(number) >= limit:
        raise ValueError(number)
    return int(number)


def _days(words: str) -> str:
    """Read days: names, spans of them, several with commas between; raises ValueError for anything else."""
    words = words.removeprefix("weekly ").removeprefix("every ") if words not in _SETS else words
    words = words.removeprefix("on ") if words not in _SETS else words
    if words in _SETS:
        return _SETS[words]
    parts = [one for one in re.split(r"\s*(?:,|，|、|和|\band\b)\s*", words) if one]
    found = [_span(one) for one in parts]
    if not found:
        raise ValueError(words)
    return ",".join(sorted(dict.fromkeys(found), key=lambda one: DAYS.index(one[:3])))


def _span(words: str) -> str:
    first, dash, last = (one.strip() for one in words.removeprefix("每").partition("-"))
    begin, end = _day(first), _day(last) if dash else ""
    if dash and DAYS.index(begin) >= DAYS.index(end):
        raise ValueError(words)
    return f"{begin}-{end}" if end else begin


def _day(word: str) -> str:
    name = word if word in _NAMES else word.removesuffix("s")
    if name not in _NAMES:
        raise ValueError(word)
    return _NAMES[name]
