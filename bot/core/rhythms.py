"""How often somebody wants something, and when: every day or every week, at an hour by the clock of a place. Pure."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.core import zones
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.recurring import DAYS, instant_of

OFF = "off"
"""How somebody says that they do not want it."""
HOUR, MONDAY = 8, 0
"""When it is, where somebody says no hour and no day."""
NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CHINESE_DAYS = "一二三四五六日"
DAILY = ("daily", "day", "每天", "每日")
WEEKLY = ("weekly", "week", "每周", "每星期")
STOPS = (OFF, "stop", "no", "关闭", "停止", "不要")
_HOUR = re.compile(r"(\d{1,2})(?::00|点|h)?")
_CHINESE_DAY = re.compile(r"(?:每?周|每?星期)([一二三四五六日天])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Every day at an hour by the clock of a zone (an IANA name), or on one `weekday` alone, of which Monday is 0."""

    hour: int = HOUR
    zone: str = "UTC"
    weekday: int | None = None

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        often = "daily" if self.weekday is None else f"weekly {DAYS[self.weekday]}"
        return f"{often} {self.hour} {self.zone}"

    def after(self, moment: datetime) -> datetime:
        """Return its first instant after a moment, in UTC.

        An hour that the clock leaves out comes when the clock goes on, and one that comes twice is the first of both.
        Reads the rules of the zone from the disk when it is asked first.
        """
        zone = clock_of(self.zone)
        today = moment.astimezone(zone).date()
        days = (today + timedelta(days=ahead) for ahead in range(10))
        wanted = (day for day in days if self.weekday in {None, day.weekday()})
        instants = (instant_of(datetime.combine(day, time(self.hour)), zone) for day in wanted)
        return next(instant for instant in instants if instant > moment)

    def last(self, moment: datetime) -> datetime:
        """Return its last instant that is over at a moment, in UTC."""
        found = self.after(moment - timedelta(days=9))
        while (later := self.after(found)) <= moment:
            found = later
        return found


def parse(text: str, *, zone: str = "UTC") -> Rhythm | None:
    """Read `daily 8 Europe/Berlin`, `weekly mon 8 Europe/Berlin`, or less of it; None for `off`. Raises Mistake."""
    words = text.split()
    often, *rest = words or [""]
    if often.casefold() in STOPS and not rest:
        return None
    weekday, rest = _days(often, rest, text)
    hour, rest = _hour(rest)
    return Rhythm(hour=hour, weekday=weekday, zone=zones.named(" ".join(rest)) if rest else zone)


def stored(text: str) -> Rhythm | None:
    """Read what was written by `str`; None for `off` and for nothing."""
    if text in {"", OFF}:
        return None
    *often, hour, zone = text.split()
    return Rhythm(hour=int(hour), zone=zone, weekday=DAYS.index(often[1]) if len(often) > 1 else None)


def _days(often: str, rest: list[str], text: str) -> tuple[int | None, list[str]]:
    """Read how often, and on which day."""
    if often.casefold() in DAILY:
        return None, rest
    if (day := _day(often)) is not None:
        return day, rest
    if often.casefold() not in WEEKLY:
        raise _unread(text)
    day = _day(rest[0]) if rest else None
    return (MONDAY, rest) if day is None else (day, rest[1:])


def _day(word: str) -> int | None:
    if found := _CHINESE_DAY.fullmatch(word):
        return CHINESE_DAYS.index(found[1].replace("天", "日"))
    said = word.casefold()
    least = len(DAYS[MONDAY])
    return next((at for at, day in enumerate(NAMES) if len(said) >= least and day.startswith(said)), None)


def _hour(rest: list[str]) -> tuple[int, list[str]]:
    """Read the hour, where one stands next. Raises Mistake for one that no clock has."""
    found = _HOUR.fullmatch(rest[0].casefold()) if rest else None
    if found is None:
        return HOUR, rest
    hour = int(found[1])
    if hour > 23:  # noqa: PLR2004 - the last hour of a day
        raise Mistake(_("There is no hour {hour}: a day has those from 0 to 23."), hour=hour)
    return hour, rest[1:]


def _unread(text: str) -> Mistake:
    sentence = _("I do not understand {words!r}. Say `daily 8 Europe/Berlin`, `weekly mon 8 Europe/Berlin` or `off`.")
    return Mistake(sentence, words=text[:60])


@functools.cache
def clock_of(zone: str) -> tzinfo:
    """Return the clock of a zone, whose rules are read from the disk when it is asked for first."""
    return UTC if zone == "UTC" else ZoneInfo(zone)
