"""Forgetting somebody: everything that is held goes, one transaction an account, and what is left is counted."""

from __future__ import annotations

import asyncio
import functools
import logging
import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from bot.core.errors import Unavailable
from bot.core.ports import Scope
from storage import adopted, growth, holdings, ledger, messages, notes, persons, refusals, sparing, tuned
from storage.holdings import among
from storage.outbox import SPOKEN, serving
from storage.persons import Account
from storage.rows import insert_new, portions
from storage.surveying import brought_up_to_date, survey
from storage.tables import (
    AnswerRow,
    AnswerSourceRow,
    MemberRow,
    MessageRow,
    NoteRow,
    OpinionRow,
    OutboxRow,
    ThreadRow,
    metadata,
)
from storage.trail import follow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy import Engine, Update

    from bot.core.ports import Points
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals
    from storage.trail import Survey

log = logging.getLogger(__name__)

PASSES = 3
"""How often it is tried: what a running bot wrote meanwhile is erased in the next pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The proof: what was erased by store, what is left after all, and the bot's public messages that quoted them.

    Points whose deletion waits for the vector store are left too.
    """

    erased: dict[str, int]
    left: int
    quoting: tuple[Ref, ...] = ()

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(
            erased={
                store: self.erased.get(store, 0) + other.erased.get(store, 0)
                for store in dict.fromkeys([*self.erased, *other.erased])
            },
            left=self.left + other.left,
            quoting=tuple(dict.fromkeys([*self.quoting, *other.quoting])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """The points of a member, and those whose old writes may still be on the way: they are deleted once more later."""

    all: Sequence[UUID]
    on_the_way: frozenset[UUID]


async def look(
    database: Database, community: Community, member: Member, *, fingerprint: str | None = None
) -> tuple[Survey, dict[str, int]]:
    """Find everything that is held about a member and count it by store."""
    async with database.read() as connection:
        found = await survey(connection, community, member, fingerprint=fingerprint)
        return found, await holdings.count(connection, found)


async def accounts(database: Database, community: Community, member: Member) -> list[Account]:
    """Return all accounts of the human behind a member, this one last: it is what a crash leaves to go on from."""
    async with database.read() as connection:
        return [*await persons.others(connection, member), Account(member=member, community=community)]


async def forget(
    database: Database,
    vectors: Points | None,
    encoder_fingerprint: str | None,
    community: Community,
    member: Member,
    *,
    home: Path,
    now: datetime,
    settled: Callable[[], Awaitable[None]] | None = None,
) -> Forgotten:
    """Erase everything about a human from tables and vectors, with every account, and let nothing of them in again.

    Each account is erased in a transaction, and encoders that learned from it go: matching no longer goes by them.
    `vectors` are all collections in which there may be points. `settled` waits for points that are
    on their way as it begins.
    Without `vectors`, and while the vector store is away, the points wait in the outbox for their deletion. Whoever
    carries this out must write nothing about the member afterwards. Raises Unavailable.
    """
    refused, done = await refusals.load(home), Forgotten(erased={}, left=0)
    for one in await accounts(database, community, member):
        author = str(one.member.id)
        # First, since after a crash nobody would know any more whose number that was.
        if folders := await asyncio.to_thread(tuned.that_learned_from, home, author):
            await database.write(functools.partial(adopted.leave_folders, folders=folders))
        if gone := await asyncio.to_thread(tuned.forget, home, author):
            done += Forgotten(erased={"encoders": gone}, left=0)
        async with database.read() as connection:
            found = await survey(connection, one.community, one.member, fingerprint=encoder_fingerprint)
        done += await _forget(database, vectors, found, refused=refused, now=now, settled=settled)
    return done


async def _forget(
    database: Database,
    vectors: Points | None,
    found: Survey,
    *,
    refused: Refusals,
    now: datetime,
    settled: Callable[[], Awaitable[None]] | None,
) -> Forgotten:
    quoting, erased, left = tuple(one.message for one in found.trail.quoting), dict[str, int](), 0
    for _ in range(PASSES):
        found, counted, points = await database.write(functools.partial(_erase, found=found, refused=refused, now=now))
        erased = {store: erased.get(store, 0) + counted.get(store, 0) for store in erased | counted}
        if settled is not None:
            await settled()
        deleted = await _delete_points(database, vectors, points)
        found, left = await recount(database, vectors if deleted else None, found)
        left += 0 if deleted else len(points.all)
        if not left or not deleted:
            break
    return Forgotten(erased=erased, left=left, quoting=quoting)


async def recount(database: Database, vectors: Points | None, found: Survey) -> tuple[Survey, int]:
    """Look for everything again, by number, by reference and by words; return what was found and how much it is.

    Points are counted where the vector store is at hand. What is learned from everybody is not: a forget drops it, and
    what was learned since is of others' words.
    """
    async with database.read() as connection:
        found = await follow(connection, found)
        counted = await holdings.count(connection, found)
    left = sum(number for store, number in counted.items() if store not in holdings.DERIVED)
    scope = Scope(community=found.community.id, authors=frozenset({found.member.id}))
    return found, left + (await vectors.count(scope) if vectors else 0)


async def _erase(
    connection: Connection, *, found: Survey, refused: Refusals, now: datetime
) -> tuple[Survey, dict[str, int], _Points]:
    found = await brought_up_to_date(connection, found)
    # As they read now: another source may have been taken out of them since.
    spared = await sparing.find(connection, found.probes, found.trail.traces)
    found = replace(found, trail=replace(found.trail, spared=spared))
    await sparing.keep(connection, spared)
    points = await _points(connection, found)
    erased = {
        "digest": len(spared),
        "reply": await _change(
            connection, update(MessageRow).values(reply_to=None), MessageRow.id, found.trail.replies
        ),
        "title": await _change(connection, update(ThreadRow).values(title=""), ThreadRow.id, found.trail.begun),
    }
    for column, model in holdings.STAFF.items():
        nobody = update(model).where(holdings.named(found, column)).values({column: ""})
        erased[column] = _touched(await connection.execute(nobody))
    resting = [await notes.erase(connection, some, now=now) for some in among(NoteRow.id, found.trail.notes)]
    erased["note"] = sum(resting)
    await _let_stand(connection, found)
    await growth.blur(connection, found.community)
    for some in holdings.rows(found):
        for condition in some.conditions:
            gone = await connection.execute(delete(some.model).where(condition))
            erased[some.store] = erased.get(some.store, 0) + _touched(gone)
    waiting = [{"point": point, "message_id": None, "sent_at": now} for point in points.all]
    await insert_new(connection, OutboxRow, waiting)
    await refused.refuse(connection, found.community, found.member.ref)
    erased = {store: number for store, number in (erased | {"vectors": len(points.all)}).items() if number}
    if "member" in erased:
        await ledger.note(connection, found.community.id, at=now, actor="", act="forget", details={"erased": erased})
    return found, erased, points


async def _let_stand(connection: Connection, found: Survey) -> None:
    """Let what was answered them aloud be nobody's answer: it quotes others, and follows what these change.

    What hangs on the answers that they were given alone goes before those. Whoever waits for the answer to their
    question holds its words no more.
    """
    mine = col(AnswerRow.member_id) == found.member.id
    aloud = mine & col(AnswerRow.alone).is_(False)
    alone = select(col(AnswerRow.id)).where(mine, col(AnswerRow.alone).is_(True))
    await connection.execute(delete(AnswerSourceRow).where(col(AnswerSourceRow.answer_id).in_(alone)))
    others = col(OpinionRow.member_id) != found.member.id
    await connection.execute(delete(OpinionRow).where(col(OpinionRow.answer_id).in_(alone), others))
    nobody = {"member_id": None, "question": "", "asked": "", "trace_id": ""}
    await connection.execute(update(AnswerRow).where(aloud).values(nobody))
    await messages.forget_questions(connection, found.probes.messages)


async def _change(connection: Connection, change: Update, column: object, numbers: Sequence[int]) -> int:
    return sum([_touched(await connection.execute(change.where(some))) for some in among(column, numbers)])


def _touched(result: object) -> int:
    assert isinstance(result, CursorResult)  # noqa: S101 - what a changing statement returns
    return max(0, result.rowcount)


async def _points(connection: Connection, found: Survey) -> _Points:
    """Return the points that were written or will be; there are none before an encoder serves."""
    if await serving(connection) is None:
        return _Points(all=(), on_the_way=frozenset())
    mine = col(MessageRow.author_id) == found.member.id
    statement = (
        select(col(MessageRow.point), col(OutboxRow.id))
        .join(MemberRow, col(MemberRow.id) == col(MessageRow.author_id))
        .join(OutboxRow, col(OutboxRow.message_id) == col(MessageRow.id), isouter=True)
        .where(mine, *SPOKEN)
    )
    pairs = [(row[0], row[1] is not None) for row in await connection.execute(statement)]
    for some in among(NoteRow.id, found.trail.notes):
        resting = (
            select(col(NoteRow.point), col(OutboxRow.id))
            .join(OutboxRow, col(OutboxRow.note_id) == col(NoteRow.id), isouter=True)
            .where(some)
        )
        pairs += [(row[0], row[1] is not None) for row in await connection.execute(resting)]
    return _Points(
        all=tuple(dict.fromkeys(point for point, _ in pairs)),
        on_the_way=frozenset(point for point, waits in pairs if waits),
    )


async def _delete_points(database: Database, vectors: Points | None, points: _Points) -> bool:
    """Delete points at once and say whether they are gone; what waited to be written may be on its way just now.

    The deletion of those stays in the outbox, to be made once more.
    """
    if not points.all:
        return True
    if vectors is None:
        return False
    try:
        await vectors.delete(points.all)
    except Unavailable as error:
        log.warning("%d points wait for their deletion: %s", len(points.all), error)
        return False
    gone = [point for point in points.all if point not in points.on_the_way]
    await database.write(functools.partial(_acknowledge, points=gone))
    return True


async def _acknowledge(connection: Connection, *, points: Sequence[UUID]) -> None:
    for some in portions(points):
        deleted = (
            col(OutboxRow.message_id).is_(None),
            col(OutboxRow.note_id).is_(None),
            col(OutboxRow.point).in_(some),
        )
        await connection.execute(delete(OutboxRow).where(*deleted))


AT_ONCE = 64 * 2**20
"""Bytes of a file that is written anew at once, in about a second in which nobody else writes; a larger one waits."""


async def compact(database: Database, *, most: int | None = None) -> bool:
    """Take what was erased out of the files too; False when somebody else kept it from that, and it must be repeated.

    SQLite overwrites what it deletes (`secure_delete`), old copies wait in its log until that is emptied, and pages
    that were once split keep pieces of rows: after a forget the whole file is written anew. PostgreSQL lets go of dead
    rows; the bytes stay in its files and in its log until they are overwritten.

    A file of more than `most` bytes is left as it is, for the next time without such a limit: nobody else writes
    meanwhile.
    """
    return await asyncio.to_thread(_compact, database.engine, most)


def _compact(engine: Engine, most: int | None) -> bool:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = connection.connection.driver_connection
        try:
            if isinstance(driver, sqlite3.Connection):
                return _compact_file(driver, most)
            connection.exec_driver_sql(f"VACUUM {', '.join(metadata.tables)}")
            return True
        except (sqlite3.OperationalError, DBAPIError) as error:
            log.warning("the database is not compacted: %s", error)
            return False


def _compact_file(driver: sqlite3.Connection, most: int | None) -> bool:
    """Write the file anew if there was a forget since the last time, whose number is kept in the file's header."""
    [[last]] = driver.execute("SELECT coalesce(max(id), 0) FROM ledger WHERE act = 'forget'").fetchall()
    [[known]] = driver.execute("PRAGMA user_version").fetchall()
    [[pages]] = driver.execute("PRAGMA page_count").fetchall()
    [[size]] = driver.execute("PRAGMA page_size").fetchall()
    if last != known and (most is None or pages * size <= most):
        driver.execute("VACUUM")
        driver.execute(f"PRAGMA user_version = {last}")
    [[busy, *_]] = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy
