"""Bringing exports in: everything or nothing, once, and into the community in which the bot hears the same space."""

from __future__ import annotations

import asyncio
import functools
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from adapters.history import slack, telegram
from adapters.slack import names as slack_names
from adapters.telegram import names
from bot.bench import exports as made
from bot.core.clock import SystemClock
from bot.core.errors import Mistake
from bot.core.events import Arrival, ChannelChanged, MessageDeleted, MessagePosted, Named
from bot.core.things import Audience, Ref
from bot.exports import ExportsImported, import_exports
from storage import channels, communities, members, refusals
from storage.db import Database
from storage.following import Followings
from storage.inbox import Inbox
from storage.rows import columns
from storage.tables import ChannelRow, CommunityRow, LedgerRow, MemberRow, MembershipRow, MessageRow, SpaceRow
from tests.unit import test_slack_export as slacks
from tests.unit import test_telegram_export as telegrams
from tests.unit.test_telegram_export import CHAT, said

CLOCK = SystemClock()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = Named(ref=names.chat(CHAT), name="Harbour")


async def of_telegram(
    database: Database, home: Path, path: Path, community: str | None = None, **more
) -> ExportsImported:
    opening = functools.partial(telegram.open_exports, path, chats=more.pop("chats", ()), me=0, now=NOW)
    return await import_exports(database, CLOCK, home=home, opening=opening, community=community, **more)


async def of_slack(database: Database, home: Path, path: Path, community: str | None = None, **more) -> ExportsImported:
    opening = functools.partial(slack.open_exports, path, group_messages=False, now=NOW)
    return await import_exports(database, CLOCK, home=home, opening=opening, community=community, **more)


async def rows(database: Database, model, *wanted: str) -> list[tuple[object, ...]]:
    async with database.read() as connection:
        return sorted(tuple(row) for row in await connection.execute(select(*columns(model, *wanted))))


async def count(database: Database, model) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(model))).scalar_one()


async def heard(database: Database, home: Path, space: Named, *events) -> None:
    followings = Followings(CLOCK, await refusals.load(home))
    arrivals = [Arrival(space=space, event=event) for event in events]
    await database.write(lambda connection: followings.store(connection, arrivals))


async def inside(database: Database, channel: str) -> set[str]:
    """Return the names of those who may read a closed channel."""
    async with database.read() as connection:
        found = await connection.execute(
            select(*columns(MemberRow, "name"))
            .join(MembershipRow, MembershipRow.member_id == MemberRow.id)
            .join(ChannelRow, ChannelRow.id == MembershipRow.channel_id)
            .where(ChannelRow.name == channel, MembershipRow.left_at.is_(None))
        )
        return {row.name for row in found}


@pytest.mark.parametrize(("write", "bring"), [(made.telegram, of_telegram), (made.slack, of_slack)])
async def test_a_second_import_adds_nothing(database: Database, home: Path, tmp_path: Path, write, bring) -> None:
    path, shown = await asyncio.to_thread(write, tmp_path / "made", 200), []
    first = await bring(database, home, path, progress=lambda done, whole: shown.append((done, whole)))
    assert (first.bad, first.stored.channels) == (0, await count(database, ChannelRow))
    assert first.stored.messages == await count(database, MessageRow) >= 170
    assert first.stored.members == await count(database, MemberRow)
    assert shown[-1] == (first.stored.messages, first.stored.messages)
    again = await bring(database, home, path)
    assert (again.stored.messages, again.stored.members, again.stored.channels) == (0, 0, 0)


async def test_what_the_bot_heard_and_what_is_imported_meet(database: Database, home: Path, tmp_path: Path) -> None:
    live = MessagePosted(
        message=names.message(CHAT, 1),
        channel=Named(ref=names.chat(CHAT), name="Harbour", audience=Audience.EVERYONE),
        author=Named(ref=names.member(42), name="Ana"),
        text="heard",
        at=NOW,
        source="telegram",
    )
    await heard(database, home, GROUP, live)
    path = telegrams.written(tmp_path, said(1, "imported"), said(2, "new"))
    found = await of_telegram(database, home, path)
    assert (found.stored.messages, found.stored.members, found.stored.channels) == (1, 0, 0)
    assert await rows(database, MessageRow, "text") == [("heard",), ("new",)]
    assert await rows(database, CommunityRow, "name") == [("Harbour",)]
    # And the other way round: what was imported is not stored again when it is told.
    await heard(database, home, GROUP, MessagePosted(**{**_fields(live), "message": names.message(CHAT, 2)}))
    assert await count(database, MessageRow) == 2


def _fields(event: MessagePosted) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__slots__}


