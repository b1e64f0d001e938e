"""Which tuned encoders matching goes by: adopted for a community, being built, serving, or on their way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import col

from storage.rows import columns, insert_rows
from storage.tables import AdoptedRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from storage.connection import Connection

State = Literal["building", "serving", "leaving"]
"""Building: its vectors are written and nobody reads them. Leaving: nobody writes or reads them, and they go."""

ROWS = select(*columns(AdoptedRow, "community_id", "fingerprint", "size", "folder", "state", "until", "at"))
SERVING = ROWS.where(col(AdoptedRow.community_id) == bindparam("community"), col(AdoptedRow.state) == "serving")
"""Asked with every suggestion, so built once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A tuned encoder that was adopted for a community; `folder` is its name among the encoders of the home.

    While it is building, what waits in the outbox up to the number `until` is not in its collection yet.
    """

    community: int
    fingerprint: str
    size: int
    folder: str
    state: State
    until: int
    at: datetime


async def every(connection: Connection) -> list[Adopted]:
    """Return all of them, the oldest first."""
    return [_read(row) for row in await connection.execute(ROWS.order_by(col(AdoptedRow.at)))]


async def serving(connection: Connection, community: int) -> Adopted | None:
    """Return the one that a community's matching goes by; None where that is the base."""
    row = (await connection.execute(SERVING, {"community": community})).first()
    return _read(row) if row else None


async def written(connection: Connection) -> frozenset[tuple[int, str]]:
    """Return communities and fingerprints: whatever of that community is written goes into that collection too."""
    rows = await connection.execute(
        select(*columns(AdoptedRow, "community_id", "fingerprint")).where(col(AdoptedRow.state) != "leaving")
    )
    return frozenset((row.community_id, row.fingerprint) for row in rows)


async def fingerprints(connection: Connection) -> frozenset[str]:
    """Return the fingerprints of which anything may be held, of those on their way out too."""
    return frozenset(await connection.scalars(select(col(AdoptedRow.fingerprint))))


async def adopt(connection: Connection, one: Adopted) -> None:
    """Let one be built; it takes the place of a row of the same community and fingerprint."""
    await remove(connection, one.community, one.fingerprint)
    row = {
        "community_id": one.community,
        "fingerprint": one.fingerprint,
        "size": one.size,
        "folder": one.folder,
        "state": one.state,
        "until": one.until,
        "at": one.at,
    }
    await insert_rows(connection, AdoptedRow, [row], "community_id")


async def serve(connection: Connection, one: Adopted) -> bool:
    """Let one that was built serve, in the place of another; False when it is not wanted any more."""
    built = update(AdoptedRow).where(*_its(one.community, one.fingerprint), col(AdoptedRow.state) == "building")
    if not list(await connection.scalars(built.values(state="serving").returning(col(AdoptedRow.community_id)))):
        return False
    others = (col(AdoptedRow.community_id) == one.community, col(AdoptedRow.fingerprint) != one.fingerprint)
    await connection.execute(update(AdoptedRow).where(*others).values(state="leaving"))
    return True


async def rebuild(connection: Connection, one: Adopted, *, until: int) -> None:
    """Let one that lost points be built again; meanwhile matching goes by the base."""
    known = update(AdoptedRow).where(*_its(one.community, one.fingerprint), col(AdoptedRow.state) != "leaving")
    await connection.execute(known.values(state="building", until=until))


async def leave(connection: Connection, community: int) -> int:
    """Let all of a community be on their way out: from now on its matching goes by the base. Returns how many."""
    mine = (col(AdoptedRow.community_id) == community, col(AdoptedRow.state) != "leaving")
    gone = update(AdoptedRow).where(*mine).values(state="leaving").returning(col(AdoptedRow.fingerprint))
    return len(list(await connection.scalars(gone)))


async def leave_folders(connection: Connection, folders: Collection[str]) -> None:
    """Let those be on their way out whose weights go."""
    await connection.execute(
        update(AdoptedRow).where(col(AdoptedRow.folder).in_(sorted(folders))).values(state="leaving")
    )


async def remove(connection: Connection, community: int, fingerprint: str) -> None:
    """Forget one of which nothing is left."""
    await connection.execute(delete(AdoptedRow).where(*_its(community, fingerprint)))


def _its(community: int, fingerprint: str) -> tuple[ColumnElement[bool], ...]:
    return (col(AdoptedRow.community_id) == community, col(AdoptedRow.fingerprint) == fingerprint)


def _read(row: Row[*tuple[object, ...]]) -> Adopted:
    return Adopted(
        community=row.community_id,
        fingerprint=row.fingerprint,
        size=row.size,
        folder=row.folder,
        state=row.state,
        until=row.until,
        at=row.at,
    )
