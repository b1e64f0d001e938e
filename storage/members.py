"""Members: who they are, what they agreed to, which channels they are in."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import col

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Member, Ref
from storage import policies
from storage.rows import columns, insert_new, portions, table
from storage.tables import ConsentRow, InterestRow, MemberRow, MembershipRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from bot.core.things import Community
    from storage.connection import Connection

FIELDS = ("id", "ref", "name", "person_id", "language", "guest")
COLUMNS = columns(MemberRow, *FIELDS)

# Statements of every message are built once: that costs more than executing them.
OURS = col(MemberRow.community_id) == bindparam("community")
BY_REFS = select(*COLUMNS).where(OURS, col(MemberRow.ref).in_(bindparam("refs", expanding=True)))
BY_NUMBERS = (
    select(*COLUMNS).where(col(MemberRow.id).in_(bindparam("numbers", expanding=True))).order_by(col(MemberRow.id))
)
CONSENTS = (
    select(*columns(ConsentRow, "member_id", "collected"))
    .join(MemberRow, col(MemberRow.id) == col(ConsentRow.member_id))
    .where(OURS)
)
CONSENTS_AMONG = CONSENTS.where(col(ConsentRow.member_id).in_(bindparam("members", expanding=True)))


async def every(connection: Connection, community: Community) -> list[Member]:
    """Return every member of a community."""
    rows = await connection.execute(
        select(*COLUMNS).where(col(MemberRow.community_id) == community.id).order_by(col(MemberRow.id))
    )
    return [read(row) for row in rows]


async def by_ref(connection: Connection, community: Community, ref: Ref) -> Member | None:
    """Return the member of a reference."""
    found = await connection.execute(
        select(*COLUMNS).where(col(MemberRow.community_id) == community.id, col(MemberRow.ref) == str(ref))
    )
    row = found.first()
    return read(row) if row else None


async def by_number(connection: Connection, number: int) -> Member | None:
    """Return the member of a number."""
    row = (await connection.execute(select(*COLUMNS).where(col(MemberRow.id) == number))).first()
    return read(row) if row else None


async def by_numbers(connection: Connection, wanted: Iterable[int]) -> dict[int, Member]:
    """Return those of these numbers who are still there, in their order."""
    found: dict[int, Member] = {}
    for some in portions(sorted(set(wanted))):
        rows = await connection.execute(BY_NUMBERS, {"numbers": some})
        found.update({(one := read(row)).id: one for row in rows})
    return found


async def is_known(connection: Connection, member: Member) -> bool:
    """Say whether a member is still the one who was met, and was not forgotten since."""
    mine = (col(MemberRow.id) == member.id) & (col(MemberRow.ref) == str(member.ref))
    return (await connection.scalar(select(col(MemberRow.id)).where(mine))) is not None


async def by_refs(connection: Connection, community: Community, wanted: Iterable[Ref]) -> dict[Ref, Member]:
    """Return those of these references who are members."""
    found: dict[Ref, Member] = {}
    for some in portions(sorted(map(str, wanted))):
        rows = await connection.execute(BY_REFS, {"community": community.id, "refs": some})
        found.update({(one := read(row)).ref: one for row in rows})
    return found


def read(row: Row[*tuple[object, ...]]) -> Member:
    """Return a row of `FIELDS` as the member that it is."""
    return Member(
        id=row.id,
        ref=Ref.parse(row.ref),
        name=row.name,
        person=row.person_id,
        language=row.language,
        guest=row.guest,
    )


async def find(connection: Connection, community: Community, wanted: str) -> Member:
    """Return a member by reference, imported id or name. Raises Mistake that suggests near names."""
    known = await every(connection, community)
    bare = wanted.removeprefix("@")
    for sounds_right in (
        lambda one: str(one.ref) == wanted,
        lambda one: one.ref.id == bare,
        lambda one: one.name.casefold() == bare.casefold(),
        lambda one: one.ref.id.casefold() == bare.casefold(),
        lambda one: one.name.casefold().split()[:1] == [bare.casefold()],
    ):
        if found := [one for one in known if sounds_right(one)]:
            return _only(found, wanted)
    near = difflib.get_close_matches(bare, [name for one in known for name in (one.name, one.ref.id)], n=3)
    if near:
        sentence = _("There is no member {name!r} in {community}. Did you mean {near}?")
        raise Mistake(sentence, name=wanted, community=community.name, near=", ".join(dict.fromkeys(near)))
    raise Mistake(_("There is no member {name!r} in {community}."), name=wanted, community=community.name)


def _only(found: list[Member], wanted: str) -> Member:
    if len(found) > 1:
        they = ", ".join(str(one.ref) for one in found[:5])
        raise Mistake(_("{name!r} may be {they}. Say which by its reference."), name=wanted, they=they)
    return found[0]


async def set_consent(connection: Connection, member: int, *, collected: bool | None, now: datetime) -> None:
    """Store what a member said about being collected; the last word counts, and None takes it back."""
    consent = table(ConsentRow)
    await connection.execute(consent.delete().where(consent.c.member_id == member))
    if collected is False:
        # What they like was told to be used: who wants nothing used is not asked to take back each word.
        await connection.execute(delete(InterestRow).where(col(InterestRow.member_id) == member))
    if collected is not None:
        await insert_new(connection, ConsentRow, [{"member_id": member, "collected": collected, "at": now}])


async def withheld(
    connection: Connection, community: Community, *, among: Collection[int] | None = None, consent: str = ""
) -> frozenset[int]:
    """Return the members whose words must not be used: who refused, or has not agreed where that is needed.

    `among` asks about some members alone, which costs the same however many there are; `consent` is what staff set, for
    whoever has read it.
    """
    said: dict[int, bool] = {}
    for some in [None] if among is None else portions(sorted(among)):
        said.update(await _consents(connection, community, some))
    if (consent or await policies.consent(connection, community)) == "opt_out":
        return frozenset(member for member, collected in said.items() if not collected)
    asked = await _numbers(connection, community) if among is None else among
    return frozenset(member for member in asked if not said.get(member))


async def _consents(connection: Connection, community: Community, some: Sequence[int] | None) -> dict[int, bool]:
    if some is None:
        rows = await connection.execute(CONSENTS, {"community": community.id})
    else:
        rows = await connection.execute(CONSENTS_AMONG, {"community": community.id, "members": some})
    return {row.member_id: row.collected for row in rows}


async def _numbers(connection: Connection, community: Community) -> list[int]:
    return list(await connection.scalars(select(col(MemberRow.id)).where(col(MemberRow.community_id) == community.id)))


async def alike(connection: Connection, community: Community, member: Member) -> frozenset[int]:
    """Return the numbers of all accounts that the human behind a member has in a community."""
    theirs = (col(MemberRow.person_id) == member.person) & (col(MemberRow.community_id) == community.id)
    rows = await connection.scalars(select(col(MemberRow.id)).where(theirs))
    return frozenset(number for number in rows if number is not None) | {member.id}


async def are_guests(connection: Connection, *accounts: int) -> bool:
    """Say whether all of these accounts are guests'."""
    others = select(col(MemberRow.id)).where(col(MemberRow.id).in_(accounts), col(MemberRow.guest).is_(False))
    return await connection.scalar(others.limit(1)) is None


