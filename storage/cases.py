"""Cases: what members did that staff should know of, with the evidence, the reports, the verdict and the appeal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import col

from bot.core.actions import Exhibit, Kind, Ruled, Rung, Standing
from bot.core.ports import Appealable
from bot.core.things import Community, Member, Ref
from storage import members, spaces
from storage.rows import columns, portions, table
from storage.tables import CaseRow, EvidenceRow, MemberRow, ReportRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Row

    from bot.core.events import Named
    from storage.connection import Connection

MANY = 200
"""Cases read at once at most."""
RECENTLY = timedelta(days=30)
"""How far back somebody's wrong reports are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Who told the staff, and why."""

    by: Member
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it stands. `by` is the staff member who opened it, None for the bot; `trace` the one that opened it."""

    id: str
    member: Member
    kind: Kind
    opened_at: datetime
    space: Ref | None
    trace: str
    detectors: tuple[str, ...]
    reason: str
    score: float
    step: Rung
    minutes: int
    points: int
    expires_at: datetime
    by: Ref | None
    standing: Standing
    verdict: Ruled
    verdict_by: Ref | None
    verdict_at: datetime | None
    appeal: str
    appealed_at: datetime | None
    appeal_state: str
    exhibits: tuple[Exhibit, ...] = ()
    reports: tuple[Report, ...] = ()

    @property
    def is_open(self) -> bool:
        """Return whether it waits for a verdict."""
        return self.standing == "open"

    @property
    def is_against(self) -> bool:
        """Return whether something was done to the member that was not called wrong: that can be appealed."""
        return self.standing != "withdrawn" and self.verdict != "fine" and bool(self.step)

    @property
    def is_taken_back(self) -> bool:
        """Return whether what was done holds no more: it was withdrawn, found wrong, or an appeal was granted."""
        return self.standing == "withdrawn" or self.verdict == "fine" or self.appeal_state == "granted"

    def counts(self, now: datetime) -> bool:
        """Say whether its points count: not expired, not taken back."""
        return self.expires_at > now and not self.is_taken_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often one detector was right: cases that staff settled, those overturned, and what it missed.

    `overturned` are settled ones that staff called fine, withdrew, or took back on an appeal. What nobody but a member
    saw is missed by every detector, and told under the empty name.
    """

    detector: str
    settled: int = 0
    overturned: int = 0
    missed: int = 0


async def by_id(connection: Connection, community: Community, case: str) -> Case | None:
    """Return a case by its id, however it was typed."""
    found = await _cases(connection, community, col(CaseRow.id) == case.strip().upper())
    return found[0] if found else None


async def of_member(connection: Connection, community: Community, member: int, *, limit: int = 20) -> list[Case]:
    """Return the cases about a member, newest first."""
    return await _cases(connection, community, col(CaseRow.member_id) == member, limit=limit)


async def of_message(connection: Connection, community: Community, message: Ref) -> list[Case]:
    """Return the cases that rest on a message, newest first; those that were withdrawn are left out."""
    resting = select(col(EvidenceRow.case_id)).where(col(EvidenceRow.message) == str(message))
    stands = col(CaseRow.standing) != "withdrawn"
    return await _cases(connection, community, col(CaseRow.id).in_(resting) & stands)


async def queue(connection: Connection, community: Community) -> list[Case]:
    """Return the open cases: those that detectors are least sure of first, and of these the oldest."""
    found = await _cases(connection, community, col(CaseRow.standing) == "open")
    return sorted(found, key=lambda case: (round(abs(case.score - 0.5), 2), case.opened_at, case.id))


async def appealed(connection: Connection, community: Community) -> list[Case]:
    """Return the cases whose appeal waits for the staff, the oldest first."""
    found = await _cases(connection, community, col(CaseRow.appeal_state) == "open")
    return sorted(found, key=lambda case: (case.appealed_at or case.opened_at, case.id))


async def appealable(connection: Connection, accounts: Collection[Ref]) -> list[Appealable]:
    """Return what was done to any of these accounts, wherever it was, newest first: see `Case.is_against`."""
    names = ("id", "community_id", "opened_at", "space")
    found: list[Row[*tuple[object, ...]]] = []
    for some in portions(sorted(map(str, accounts))):
        found += await connection.execute(
            select(*columns(CaseRow, *names), col(MemberRow.ref))
            .join(MemberRow, col(MemberRow.id) == col(CaseRow.member_id))
            .where(col(MemberRow.ref).in_(some), *AGAINST)
        )
    found.sort(key=lambda row: row.opened_at, reverse=True)
    rooms = {
        number: await spaces.of(connection, Community(id=number, name=""))
        for number in {row.community_id for row in found}
    }
    told = ((row, _space(row, rooms[row.community_id])) for row in found)
    return [
        Appealable(case=row.id, account=Ref.parse(row.ref), space=space) for row, space in told if space is not None
    ]


def _space(row: Row[*tuple[object, ...]], among: Sequence[Named]) -> Named | None:
    """Return the space of a case, and where none is noted the first of its community on the member's platform."""
    there = [one for one in among if one.ref.platform == Ref.parse(row.ref).platform]
    return next((one for one in there if str(one.ref) == row.space), next(iter(there), None))


async def points(connection: Connection, member: int, now: datetime) -> int:
    """Sum the points that count against a member: not expired, not withdrawn, not taken back."""
    held: int = await connection.scalar(
        select(func.coalesce(func.sum(col(CaseRow.points)), 0)).where(
            col(CaseRow.member_id) == member, col(CaseRow.expires_at) > now, *COUNTING
        )
    )
    return held


