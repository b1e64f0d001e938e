"""A span of time in a community as a digest reads it: what was said, what was made of it, and who is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select
from sqlmodel import col

from storage import members, surroundings, talks
from storage.messages import within
from storage.rows import columns, portions
from storage.tables import CaseRow, EvidenceRow, MemberRow, MessageRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from bot.core.ports import Scope
    from bot.core.things import Community
    from storage.connection import Connection
    from storage.talks import Said

MOST = 20_000
"""Messages that are read of a span, the newest."""
Mark = tuple[object, ...]

_STANDS = (
    col(CaseRow.standing) != "withdrawn",
    col(CaseRow.verdict) != "fine",
    col(CaseRow.appeal_state) != "granted",
)
"""Of a case: nobody found it fine, withdrew it or took it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was said in a span, oldest first, without what a case is about; reactions by a message's number.

    `names` are what authors are called, and `new` are those who said nothing in the community before. `titles` are
    those of threads by their number, each with the first message there, whenever that was said: whoever wrote it gave
    the title. `doubles` are accounts of humans who have several, `accused` those about whose conduct a case stands.
    """

    said: tuple[Said, ...]
    reactions: Mapping[int, int]
    names: Mapping[int, str]
    titles: Mapping[int, tuple[str, Said]]
    new: frozenset[int]
    doubles: frozenset[int]
    accused: frozenset[int] = frozenset()


async def mark(connection: Connection, scope: Scope) -> Mark:
    """Name the state of a span in a few values: any message that comes, goes or changes there is another one."""
    row = (
        await connection.execute(
            select(
                func.count(),
                func.max(col(MessageRow.id)),
                func.sum(col(MessageRow.id)),
                func.max(col(MessageRow.edited_at)),
                func.sum(func.coalesce(col(MessageRow.conversation), 0)),
            ).where(*within(scope, by="channel"))
        )
    ).one()
    review, accused = await under_review(connection, scope.community), await _accused(connection, scope)
    return (*row, tuple(sorted(review)), tuple(sorted(accused)))


async def under_review(connection: Connection, community: int) -> frozenset[str]:
    """Return the references of messages that a case rests on which nobody found fine, withdrew or took back."""
    rows = await connection.scalars(
        select(col(EvidenceRow.message))
        .join(CaseRow, col(CaseRow.id) == col(EvidenceRow.case_id))
        .where(col(CaseRow.community_id) == community, *_STANDS)
    )
    return frozenset(rows)


async def _accused(connection: Connection, scope: Scope) -> frozenset[int]:
    """Return about whose conduct a case stands that counts still; what a member told staff of, once staff said so.

    Whoever may harm themselves is accused of nothing.
    """
    told = or_(col(CaseRow.kind) != "reported", col(CaseRow.verdict) != "")
    counts = [*_STANDS, told, col(CaseRow.kind) != "self_harm"]
    if scope.since is not None:
        counts.append(col(CaseRow.expires_at) > scope.since)
    chosen = select(col(CaseRow.member_id)).where(col(CaseRow.community_id) == scope.community, *counts).distinct()
    return frozenset(await connection.scalars(chosen))


async def read(connection: Connection, community: Community, scope: Scope) -> Heard:
    """Read what was said in a scope, which has a beginning; bots are left out."""
    since = scope.since
    if since is None or scope.community != community.id:
        raise ValueError("a span needs a beginning, in its own community")
    scope = await surroundings.without_bots(connection, scope)
    review = await under_review(connection, community.id)
    newest = await talks.newest(connection, scope, MOST, by="channel")
    said = tuple(one for one in reversed(newest) if str(one.ref) not in review)
    authors = {one.author for one in said}
    threads = {-one.conversation for one in said if one.conversation is not None and one.conversation < 0}
    begun = await talks.first_in(connection, replace(scope, since=None), threads)
    begun = {number: one for number, one in begun.items() if str(one.ref) not in review}
    return Heard(
        said=said,
        reactions=await surroundings.reactions(connection, [one.id for one in said]),
        names=await _names(connection, authors | {one.author for one in begun.values()}),
        titles=await _titles(connection, begun),
        new=await _new(connection, community, authors, since),
        doubles=frozenset(await members.doubles(connection, community)),
        accused=await _accused(connection, scope),
    )


async def _names(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in portions(sorted(numbers)):
        rows = await connection.execute(select(*columns(MemberRow, "id", "name")).where(col(MemberRow.id).in_(some)))
        found.update((row.id, row.name) for row in rows)
    return found


async def _titles(connection: Connection, begun: Mapping[int, Said]) -> dict[int, tuple[str, Said]]:
    found: dict[int, tuple[str, Said]] = {}
    for some in portions(sorted(begun)):
        titled = col(ThreadRow.id).in_(some) & (col(ThreadRow.title) != "")
        rows = await connection.execute(select(*columns(ThreadRow, "id", "title")).where(titled))
        found.update((row.id, (row.title, begun[row.id])) for row in rows)
    return found


async def _new(
    connection: Connection, community: Community, authors: Collection[int], since: datetime
) -> frozenset[int]:
    """Return which of these said nothing before a moment."""
    before: set[int] = set()
    for some in portions(sorted(authors)):
        rows = await connection.scalars(
            select(col(MessageRow.author_id))
            .where(col(MessageRow.author_id).in_(some), col(MessageRow.sent_at) < since)
            .where(col(MessageRow.community_id) + 0 == community.id)
            .distinct()
        )
        before.update(rows)
    return frozenset(authors) - before
