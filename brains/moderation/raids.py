"""Raids: many coming in at once, or many newcomers saying alike. Begins by what happens, ends by itself after quiet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Literal

from bot.core.i18n import _
from brains.moderation.windows import COMPARED, WORTH, alike, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from bot.core.things import Ref
    from brains.moderation.presets import Figures, Limit

    Members = Mapping[Ref, frozenset[Ref | None]]

KEPT = 500
"""Joins, and messages of newcomers, that are remembered."""
NEW = timedelta(hours=1)
"""For so long somebody who came in is a newcomer to a raid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raid:
    """A raid that is on: how it was seen, since when, and until when if nothing more happens.

    `members` take part, each with the spaces where they were seen: one community may have several.
    """

    sign: Literal["joins", "alike"]
    began: datetime
    until: datetime
    count: int
    seconds: int
    members: Members = field(default_factory=dict)

    def reason(self, translate: Callable[[str], str] = str) -> str:
        """Say in words what was seen."""
        return translate(_SENTENCES[self.sign]).format(count=self.count, seconds=self.seconds)


_SENTENCES = {
    "joins": _("{count} members came in within {seconds} seconds"),
    "alike": _("{count} newcomers said the same within {seconds} seconds"),
}


@dataclass(slots=True, kw_only=True)
class RaidWatch:
    """Watches one community. It knows no clock: all times are those of what happened."""

    joins: Limit | None
    alike: Limit | None
    quiet: int
    raid: Raid | None = None
    _joined: deque[tuple[datetime, Ref, Ref | None]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _said: deque[tuple[datetime, Ref, Ref | None, int]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def tuned(self, figures: Figures) -> None:
        """Watch by other figures from now on; a raid that is on goes on."""
        self.joins, self.alike, self.quiet = figures.raid_joins, figures.raid_alike, figures.raid_quiet

    def came(self, member: Ref, at: datetime, space: Ref | None = None) -> Raid | None:
        """Take note of somebody who came into a space; return the raid that is on."""
        self._end(at)
        self._joined.append((at, member, space))
        if self.joins is None:
            return self.raid
        since = at - timedelta(seconds=self.joins.seconds)
        lately = _by_member((who, where) for when, who, where in self._joined if since < when <= at)
        if self.raid is not None:
            return self._goes_on(at, member, space, wakes=len(lately) * 2 >= self.joins.count)
        if len(lately) >= self.joins.count:
            self._begin("joins", self.joins, at, lately)
        return self.raid

    def said(
        self, member: Ref, at: datetime, bones: str, joined_at: datetime | None, space: Ref | None = None
    ) -> Raid | None:
        """Take note of what somebody said in a space; return the raid that is on."""
        self._end(at)
        if self.alike is None or joined_at is None or at - joined_at > NEW or len(bones) < WORTH:
            return self.raid
        own = pairs(bones)
        self._said.append((at, member, space, own))
        since = at - timedelta(seconds=self.alike.seconds)
        latest = islice(reversed(self._said), COMPARED)
        lately = takewhile(lambda said: said[0] > since, latest)
        same = _by_member((who, where) for when, who, where, other in lately if when <= at and alike(own, other))
        if self.raid is not None:
            return self._goes_on(at, member, space, wakes=len(same) > 1) if len(same) > 1 else self.raid
        if len(same) >= self.alike.count:
            self._begin("alike", self.alike, at, same)
        return self.raid

    def state(self, now: datetime) -> Raid | None:
        """Return the raid that is on at an instant."""
        self._end(now)
        return self.raid

    def lift(self) -> None:
        """End a raid by the word of staff; what was seen until now counts no more."""
        self.raid = None
        self._joined.clear()
        self._said.clear()

    def _begin(self, sign: Literal["joins", "alike"], limit: Limit, at: datetime, who: Members) -> None:
        until = at + timedelta(seconds=self.quiet)
        self.raid = Raid(sign=sign, began=at, until=until, count=len(who), seconds=limit.seconds, members=who)

    def _goes_on(self, at: datetime, who: Ref, space: Ref | None, *, wakes: bool) -> Raid | None:
        """Count somebody among those of the raid; it lasts longer while its sign is there at half its strength."""
        assert self.raid is not None  # noqa: S101 - asked before
        until = max(self.raid.until, at + timedelta(seconds=self.quiet)) if wakes else self.raid.until
        members = self.raid.members
        if who in members or len(members) < KEPT:
            members = {**members, who: members.get(who, frozenset()) | {space}}
        self.raid = replace(self.raid, until=until, members=members, count=max(self.raid.count, len(members)))
        return self.raid

    def _end(self, now: datetime) -> None:
        if self.raid is not None and now >= self.raid.until:
            self.lift()


def _by_member(seen: Iterable[tuple[Ref, Ref | None]]) -> Members:
    """Return who was seen, each with the spaces where."""
    found: dict[Ref, frozenset[Ref | None]] = {}
    for who, where in seen:
        found[who] = found.get(who, frozenset()) | {where}
    return found