async def has_guests(connection: Connection, channel: int) -> bool:
    """Say whether a guest is in a channel."""
    inside = (
        select(col(MemberRow.id))
        .join(MembershipRow, col(MembershipRow.member_id) == col(MemberRow.id))
        .where(col(MembershipRow.channel_id) == channel, col(MembershipRow.left_at).is_(None))
        .where(col(MemberRow.guest).is_(True))
    )
    return await connection.scalar(inside.limit(1)) is not None


async def doubles(connection: Connection, community: Community) -> dict[int, int]:
    """Return the accounts of those who have several in a community, each with the first of that human's."""
    several = (
        select(col(MemberRow.person_id))
        .where(col(MemberRow.community_id) == community.id)
        .group_by(col(MemberRow.person_id))
        .having(func.count() > 1)
    )
    rows = await connection.execute(
        select(*columns(MemberRow, "id", "person_id"))
        .where(col(MemberRow.community_id) == community.id, col(MemberRow.person_id).in_(several))
        .order_by(col(MemberRow.id))
    )
    first: dict[int, int] = {}
    return {row.id: first.setdefault(row.person_id, row.id) for row in rows}


async def joined(connection: Connection, *accounts: int) -> frozenset[int]:
    """Return the channels that any of these accounts is in now."""
    rows = await connection.scalars(
        select(col(MembershipRow.channel_id)).where(
            col(MembershipRow.member_id).in_(accounts), col(MembershipRow.left_at).is_(None)
        )
    )
    return frozenset(rows)


async def rename(connection: Connection, member: int, name: str) -> None:
    """Call a member as they are called now."""
    other = (col(MemberRow.id) == member) & (col(MemberRow.name) != name)
    await connection.execute(update(MemberRow).where(other).values(name=name))


async def inside(connection: Connection, channel: int) -> list[int]:
    """Return who is in a channel now, the first to come first."""
    rows = await connection.scalars(
        select(col(MembershipRow.member_id))
        .where(col(MembershipRow.channel_id) == channel, col(MembershipRow.left_at).is_(None))
        .order_by(col(MembershipRow.joined_at), col(MembershipRow.member_id))
    )
    return list(rows)


async def bots(connection: Connection, community: Community) -> frozenset[int]:
    """Return the members that are no humans."""
    rows = await connection.scalars(
        select(col(MemberRow.id)).where(col(MemberRow.community_id) == community.id, col(MemberRow.bot).is_(True))
    )
    return frozenset(number for number in rows if number is not None)
