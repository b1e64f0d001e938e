"""Writing cases: opened and added to, reported, settled, appealed; and what a verdict teaches which head."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import col

from bot.core.things import Ref
from storage import members
from storage.rows import columns, insert_new, portions
from storage.tables import CaseRow, EvidenceRow, LessonRow, ReportRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Delete, Row, Select, Update

    from bot.core.actions import KeepAppeal, KeepCase, KeepReport, SettleCase
    from bot.core.things import Community, Member
    from storage.connection import Connection

STEPS = ("", "note", "warn", "timeout", "kick", "ban")
"""From nothing to the hardest."""
TEACHES = {"spam": "spam", "compromised": "spam", "rude": "toxicity"}
"""The head that learns from a verdict what it should have seen; being off-topic is nothing that a head should see."""
ACCUSES = {"spam": "spam", "scam": "spam"} | {one: one for one in ("toxicity", "hate", "sexual", "self_harm")}
"""The head behind a kind of case, which learns what it should not have seen."""
HEADS = ("spam", "toxicity", "hate", "sexual", "self_harm")
PICTURE = "picture"
"""The head that knows pictures."""


async def keep(
    connection: Connection,
    community: Community,
    member: Member,
    action: KeepCase,
    *,
    quarantine: timedelta,
    trace: str,
    now: datetime,
) -> str:
    """Open a case, add to it, withdraw it or bring it back with what it taught; returns what is wrong, or nothing."""
    found = await _find(connection, community, action.case)
    if (found is not None and found.member_id != member.id) or (
        found is None and await _is_elsewhere(connection, action.case)
    ):
        return f"case {action.case} is about somebody else"
    if action.standing in {"", "withdrawn"}:
        return await _withdraw(connection, action.case)
    if found is None:
        await _open(connection, community, member, action, trace=trace, now=now)
    else:
        await _raise(connection, found, action)
    await _exhibit(connection, community, member, action)
    if found is not None and found.standing == "withdrawn" and found.verdict and found.appeal_state != "granted":
        await teach(connection, action.case, now=now, matures_at=now + quarantine)
    return ""


async def _is_elsewhere(connection: Connection, case: str) -> bool:
    """Say whether another community has a case of this id: ids are made by chance, and each names one case of all."""
    return await connection.scalar(select(col(CaseRow.id)).where(col(CaseRow.id) == case)) is not None


async def _open(
    connection: Connection, community: Community, member: Member, action: KeepCase, *, trace: str, now: datetime
) -> None:
    row = {
        "id": action.case,
        "community_id": community.id,
        "member_id": member.id,
        "kind": action.about,
        "opened_at": now,
        "space": str(action.space or ""),
        "trace_id": trace,
        "detectors": list(action.detectors),
        "reason": action.reason,
        "score": action.score,
        "step": action.step,
        "minutes": action.minutes,
        "points": action.points,
        "expires_at": now + timedelta(days=action.days),
        "by": str(action.by or ""),
        "standing": action.standing,
        "verdict": "",
        "verdict_by": "",
        "appeal": "",
        "appeal_state": "",
    }
    await insert_new(connection, CaseRow, [row])


async def _raise(connection: Connection, found: Row[*tuple[object, ...]], action: KeepCase) -> None:
    """Add to a case; what was withdrawn stands again as it stood."""
    values: dict[str, object] = {
        "points": max(found.points, action.points),
        "score": max(found.score, action.score),
        "detectors": list(dict.fromkeys([*found.detectors, *action.detectors])),
    }
    if STEPS.index(action.step) > STEPS.index(found.step):
        values |= {"step": action.step, "minutes": action.minutes}
    elif action.step == found.step:
        values |= {"minutes": max(found.minutes, action.minutes)}
    if found.standing == "withdrawn":
        values |= {"standing": "settled" if found.verdict else action.standing}
    await connection.execute(update(CaseRow).where(col(CaseRow.id) == action.case).values(values))


async def _withdraw(connection: Connection, case: str) -> str:
    await connection.execute(update(CaseRow).where(col(CaseRow.id) == case).values(standing="withdrawn"))
    await unlearn(connection, case)
    return ""


async def _exhibit(connection: Connection, community: Community, member: Member, action: KeepCase) -> None:
    """Keep the evidence that is missing; of an author who is not known, nothing is kept."""
    refs = {one.author for one in action.exhibits if one.author is not None}
    authors = await members.by_refs(connection, community, refs)
    rows = [
        {
            "case_id": action.case,
            "message": str(one.message),
            "member_id": author.id,
            "channel": str(one.channel),
            "text": one.text,
            "sent_at": one.at,
            "picture": one.picture,
        }
        for one in action.exhibits
        if (author := authors.get(one.author) if one.author else member) is not None
    ]
    await insert_new(connection, EvidenceRow, rows)


async def report(
    connection: Connection, community: Community, member: Member, action: KeepReport, *, now: datetime
) -> str:
    """Keep who told of it; once is enough. Returns what is wrong, empty if nothing is."""
    if await _find(connection, community, action.case) is None:
        return unknown(action.case)
    row = {"case_id": action.case, "member_id": member.id, "reason": action.reason, "at": now}
    await insert_new(connection, ReportRow, [row])
    return ""


async def settle(
    connection: Connection, community: Community, action: SettleCase, *, quarantine: timedelta, now: datetime
) -> str:
    """Keep a verdict and let it teach, or take it back and unlearn. Returns what is wrong, empty if nothing is."""
    found = await _find(connection, community, action.case)
    if found is None:
        return unknown(action.case)
    if not action.verdict:
        return await _reopen(connection, found, action)
    if found.verdict == action.verdict and found.verdict_by == str(action.by):
        return ""
    if found.standing != "open":
        by = await members.by_ref(connection, community, Ref.parse(found.verdict_by)) if found.verdict_by else None
        return f"settled already by {by.name}" if by else "settled already"
    values: dict[str, object] = {
        "standing": "settled",
        "verdict": action.verdict,
        "verdict_by": str(action.by),
        "verdict_at": now,
        "points": found.points + action.points,
    }
    if action.step:
        values |= {"step": action.step, "minutes": action.minutes}
    await connection.execute(update(CaseRow).where(col(CaseRow.id) == action.case).values(values))
    await teach(connection, action.case, now=now, matures_at=now + quarantine)
    return ""


async def _reopen(connection: Connection, found: Row[*tuple[object, ...]], action: SettleCase) -> str:
    if found.verdict:
        values: dict[str, object] = {
            "verdict": "",
            "verdict_by": "",
            "verdict_at": None,
            "points": max(0, found.points - action.points),
            "standing": "withdrawn" if found.standing == "withdrawn" else "open",
        }
        if action.step:
            values |= {"step": "", "minutes": 0}
        await connection.execute(update(CaseRow).where(col(CaseRow.id) == action.case).values(values))
    await unlearn(connection, action.case)
    return ""


async def appeal(
    connection: Connection, community: Community, action: KeepAppeal, *, quarantine: timedelta, now: datetime
) -> str:
    """Keep an appeal and what came of it; one that is granted unlearns. Returns what is wrong, empty if nothing is."""
    found = await _find(connection, community, action.case)
    if found is None:
        return unknown(action.case)
    if found.appeal_state == action.state:
        return ""
    if action.state not in {"", "open"} and found.appeal_state not in {"", "open"}:
        return "this appeal was decided already"
    values: dict[str, object] = {"appeal_state": action.state}
    if action.state == "open":
        values |= {"appeal": action.text, "appealed_at": found.appealed_at or now}
    elif not action.state:
        values |= {"appeal": "", "appealed_at": None}
    await connection.execute(update(CaseRow).where(col(CaseRow.id) == action.case).values(values))
    if action.state == "granted":
        await unlearn(connection, action.case)
    elif found.appeal_state == "granted":
        await teach(connection, action.case, now=now, matures_at=now + quarantine)
    return ""


async def teach(connection: Connection, case: str, *, now: datetime, matures_at: datetime) -> None:
    """Keep what the verdict on a case teaches, about each of its messages; what is there already stays."""
    found = (
        await connection.execute(
            select(*columns(CaseRow, "community_id", "kind", "detectors", "verdict")).where(col(CaseRow.id) == case)
        )
    ).one()
    names = ("member_id", "message", "text", "picture")
    evidence = (
        await connection.execute(select(*columns(EvidenceRow, *names)).where(col(EvidenceRow.case_id) == case))
    ).all()
    shared = {"community_id": found.community_id, "case_id": case, "at": now, "matures_at": matures_at}
    rows = [
        {
            **shared,
            "member_id": one.member_id,
            "message": one.message,
            "head": head,
            "label": label,
            "text": "" if head == PICTURE else one.text,
            "picture": one.picture if head == PICTURE else "",
            "width": 0,
            "made_by": "",
        }
        for one in evidence
        for head, label in lessons(found.kind, found.detectors, found.verdict)
        if (one.picture if head == PICTURE else one.text)
    ]
    await insert_new(connection, LessonRow, rows)


def lessons(kind: str, detectors: Iterable[str], verdict: str) -> Iterator[tuple[str, int]]:
    """Name the heads that learn from a verdict, each with the label.

    A head learns 1 from what it should have seen, and 0 from what it accused wrongly: the head of the case's kind, and
    those that its detectors are called by.
    """
    if verdict == "fine":
        accused = [ACCUSES[kind]] if kind in ACCUSES else []
        named = [head for head in HEADS if any(head in one for one in detectors)]
        for head in dict.fromkeys([*accused, *named]):
            yield head, 0
        if "spam" in accused or any(PICTURE in one for one in detectors):
            yield PICTURE, 0
    elif verdict in TEACHES:
        yield TEACHES[verdict], 1
        if TEACHES[verdict] == "spam":
            yield PICTURE, 1


async def unlearn(connection: Connection, case: str) -> None:
    """Drop what a case taught."""
    await connection.execute(delete(LessonRow).where(col(LessonRow.case_id) == case))


async def purge(connection: Connection, community: Community, before: datetime, *, limit: int) -> int:
    """Erase what cases from before a moment rest on, and what members wrote about cases before it, however old these.

    Words that nobody came to encode go too. Returns how much that was, up to `limit` of each.
    """
    case, ours = col(CaseRow.id), select(col(CaseRow.id)).where(col(CaseRow.community_id) == community.id)
    rests = case.in_(select(col(EvidenceRow.case_id)))
    told = (col(ReportRow.reason) != "") & (col(ReportRow.at) < before)
    waits = (col(LessonRow.community_id) == community.id) & (col(LessonRow.text) != "") & (col(LessonRow.at) < before)
    old: Sequence[tuple[Select[*tuple[object, ...]], Callable[[Sequence[object]], Delete | Update]]] = (
        (
            ours.where(col(CaseRow.opened_at) < before, rests),
            lambda some: delete(EvidenceRow).where(col(EvidenceRow.case_id).in_(some)),
        ),
        (
            select(col(ReportRow.case_id)).where(told, col(ReportRow.case_id).in_(ours)).distinct(),
            lambda some: update(ReportRow).where(told, col(ReportRow.case_id).in_(some)).values(reason=""),
        ),
        (
            ours.where(col(CaseRow.appeal) != "", col(CaseRow.appealed_at) < before),
            lambda some: update(CaseRow).where(case.in_(some)).values(appeal=""),
        ),
        (select(col(LessonRow.id)).where(waits), lambda some: delete(LessonRow).where(col(LessonRow.id).in_(some))),
    )
    return sum([await _in_portions(connection, wanted.limit(limit), change) for wanted, change in old])


async def _in_portions(
    connection: Connection, wanted: Select[*tuple[object, ...]], change: Callable[[Sequence[object]], Delete | Update]
) -> int:
    found: list[object] = list(await connection.scalars(wanted))
    for some in portions(found):
        await connection.execute(change(some))
    return len(found)


def unknown(case: str) -> str:
    """Say that there is no such case."""
    return f"case {case} is not known here"


async def _find(connection: Connection, community: Community, case: str) -> Row[*tuple[object, ...]] | None:
    names = ("member_id", "standing", "verdict", "verdict_by", "points", "score", "detectors", "step", "minutes")
    found = await connection.execute(
        select(*columns(CaseRow, *names, "appeal_state", "appealed_at")).where(
            col(CaseRow.community_id) == community.id, col(CaseRow.id) == case
        )
    )
    return found.first()