async def test_what_was_deleted_since_the_export_does_not_come_back(
    database: Database, home: Path, tmp_path: Path
) -> None:
    path = slacks.written(tmp_path / "f.zip", {"general/2023-11-14": [slacks.said(), slacks.said("1700000009.000100")]})
    await of_slack(database, home, path)
    inbox, workspace = Inbox(database, clock=CLOCK, holder="t"), Named(ref=slack_names.ref("T1"), name="Harbour")
    where = Named(ref=slack_names.ref("C1"), name="general", audience=Audience.EVERYONE)
    gone = MessageDeleted(message=slack_names.message("C1", "1700000000.000100"), channel=where, at=CLOCK.now())
    await inbox.put(Arrival(space=workspace, event=gone))
    await heard(database, home, workspace, gone)
    assert (await of_slack(database, home, path)).stored.messages == 0
    assert await rows(database, MessageRow, "ref") == [("slack:C1/1700000009.000100",)]


async def test_a_post_that_the_group_discusses_is_counted_and_left_to_its_channel(
    database: Database, home: Path, tmp_path: Path
) -> None:
    post = {"from_id": "channel77", "from": "News", "saved_from": "News"}
    path = telegrams.written(tmp_path, said(1, "the post", **post), said(2, "a comment", reply_to_message_id=1))
    found = await of_telegram(database, home, path)
    assert (found.stored.messages, found.bad, found.elsewhere) == (1, 0, 1)
    assert await rows(database, MessageRow, "text") == [("a comment",)]


async def test_a_bot_that_comes_later_finds_the_community(database: Database, home: Path, tmp_path: Path) -> None:
    await of_telegram(database, home, telegrams.written(tmp_path, said(1)), "harbour folk")
    named = Named(ref=GROUP.ref, name="Renamed")
    topic = Named(ref=names.chat(CHAT, 7), name="Bread", audience=Audience.EVERYONE)
    await heard(database, home, named, ChannelChanged(channel=topic, at=NOW, revision=1))
    assert await rows(database, CommunityRow, "name") == [("harbour folk",)]
    with pytest.raises(Mistake, match="belongs to the community 'harbour folk'"):
        await of_telegram(database, home, tmp_path / "result.json", "another")


async def test_strict_leaves_nothing_behind(database: Database, home: Path, tmp_path: Path) -> None:
    path = telegrams.written(tmp_path, said(1), said(2, from_id="nobody"), said(3))
    with pytest.raises(Mistake, match=r"result\.json, message 2 \(line \d+\): its author is none.*Nothing"):
        await of_telegram(database, home, path, strict=True)
    assert await count(database, CommunityRow) == 0
    found = await of_telegram(database, home, path)
    assert (found.stored.messages, found.bad) == (2, 1)
    assert found.named[0].reason == "its author is none: 'nobody'"


async def test_a_channel_that_is_known_beside_its_group_stays_with_it(
    database: Database, home: Path, tmp_path: Path
) -> None:
    group = Named(ref=names.chat(-1000000000005), name="Talk")
    news = Named(ref=names.chat(CHAT), name="News", audience=Audience.EVERYONE)
    await heard(database, home, group, ChannelChanged(channel=news, at=NOW, revision=1))
    await of_telegram(database, home, telegrams.written(tmp_path, said(1), type="public_channel"))
    assert await rows(database, CommunityRow, "name") == [("Talk",)]
    assert await rows(database, ChannelRow, "name") == [("News",)]
    assert (await of_telegram(database, home, tmp_path)).stored.messages == 0


@pytest.mark.parametrize("cut", [1, 200, 5000])
async def test_a_truncated_export_leaves_nothing_behind(
    database: Database, home: Path, tmp_path: Path, cut: int
) -> None:
    whole = (await asyncio.to_thread(made.telegram, tmp_path / "t", 200)).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-cut])
    with pytest.raises(Mistake, match=r"cut, line \d+: it ends in the middle"):
        await of_telegram(database, home, tmp_path / "cut")
    zipped = (await asyncio.to_thread(made.slack, tmp_path / "s.zip", 200)).read_bytes()
    (tmp_path / "s.zip").write_bytes(zipped[:-cut])
    with pytest.raises(Mistake, match=r"s\.zip: it is no ZIP archive, or a damaged one"):
        await of_slack(database, home, tmp_path / "s.zip")
    assert (await count(database, CommunityRow), await count(database, ChannelRow)) == (0, 0)


