"""Schedules: what comes again and again, what staff set of it in each community, and what became of its instants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import bindparam, select, update
from sqlmodel import col

from bot.core import recurring
from bot.core.actions import RunSchedule
from bot.core.events import TimerFired, key
from bot.core.things import Community
from storage import traces
from storage.connection import Connection
from storage.rows import columns, insert_new, table
from storage.tables import ScheduleRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from sqlalchemy import ColumnElement

    from bot.core.actions import SetSchedule
    from bot.core.decisions import Trace
    from bot.core.policies import Policy
    from bot.core.recurring import When

Due = Callable[[Connection, Community, datetime], Awaitable[Collection[object]]]
"""Says who of a community is to be seen to at a moment; nothing is put where that is nobody."""
Outcome = Literal["", "came", "nobody", "missed"]
"""What became of an instant: an event was put, nobody was due, or it was noticed too late; empty before the first."""
OFF = "off"
"""What the staff's word begins with where they paused a schedule; the time that they set before stands behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What comes again and again in every community, as an event of its name.

    `does` says what for. Without `when` it comes daily, at the hour that the community wants. With
    `due` it is a sweep: an instant at which nobody is due passes, and one that is missed loses nothing, since whoever
    was due still is. An instant that is noticed more than `late` after it came is noted as missed.
    """

    name: str
    does: str
    when: When | None = None
    due: Due | None = None
    late: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a schedule in one community.

    `value` and `set_by` are the staff's word. All instants up to `settled_at` are dealt with; `planned_at` is the last
    of them, and `outcome` what became of it. `missed` counts those that were missed, of which `missed_at` is the last.
    `asked_at` is when the staff wanted it to come out of turn, until it did.
    """

    value: str
    set_by: str
    settled_at: datetime
    asked_at: datetime | None
    planned_at: datetime | None
    outcome: Outcome
    missed: int
    missed_at: datetime | None

    @property
    def paused(self) -> bool:
        """Return whether the staff paused it."""
        return self.value.partition(" ")[0] == OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a schedule's instants up to one of them, in one community, and all that it ever `missed`.

    With `asked`, the staff wanted it out of turn, and its own instants go on as they were.
    """

    community: int
    name: str
    planned: datetime
    outcome: Outcome
    missed: int = 0
    missed_at: datetime | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a schedule stands in a community, for whoever asks: `said` tells what the skills made of the last event."""

    schedule: Schedule
    when: When
    paused: bool
    next_at: datetime | None
    kept: Kept | None
    said: str = ""


def when(schedule: Schedule, kept: Kept | None, daily_hour: int) -> When:
    """Return when a schedule comes in a community: as the staff set it, else as it comes by itself."""
    own = kept.value.removeprefix(OFF).strip() if kept else ""
    return recurring.read(own) if own else schedule.when or recurring.daily(daily_hour)


async def every(connection: Connection) -> dict[int, dict[str, Kept]]:
    """Return what is kept of all schedules, by the community's number and the name."""
    found: dict[int, dict[str, Kept]] = defaultdict(dict)
    for row in await connection.execute(select(*columns(ScheduleRow, "community_id", "name", *_KEPT))):
        found[row.community_id][row.name] = _kept(row)
    return found


async def of(connection: Connection, community: Community) -> dict[str, Kept]:
    """Return what is kept of a community's schedules, by name."""
    mine = select(*columns(ScheduleRow, "name", *_KEPT)).where(col(ScheduleRow.community_id) == community.id)
    return {row.name: _kept(row) for row in await connection.execute(mine)}


_KEPT = ("value", "set_by", "settled_at", "asked_at", "planned_at", "outcome", "missed", "missed_at")


def _kept(row: object) -> Kept:
    return Kept(**{name: getattr(row, name) for name in _KEPT})