async def wrong_reports(connection: Connection, member: int, since: datetime) -> int:
    """Count a member's reports since a moment that staff called fine."""
    told: int = await connection.scalar(
        select(func.count())
        .select_from(ReportRow)
        .join(CaseRow, col(CaseRow.id) == col(ReportRow.case_id))
        .where(col(ReportRow.member_id) == member, col(ReportRow.at) >= since, col(CaseRow.verdict) == "fine")
        .where(col(CaseRow.standing) == "settled")
    )
    return told


async def precision(
    connection: Connection, community: Community, since: datetime, until: datetime | None = None
) -> list[Tally]:
    """Tell for each detector how many of its cases were settled and overturned since; by name, misses last."""
    names = ("kind", "detectors", "standing", "verdict", "appeal_state", "by")
    at = func.coalesce(col(CaseRow.verdict_at), col(CaseRow.opened_at))
    span = (at >= since) & (at < until) if until else at >= since
    rows = await connection.execute(
        select(*columns(CaseRow, *names)).where(col(CaseRow.community_id) == community.id, span)
    )
    settled: dict[str, int] = {}
    overturned: dict[str, int] = {}
    missed = 0
    for row in rows:
        wrong = row.standing == "withdrawn" or row.verdict == "fine" or row.appeal_state == "granted"
        if row.kind == "reported" and not row.detectors:
            missed += bool(row.verdict) and not wrong
        elif row.verdict or wrong:
            for name in dict.fromkeys(row.detectors):
                settled[name] = settled.get(name, 0) + 1
                overturned[name] = overturned.get(name, 0) + wrong
    found = [Tally(detector=one, settled=settled[one], overturned=overturned[one]) for one in sorted(settled)]
    return [*found, Tally(detector="", missed=missed)]


COUNTING: tuple[ColumnElement[bool], ...] = (
    col(CaseRow.standing) != "withdrawn",
    col(CaseRow.verdict) != "fine",
    col(CaseRow.appeal_state) != "granted",
)
"""The cases whose points count, until they expire."""
AGAINST: tuple[ColumnElement[bool], ...] = (
    col(CaseRow.standing) != "withdrawn",
    col(CaseRow.verdict) != "fine",
    col(CaseRow.step) != "",
)
"""The cases that can be appealed."""
FIELDS = tuple(table(CaseRow).c.keys())


async def _cases(
    connection: Connection, community: Community, which: ColumnElement[bool], *, limit: int = MANY
) -> list[Case]:
    """Return cases with all that hangs on them, newest first."""
    rows = (
        await connection.execute(
            select(*columns(CaseRow, *FIELDS))
            .where(col(CaseRow.community_id) == community.id, which)
            .order_by(col(CaseRow.opened_at).desc(), col(CaseRow.id))
            .limit(limit)
        )
    ).all()
    exhibits = await _exhibits(connection, [row.id for row in rows])
    reports = await _reports(connection, [row.id for row in rows])
    whose = await members.by_numbers(connection, {row.member_id for row in rows})
    return [_case(row, whose[row.member_id], exhibits.get(row.id, ()), reports.get(row.id, ())) for row in rows]


async def _exhibits(connection: Connection, numbers: Sequence[str]) -> dict[str, tuple[Exhibit, ...]]:
    found: dict[str, tuple[Exhibit, ...]] = {}
    names = columns(EvidenceRow, "case_id", "message", "channel", "text", "sent_at", "picture")
    for some in portions(numbers):
        rows = await connection.execute(
            select(*names, col(MemberRow.ref).label("author"))
            .join(MemberRow, col(MemberRow.id) == col(EvidenceRow.member_id))
            .where(col(EvidenceRow.case_id).in_(some))
            .order_by(col(EvidenceRow.sent_at), col(EvidenceRow.message))
        )
        for row in rows:
            found[row.case_id] = (*found.get(row.case_id, ()), _exhibit(row))
    return found


async def _reports(connection: Connection, numbers: Sequence[str]) -> dict[str, tuple[Report, ...]]:
    found: dict[str, tuple[Report, ...]] = {}
    for some in portions(numbers):
        rows = (
            await connection.execute(
                select(*columns(ReportRow, "case_id", "member_id", "reason", "at"))
                .where(col(ReportRow.case_id).in_(some))
                .order_by(col(ReportRow.at), col(ReportRow.member_id))
            )
        ).all()
        whose = await members.by_numbers(connection, {row.member_id for row in rows})
        for row in rows:
            report = Report(by=whose[row.member_id], reason=row.reason, at=row.at)
            found[row.case_id] = (*found.get(row.case_id, ()), report)
    return found


def _exhibit(row: Row[*tuple[object, ...]]) -> Exhibit:
    return Exhibit(
        message=Ref.parse(row.message),
        channel=Ref.parse(row.channel),
        text=row.text,
        at=row.sent_at,
        picture=row.picture,
        author=Ref.parse(row.author),
    )


def _case(
    row: Row[*tuple[object, ...]], member: Member, exhibits: tuple[Exhibit, ...], reports: tuple[Report, ...]
) -> Case:
    same = ("id", "kind", "opened_at", "reason", "score", "step", "minutes", "points", "expires_at", "standing")
    more = ("verdict", "verdict_at", "appeal", "appealed_at", "appeal_state")
    return Case(
        **{name: getattr(row, name) for name in same + more},
        member=member,
        space=_ref(row.space),
        trace=row.trace_id,
        detectors=tuple(row.detectors),
        by=_ref(row.by),
        verdict_by=_ref(row.verdict_by),
        exhibits=exhibits,
        reports=reports,
    )


def _ref(text: str) -> Ref | None:
    return Ref.parse(text) if text else None