async def test_whatever_is_damaged_nothing_is_half_stored(database: Database, home: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    forum = (await asyncio.to_thread(made.telegram, tmp_path / "t", 20)).read_bytes()
    workspace = (await asyncio.to_thread(made.slack, tmp_path / "s.zip", 20)).read_bytes()
    refused = 0
    for turn in range(12):
        raw, bring = ((forum, of_telegram), (workspace, of_slack))[turn % 2]
        place, before = chance.randrange(len(raw)), await count(database, ChannelRow)
        damaged = raw[:place] if turn % 4 < 2 else raw[:place] + chance.randbytes(40) + raw[place + 40 :]
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            await bring(database, home, tmp_path / "damaged", f"turn {turn}")
        except Mistake:
            refused += 1
            assert await count(database, ChannelRow) == before
        else:
            await database.write(lambda connection: connection.execute(delete(SpaceRow)))
    assert 6 <= refused <= 12


async def test_several_chats_of_an_account_are_communities_of_their_own(
    database: Database, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "result.json").write_text(json.dumps(telegrams.ACCOUNT))
    found = await of_telegram(database, home, tmp_path, chats=("Harbour", "Hill"))
    assert found.stored.messages == 3
    assert await rows(database, CommunityRow, "name") == [("Harbour",), ("Hill",)]
    # The same person is a member of each.
    assert await rows(database, MemberRow, "ref") == [("telegram:42",), ("telegram:42",)]


async def test_who_was_forgotten_stays_out(database: Database, home: Path, tmp_path: Path) -> None:
    path = slacks.written(tmp_path / "f.zip", slacks.DAYS)
    await of_slack(database, home, slacks.written(tmp_path / "e.zip", groups=[]))
    forgotten = await refusals.load(home)
    async with database.read() as connection:
        community = await communities.find(connection, None)
    ana, bo = slack_names.ref("U1"), slack_names.ref("U2")
    await database.write(lambda connection: forgotten.refuse(connection, community, bo))
    async with database.read() as connection:
        [known] = (await members.by_refs(connection, community, {ana})).values()
    await database.write(lambda connection: members.set_consent(connection, known.id, collected=False, now=NOW))
    found = await of_slack(database, home, path)
    assert (found.stored.messages, found.stored.withheld) == (0, 3)
    # Nor is one a reader of a closed channel of whom nothing may be held.
    assert await rows(database, MemberRow, "name") == [("Ana",)]


async def test_a_closed_channel_is_read_by_those_alone_who_were_in_it(
    database: Database, home: Path, tmp_path: Path
) -> None:
    groups = [{"id": "G1", "name": "staff", "members": ["U2"], "purpose": {"value": "Duties."}}]
    await of_slack(database, home, slacks.written(tmp_path / "f.zip", slacks.DAYS, groups=groups))
    assert await inside(database, "staff") == {"Bo Lind"}
    async with database.read() as connection:
        known = {
            one.name: one
            for one in (await channels.every(connection, await communities.find(connection, None))).values()
        }
    assert (known["staff"].audience, known["staff"].description) == (Audience.MEMBERS, "Duties.")
    assert (known["general"].audience, known["general"].description) == (Audience.EVERYONE, "All of us.\ntoday")


async def test_what_the_bot_knows_of_a_channel_is_newer_than_an_export(
    database: Database, home: Path, tmp_path: Path
) -> None:
    space = Named(ref=slack_names.ref("T1"), name="Harbour")
    general = Named(ref=slack_names.ref("C1"), name="all", audience=Audience.EVERYONE)
    staff = Named(ref=slack_names.ref("G1"), name="team", audience=Audience.MEMBERS)
    await heard(
        database,
        home,
        space,
        ChannelChanged(channel=general, description="Now.", at=NOW, revision=1),
        ChannelChanged(channel=staff, description="Ours.", at=NOW, revision=1),
    )
    await of_slack(database, home, slacks.written(tmp_path / "f.zip", slacks.DAYS))
    assert await rows(database, ChannelRow, "name", "description") == [("all", "Now."), ("team", "Ours.")]
    assert await inside(database, "team") == set()


async def test_a_channel_that_was_open_is_closed_by_an_export(database: Database, home: Path, tmp_path: Path) -> None:
    space = Named(ref=slack_names.ref("T1"), name="Harbour")
    staff = Named(ref=slack_names.ref("G1"), name="staff", audience=Audience.EVERYONE)
    who = Named(ref=slack_names.ref("U4"), name="Once There")
    posted = MessagePosted(
        message=Ref("slack", "G1/1600000000.000100"), channel=staff, author=who, text="hi", at=NOW, source="slack"
    )
    await heard(database, home, space, posted)
    assert await inside(database, "staff") == {"Once There"}
    await of_slack(database, home, slacks.written(tmp_path / "f.zip", slacks.DAYS))
    assert await inside(database, "staff") == {"Ana", "Bo Lind"}
    assert await rows(database, ChannelRow, "name", "audience") == [("general", "everyone"), ("staff", "members")]


async def test_the_ledger_says_what_was_imported(database: Database, home: Path, tmp_path: Path) -> None:
    await of_telegram(database, home, telegrams.written(tmp_path, said(1)))
    [(act, details)] = await rows(database, LedgerRow, "act", "details")
    assert (act, details["messages"], details["file"], details["space"]) == ("import", 1, "result.json", str(GROUP.ref))
