"""The tables on SQLite and on PostgreSQL: both keep the same promises."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Row, create_engine, event, func, inspect, select, text

from bot.core.errors import Mistake
from bot.core.events import Named
from bot.core.ports import Scope
from bot.core.things import Audience, Community, Ref
from storage import channels, communities, encodings, ledger, members, messages, outbox, policies, profiles, spaces
from storage.connection import Connection
from storage.db import MIGRATIONS, Database
from storage.intake import Intake, Stored
from storage.profiles import Label
from storage.rows import insert_rows
from storage.tables import CommunityRow, EncodingRow, LedgerRow, OutboxRow, metadata
from tests.words import MONDAY, said


async def community_of(database: Database, name: str = "harbour") -> Community:
    return await database.write(lambda connection: communities.find_or_make(connection, name, MONDAY))


async def store(database: Database, *events, name: str = "harbour") -> Stored:
    community = await community_of(database, name)
    intake = Intake(community, MONDAY)

    async def work(connection: Connection) -> Stored:
        await intake.begin(connection)
        return await intake.store(connection, events)

    return await database.write(work)


async def count(database: Database, model) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(model))).scalar_one()


async def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    def difference(connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    async with database.read() as connection:
        assert await connection.run_sync(difference) == []


def test_who_was_asked_for_consent_first_still_is_once_that_is_a_setting_and_everything_else_stays(home: Path) -> None:
    engine = create_engine(f"sqlite:///{home / 'old.db'}")
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA foreign_keys=ON"))
    with engine.begin() as connection:
        _migrate(connection, "0002")
        for statement in LIVED_IN:
            connection.execute(text(statement))
    before = _held(engine)
    with engine.begin() as connection:
        _migrate(connection, "head")
        kept = connection.execute(text("SELECT community.name, value FROM policy JOIN community ON id = community_id"))
        assert kept.all() == [("strict", "opt_in")]
        assert connection.execute(text("SELECT state, waited, waited_for, dropped FROM act")).one() == (
            "done",
            0,
            "",
            0,
        )
    with engine.begin() as connection:
        _migrate(connection, "0002", back=True)
    assert _held(engine) == before


LIVED_IN = (
    "INSERT INTO community (name, consent, created_at) VALUES ('town', 'opt_out', '2026-01-05 12:00:00')",
    "INSERT INTO community (name, consent, created_at) VALUES ('strict', 'opt_in', '2026-01-05 12:00:00')",
    "INSERT INTO person (created_at) VALUES ('2026-01-05 12:00:00')",
    "INSERT INTO member (community_id, person_id, ref, name, bot, language) VALUES (1, 1, 'p:ana', 'Ana', 0, '')",
    "INSERT INTO trace (id, community_id, event, channel, message, at, story) "
    "VALUES ('t', 1, 'posted p:1', '', '', '2026-01-05 12:00:00', '{}')",
    "INSERT INTO act (community_id, trace_id, position, skill, channel, made, action, state, error, intended_at) "
    "VALUES (1, 't', 0, 'match', 'p:c', '', '{}', 'done', '', '2026-01-05 12:00:00')",
    "INSERT INTO button (token, act_id, press, data, only, choice, expires_at) "
    "VALUES ('b', 1, 'match.join', '{}', '', '', '2026-01-05 12:00:00')",
)
"""What a home holds whose bot lived somewhere: rows that refer to each other."""


def _held(engine: Engine) -> dict[str, list[Row[*tuple[object, ...]]]]:
    tables = ("community", "person", "member", "trace", "act", "button", "policy")
    with engine.connect() as connection:
        return {
            table: list(connection.execute(text(f"SELECT {_columns(connection, table)} FROM {table}")))
            for table in tables
        }


def _columns(connection: Connection, table: str) -> str:
    return ", ".join(sorted(column["name"] for column in inspect(connection).get_columns(table)))


def _migrate(connection: Connection, revision: str, *, back: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    (command.downgrade if back else command.upgrade)(config, revision)


async def test_opening_again_keeps_everything(bare_url: str, home: Path) -> None:
    async with Database.open(bare_url, home=home) as first:
        await store(first, said("hello"))
    async with Database.open(bare_url, home=home) as second:
        community = await community_of(second)
        async with second.read() as connection:
            assert (await messages.state(connection, community.id)).count == 1


async def test_an_older_home_lets_go_of_vectors_of_no_message_and_of_points_of_bots(
    database_url: str, home: Path
) -> None:
    robot = said("working on it", by="robot", key="b1")
    robot = replace(robot, author=replace(robot.author, bot=True))
    async with Database.open(database_url, home=home) as older:
        await store(older, said("hello"), robot)
        kept = {"hello": np.ones(2, np.float32), "asked of the bot alone": np.ones(2, np.float32)}
        await older.write(functools.partial(encodings.keep, fingerprint="e5", vectors=kept))
        await older.write(lambda c: outbox.serve(c, "e5"))
        await older.write(lambda c: c.execute(text("UPDATE message SET edited_at = sent_at")))
        await older.write(lambda c: c.run_sync(functools.partial(_migrate, revision="0003", back=True)))
    async with Database.open(database_url, home=home) as newer, newer.read() as connection:
        keys = set(await connection.scalars(select(EncodingRow.__table__.c.key)))
        assert keys == {encodings.key("e5", "hello")}
        assert [row.text for row in await outbox.newest(connection, 9)] in (["hello", None], [None, "hello"])


async def test_a_job_that_fails_takes_nobody_elses_work_back(database: Database) -> None:
    async def good(connection: Connection) -> None:
        await communities.find_or_make(connection, "good", MONDAY)

    async def bad(connection: Connection) -> None:
        await communities.find_or_make(connection, "bad", MONDAY)
        raise Mistake("no")

    results = await asyncio.gather(
        database.write(good),
        database.write(bad),
        database.write(lambda c: communities.every(c)),
        return_exceptions=True,
    )
    assert isinstance(results[1], Mistake)
    async with database.read() as connection:
        assert [one.name for one in await communities.every(connection)] == ["good"]


async def test_many_writers_share_commits_and_all_are_kept(database: Database) -> None:
    async def write(number: int) -> None:
        await database.write(
            lambda c: insert_rows(c, CommunityRow, [{"name": f"c{number}", "created_at": MONDAY}], "id")
        )

    await asyncio.gather(*(write(number) for number in range(200)))
    assert await count(database, CommunityRow) == 200


async def test_closing_waits_for_what_is_queued_and_never_hangs(bare_url: str, home: Path) -> None:
    async with Database.open(bare_url, home=home) as opened:
        writing = [
            asyncio.create_task(opened.write(lambda c, n=n: communities.find_or_make(c, f"c{n}", MONDAY)))
            for n in range(3)
        ]
        await asyncio.sleep(0)
    assert {one.name for one in await asyncio.gather(*writing)} == {"c0", "c1", "c2"}


async def test_times_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    noon_in_lisbon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    community = await community_of(database)
    await database.write(lambda c: ledger.note(c, community.id, at=noon_in_lisbon, actor="owner", act="x", details={}))
    async with database.read() as connection:
        kept = (await connection.execute(select(LedgerRow.__table__.c.at))).scalar_one()
    assert (kept, kept.tzinfo) == (datetime(2026, 7, 1, 11, tzinfo=UTC), UTC)
    with pytest.raises(Exception, match="without a zone"):
        naive = noon_in_lisbon.replace(tzinfo=None)
        await database.write(lambda c: ledger.note(c, community.id, at=naive, actor="o", act="x", details={}))


async def test_storing_makes_members_channels_threads_and_outbox_and_a_second_time_adds_nothing(
    database: Database,
) -> None:
    events = [
        said("who has a 3D printer?", by="ana", where="general", key="1"),
        said("me", by="wei", where="general", key="2", minute=1),
        said("nozzles", by="wei", where="3d-printing", key="3", minute=2, thread="help"),
        said("", by="wei", where="3d-printing", key="4", minute=3),
        said("beep", by="robot", where="general", key="5", minute=4, bot=True),
    ]
    assert await store(database, *events) == Stored(messages=5, members=3, channels=2)
    assert await count(database, OutboxRow) == 3, "neither silence nor a bot's words are encoded"
    assert await store(database, *events) == Stored()
    assert await count(database, OutboxRow) == 3


async def test_the_community_of_the_playground_is_not_meant_where_there_is_another(database: Database) -> None:
    first, second = await community_of(database, "one"), await community_of(database, "two")
    with pytest.raises(Mistake, match="Say which"):
        await database.look(lambda c: communities.find(c, None))
    place = Named(ref=Ref("playground", "one"), name="one")
    await database.write(lambda c: spaces.belong(c, place, first))
    assert await database.look(lambda c: communities.find(c, None)) == second
    assert await database.look(lambda c: communities.find(c, "one")) == first


async def test_a_member_is_found_by_any_name_that_means_nobody_else(database: Database) -> None:
    await store(database, said("tea", by="ana"), said("coffee", by="wei", minute=1))
    community = await community_of(database)
    for wanted in ("ana", "@ANA"):
        found = await database.look(lambda c, wanted=wanted: members.find(c, community, wanted))
        assert found.ref.id == "ana"
    with pytest.raises(Mistake, match="no member 'an'"):
        await database.look(lambda c: members.find(c, community, "an"))


async def test_the_same_ids_in_two_communities_do_not_touch(database: Database) -> None:
    await store(database, said("tea", key="1"), name="harbour")
    assert await store(database, said("coffee", key="1"), name="hill") == Stored(messages=1, members=1, channels=1)
    async with database.read() as connection:
        hill = await communities.find(connection, "hill")
        found = await messages.all_of(connection, Scope(community=hill.id))
    assert [one.text for one in found.values()] == ["coffee"]


async def test_a_private_channel_is_readable_by_its_members_alone(database: Database) -> None:
    await store(database, said("hello", by="ana"), said("psst", by="wei", where="staff", minute=1))
    community = await community_of(database)
    async with database.read() as connection:
        staff = await channels.find(connection, community, "#Staff")
        ana, wei = [await members.find(connection, community, name) for name in ("ana", "@wei")]
    await database.write(lambda c: channels.describe(c, staff.id, description="", audience=Audience.MEMBERS))

    async def read_by(reader) -> set[str]:
        async with database.read() as connection:
            scope = await channels.readable(connection, community, reader)
            return {one.text for one in (await messages.all_of(connection, scope)).values()}

    assert await read_by(wei) == {"hello", "psst"}
    assert await read_by(ana) == {"hello"}
    assert await read_by(None) == {"hello"}


async def test_nobody_reads_a_direct_channel(database: Database) -> None:
    await store(database, said("hello"), said("secret", where="dm", minute=1))
    community = await community_of(database)
    async with database.read() as connection:
        direct = await channels.find(connection, community, "dm")
        ana = await members.find(connection, community, "ana")
    await database.write(lambda c: channels.describe(c, direct.id, description="", audience=Audience.DIRECT))
    async with database.read() as connection:
        scope = await channels.readable(connection, community, ana)
        assert [one.text for one in (await messages.all_of(connection, scope)).values()] == ["hello"]


async def test_who_switched_collection_off_is_neither_read_nor_stored(database: Database) -> None:
    await store(database, said("one", by="ana"), said("two", by="wei", minute=1))
    community = await community_of(database)
    async with database.read() as connection:
        wei = await members.find(connection, community, "wei")
    await database.write(lambda c: members.set_consent(c, wei.id, collected=False, now=MONDAY))
    assert await store(database, said("three", by="wei", minute=2), said("four", by="ana", minute=3)) == Stored(
        messages=1, withheld=1
    )
    async with database.read() as connection:
        scope = await channels.readable(connection, community, None)
        assert {one.text for one in (await messages.all_of(connection, scope)).values()} == {"one", "four"}
        assert await messages.latest_words(connection, community, wei.id, 9) == []
    await database.write(lambda c: members.set_consent(c, wei.id, collected=True, now=MONDAY))
    async with database.read() as connection:
        assert await members.withheld(connection, community) == frozenset()
        assert await messages.latest_words(connection, community, wei.id, 9) == ["two"]


async def test_where_consent_is_needed_first_nobody_is_stored_without_it(database: Database) -> None:
    community = await community_of(database)
    await database.write(lambda c: policies.put(c, community, name="consent", value="opt_in"))
    assert (await store(database, said("hello"), said("hi", by="wei"))).withheld == 2
    async with database.read() as connection:
        ana = await members.find(connection, community, "ana")
        wei = await members.find(connection, community, "wei")
    await database.write(lambda c: members.set_consent(c, ana.id, collected=True, now=MONDAY))
    assert (await store(database, said("hello"))).messages == 1
    async with database.read() as connection:
        assert await members.withheld(connection, community) == {wei.id}
        assert await members.withheld(connection, community, among=[ana.id, wei.id]) == {wei.id}
        assert await members.withheld(connection, community, among=[ana.id]) == frozenset()


async def test_names_are_found_or_near_ones_suggested(database: Database) -> None:
    await store(database, said("hi", by="wei.l", where="3d-printing"))
    community = await community_of(database)
    async with database.read() as connection:
        for way in ("wei.l", "@wei.l", "WEI.L", "import:wei.l"):
            assert (await members.find(connection, community, way)).name == "wei.l"
        with pytest.raises(Mistake, match="Did you mean wei.l"):
            await members.find(connection, community, "wei")
        with pytest.raises(Mistake, match="Did you mean 3d-printing"):
            await channels.find(connection, community, "3d-print")
        with pytest.raises(Mistake, match="no community 'hill'. Known: harbour"):
            await communities.find(connection, "hill")


async def test_the_outbox_gives_the_newest_first_and_forgets_what_is_done(database: Database) -> None:
    await store(database, *(said(f"m{minute}", minute=minute) for minute in (2, 0, 1)))
    async with database.read() as connection:
        first = await outbox.newest(connection, 2)
        rest = await outbox.newest(connection, 2, before=first[-1])
    assert [row.text for row in first + rest] == ["m2", "m1", "m0"]
    await database.write(lambda c: outbox.done(c, first))
    async with database.read() as connection:
        assert [row.text for row in await outbox.newest(connection, 9)] == ["m0"]


async def test_a_new_encoder_puts_every_message_of_a_human_back_into_the_outbox(database: Database) -> None:
    await store(database, said("a"), said(" ", minute=1), said("beep", by="robot", bot=True, minute=2))
    async with database.read() as connection:
        waiting = await outbox.newest(connection, 9)
    assert await database.write(lambda c: outbox.serve(c, "e5")) is True
    await database.write(lambda c: outbox.done(c, waiting))
    assert await database.write(lambda c: outbox.serve(c, "e5")) is False
    assert await count(database, OutboxRow) == 0
    assert await database.write(lambda c: outbox.serve(c, "bge")) is True
    async with database.read() as connection:
        assert [row.text for row in await outbox.newest(connection, 9)] == ["a"]


async def test_profiles_are_kept_in_place_of_the_last_ones(database: Database) -> None:
    community = await community_of(database)
    labels = [Label(fingerprint="e5", version=version, built_at=MONDAY) for version in ("old", "new")]
    for label in labels:
        data = label.version.encode()
        await database.write(lambda c, label=label, data=data: profiles.save(c, community.id, label, data))
    assert await database.look(lambda c: profiles.load(c, community.id)) == (labels[1], b"new")
    assert await database.look(lambda c: profiles.label(c, community.id)) == labels[1]
    await database.write(lambda c: profiles.drop(c, community.id))
    assert await database.look(lambda c: profiles.load(c, community.id)) is None


class Counting:
    """An encoder that counts what it is asked: [length, 1], scaled to length 1."""

    fingerprint, size = "counting", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def encode(self, texts, *, kind="passage"):
        import numpy as np

        self.asked.extend(texts)
        rows = np.array([[len(one), 1.0] for one in texts], np.float32).reshape(-1, 2)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def test_only_what_is_kept_outlives_the_one_who_asked(database: Database) -> None:
    inner = Counting()
    await encodings.CachedEncoder(inner, database).encode(["tea"])
    await encodings.KeepingEncoder(inner, database).encode(["tea", "coffee"])
    await encodings.CachedEncoder(inner, database).encode(["tea", "coffee"])
    assert inner.asked == ["tea", "tea", "coffee"]


async def test_what_was_made_last_is_remembered_until_it_is_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encodings, "REMEMBERED", 2)
    inner = Counting()
    cached = encodings.CachedEncoder(inner, database)
    for one in ("tea", "coffee", "milk", "milk", "coffee"):
        await cached.encode([one])
    assert inner.asked == ["tea", "coffee", "milk"]
    await cached.encode(["tea"])
    cached.forget()
    await cached.encode(["tea"])
    assert inner.asked[3:] == ["tea", "tea"]


async def test_a_text_is_encoded_once(database: Database) -> None:
    inner = Counting()
    cached = encodings.CachedEncoder(inner, database)
    first = await cached.encode(["tea", "coffee", "tea"])
    again = await cached.encode(["coffee", "tea"])
    assert inner.asked == ["tea", "coffee"]
    assert (again == first[[1, 0]]).all()
    assert abs((again**2).sum(axis=1) - 1).max() < 1e-3
    await cached.encode(["tea"], kind="query")
    await cached.encode(["tea"], kind="query")
    assert inner.asked == ["tea", "coffee", "tea", "tea"], "a question is no passage, and is not kept"
    assert (await cached.encode([])).shape == (0, 2)