async def keep(
    connection: Connection, community: Community, action: SetSchedule | RunSchedule, *, now: datetime
) -> None:
    """Keep when the staff wants a schedule to come, or that it is to come out of turn, once for each time they ask.

    What came before it was set is dealt with.
    """
    await _make(connection, [(community.id, action.name)], settled_at=now)
    which, came = _which(community, action.name), col(ScheduleRow.planned_at)
    if isinstance(action, RunSchedule):
        fresh = came.is_(None) | (came < action.at)
        await connection.execute(update(ScheduleRow).where(*which, fresh).values(asked_at=action.at))
        return
    values = {"value": action.value, "set_by": str(action.by or ""), "settled_at": now}
    await connection.execute(update(ScheduleRow).where(*which).values(values))


async def settle(connection: Connection, done: Sequence[Settled]) -> None:
    """Keep what became of instants."""
    if done:
        earliest = min(one.planned for one in done)
        await _make(connection, [(one.community, one.name) for one in done], settled_at=earliest)
    held = table(ScheduleRow).c
    mine = (held.community_id == bindparam("whose")) & (held.name == bindparam("called"))
    told: dict[str, object] = {"planned_at": bindparam("planned"), "outcome": bindparam("came")}
    if own := [_row(one) | {"all": one.missed, "last": one.missed_at} for one in done if not one.asked]:
        values: dict[str, object] = {
            "missed": bindparam("all"),
            "missed_at": bindparam("last"),
            "settled_at": bindparam("planned"),
        }
        await connection.execute(update(table(ScheduleRow)).where(mine).values(told | values), own)
    if asked := [_row(one) for one in done if one.asked]:
        once = mine & (held.asked_at == bindparam("planned"))
        await connection.execute(update(table(ScheduleRow)).where(once).values(told | {"asked_at": None}), asked)


def _row(one: Settled) -> dict[str, object]:
    return {"whose": one.community, "called": one.name, "planned": one.planned, "came": one.outcome}


async def _make(connection: Connection, wanted: Iterable[tuple[int, str]], *, settled_at: datetime) -> None:
    """Make the rows that are missing."""
    nothing = {"value": "", "set_by": "", "settled_at": settled_at, "outcome": "", "missed": 0}
    rows = [{"community_id": number, "name": name, **nothing} for number, name in dict.fromkeys(wanted)]
    await insert_new(connection, ScheduleRow, rows)


def _which(community: Community, name: str) -> tuple[ColumnElement[bool], ...]:
    return col(ScheduleRow.community_id) == community.id, col(ScheduleRow.name) == name


async def standings(
    connection: Connection,
    community: Community,
    schedules: Sequence[Schedule],
    *,
    policy: Policy,
    zone: tzinfo,
    now: datetime,
) -> list[Standing]:
    """Return how each schedule stands in a community; `zone` is the community's."""
    kept = await of(connection, community)
    return [
        await _standing(connection, community, one, kept.get(one.name), policy=policy, zone=zone, now=now)
        for one in schedules
    ]


async def _standing(
    connection: Connection,
    community: Community,
    schedule: Schedule,
    kept: Kept | None,
    *,
    policy: Policy,
    zone: tzinfo,
    now: datetime,
) -> Standing:
    comes, paused = when(schedule, kept, policy.daily_hour), kept is not None and kept.paused
    said = ""
    if kept is not None and kept.planned_at is not None and kept.outcome == "came":
        event = TimerFired(schedule=schedule.name, planned=kept.planned_at, at=kept.planned_at)
        trace = await traces.of_event(connection, community, key(event))
        said = _said(trace) if trace else ""
    return Standing(
        schedule=schedule,
        when=comes,
        paused=paused,
        next_at=None if paused else comes.after(now, zone),
        kept=kept,
        said=said,
    )


def _said(trace: Trace) -> str:
    """Tell what the skills proposed, and why nothing came of it where that is so."""
    told: list[str] = []
    for number, decision in enumerate(trace.verdict.decisions):
        ruled = [one for one in trace.verdict.rulings if one.decision == number]
        why = "" if any(one.kept for one in ruled) else next((one.why for one in ruled), "")
        told.append(f"{decision.reason} ({why})" if why else decision.reason)
    return "; ".join(told)
