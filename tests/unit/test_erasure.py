"""Forgetting a member: nothing of theirs is left anywhere, everything of others is, and they stay forgotten."""

from __future__ import annotations

import asyncio
import functools
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, text

from bot.ahead import HELD, Ahead
from bot.core.actions import AskStaff, Button, Edit, OpenDirect, Say, Timeout
from bot.core.clock import SystemClock
from bot.core.decisions import Decision, Receipt, Ruling, Trace, Verdict
from bot.core.errors import Misconfigured
from bot.core.events import Arrival, MessageDeleted, MessageEdited, Named, key
from bot.core.ports import Kind, Point, Scope, Vector, VectorStore
from bot.core.things import Ref
from bot.indexing import Index
from storage import acts, channels, communities, encodings, erasure, exporting, holdings, members, refusals, traces
from storage.acts import Intent
from storage.db import Database
from storage.encodings import CachedEncoder
from storage.erasure import Forgotten
from storage.following import Following
from storage.inbox import Inbox
from storage.intake import Intake, Stored
from storage.tables import EncodingRow, LedgerRow, MemberRow, MessageRow, OutboxRow, PersonRow, TraceRow
from tests.hashing import HashingEncoder
from tests.tables import open_database
from tests.tuned import weights
from tests.unit.remembering import (
    ANA,
    ANA_ASKED,
    COLM,
    GENERAL,
    MARMALADE,
    RIVETS,
    SECRETS,
    SPACE,
    TALK,
    TARRING,
    TITLE,
    WORKSHOP,
    Harbour,
    harbour,
    make_one_person,
    posted,
)
from tests.words import MONDAY

pytestmark = pytest.mark.slow

STAFF = Named(ref=Ref("discord", "h/sam"), name="Sam")


@pytest.fixture
async def town(database: Database, home: Path) -> AsyncIterator[Harbour]:
    made = await harbour(database, home)
    yield made
    await made.index.vectors.close()


async def forget(town: Harbour, who=COLM, *, vectors=..., settled=None) -> Forgotten:
    return await erasure.forget(
        town.database,
        town.index.vectors if vectors is ... else vectors,
        town.index.encoder.fingerprint,
        town.community,
        await town.member(who),
        home=town.home,
        now=MONDAY,
        settled=settled,
    )


async def store(town: Harbour, *events, refused: bool = True) -> Stored:
    intake = Intake(town.community, MONDAY, refusals=await refusals.load(town.home) if refused else None)

    async def work(connection) -> Stored:
        await intake.begin(connection)
        return await intake.store(connection, events)

    return await town.database.write(work)


def everything_in(home: Path, pattern: str) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob(pattern) if path.is_file())


async def test_what_repeats_the_title_of_their_thread_goes_and_what_repeats_another_stays(town: Harbour) -> None:
    for who, title in ((COLM, "Building a currach in a garage"), (ANA, "Marmalade for the harbour fair")):
        thread = Named(ref=Ref("discord", f"h/{title[:1]}"), name=title)
        await store(town, posted(f"{who.ref.id}/1", who, "look at this", 20, thread=thread))
        await store(town, posted(f"{who.ref.id}/2", STAFF, "very nice", 21, thread=thread))
        say = Say(to=GENERAL.ref, text=f"**{title}**: 2 messages")
        said = Ruling(decision=0, action=say, kept=True)
        decision = Decision(skill="digest", actions=(), reason="weekly")
        story = Verdict(decisions=(decision,), rulings=(said,))
        trace = Trace(id=who.name[:3], event=f"timer {title[0]}", kind="TimerFired", at=MONDAY, verdict=story)
        await town.database.write(lambda c, one=trace: traces.record(c, town.community, one, message=None))
    assert (await forget(town)).left == 0
    left = await town.everything()
    assert "Building a currach" not in left
    assert left.count("Marmalade for the harbour fair") == 2


async def test_everything_of_a_member_goes_and_everything_of_others_stays(town: Harbour) -> None:
    before = await town.everything()
    assert [one for one in SECRETS if one not in before] == [], "the town does not hold what it should"
    done = await forget(town)
    after = await town.everything()
    assert [one for one in SECRETS if one in after] == []
    assert done.left == 0
    assert done.quoting == (Ref("discord", "h/b1"),)
    assert done.erased == {
        "reply": 1,
        "title": 1,
        "button": 1,
        "act": 3,
        "trace_member": 4,
        "trace": 3,
        "inbox": 5,
        "ledger": 2,
        "reaction": 2,
        "message": 4,
        "note": 1,
        "consent": 1,
        "proof": 1,
        "feedback": 1,
        "interest": 1,
        "newcomer": 1,
        "wish": 1,
        "subscription": 1,
        "suggested": 1,
        "meeting": 2,
        "taste": 1,
        "evidence": 2,
        "report": 2,
        "lesson": 2,
        "moderation_case": 1,
        "verdict_by": 1,
        "set_by": 1,
        "muted_by": 1,
        "added_by": 1,
        "membership": 1,
        "channel": 1,
        "encoding": 2,
        "profile": 1,
        "growth": 1,
        "learned_heads": 1,
        "member": 1,
        "person": 1,
        "vectors": 4,
    }
    assert MARMALADE in after
    assert WORKSHOP in after
    async with town.database.read() as connection:
        assert list(await connection.scalars(select(TraceRow.__table__.c.id))) == ["ana-again"]
    assert await town.count(MessageRow) == 3


async def test_points_go_at_once_and_nobody_elses(town: Harbour) -> None:
    colm, ana = await town.member(COLM), await town.member(ANA)
    vectors = town.index.vectors

    async def points(member) -> int:
        return await vectors.count(Scope(community=town.community.id, authors=frozenset({member.id})))

    assert (await points(colm), await points(ana)) == (3, 3)
    await forget(town)
    assert (await points(colm), await points(ana)) == (0, 3)
    assert await town.count(OutboxRow) == 0


async def test_killed_before_the_vector_store_was_told_the_outbox_still_deletes(town: Harbour) -> None:
    colm = await town.member(COLM)
    done = await forget(town, vectors=None)
    assert (done.left, done.erased["vectors"]) == (4, 4), "what still waits is not said to be gone"
    scope = Scope(community=town.community.id, authors=frozenset({colm.id}))
    assert await town.index.vectors.count(scope) == 3
    await town.index.catch_up()
    assert await town.index.vectors.count(scope) == 0


async def test_points_whose_old_write_may_be_on_its_way_are_deleted_once_more(database: Database, home: Path) -> None:
    town = await harbour(database, home)
    await store(town, posted("m9", COLM, "a herring gull stole my currach sandwich", 9))
    await forget(town)
    async with town.database.read() as connection:
        waiting = (await connection.execute(select(OutboxRow.__table__.c.message_id))).scalars().all()
    assert waiting == [None]
    await town.index.vectors.close()


async def test_a_cached_vector_stays_while_somebody_else_said_the_same(town: Harbour) -> None:
    await forget(town)
    assert await kept_of(town, WORKSHOP, RIVETS, TARRING, MARMALADE) == {WORKSHOP, MARMALADE}
    await forget(town, ANA)
    assert await kept_of(town, WORKSHOP, MARMALADE) == set()


async def test_who_was_forgotten_stays_out_until_they_come_back_by_themselves(town: Harbour) -> None:
    await forget(town)
    again = posted("m1", COLM, RIVETS, 0), posted("a9", ANA, "low tide at six", 9)
    assert await store(town, *again) == Stored(messages=1, withheld=1)
    assert await town.member(COLM) is None
    assert "h/colm" not in await town.everything()
    refused = await refusals.load(town.home)
    await town.database.write(lambda c: refused.lift(c, town.community, COLM.ref))
    assert await store(town, *again) == Stored(messages=1, members=1)


async def test_an_import_that_runs_meanwhile_gives_nobody_the_number_of_who_was_forgotten(town: Harbour) -> None:
    intake = Intake(town.community, MONDAY, refusals=await refusals.load(town.home))
    newcomer = Named(ref=Ref("discord", "h/new"), name="Newcomer")
    await town.database.write(intake.begin)
    await forget(town)
    events = [posted("m5", COLM, "one more plank", 20), posted("n1", newcomer, "hello harbour", 21)]
    assert (await town.database.write(lambda c: intake.store(c, events))) == Stored(messages=1, members=1, withheld=1)
    assert "one more plank" not in await town.everything()


class Pondering(HashingEncoder):
    """Thinks until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_once, self.let_go = asyncio.Event(), asyncio.Event()

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        self.asked_once.set()
        await self.let_go.wait()
        return await super().encode(texts, kind=kind)


class Watched:
    """A vector store, and whose points were ever written to it."""

    def __init__(self, inner: VectorStore) -> None:
        self.inner, self.authors = inner, set[int]()

    async def upsert(self, points: Sequence[Point]) -> None:
        self.authors.update(point.author for point in points)
        await self.inner.upsert(points)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


async def test_what_is_being_encoded_while_its_author_is_forgotten_is_never_written(
    database: Database, home: Path
) -> None:
    town = await harbour(database, home, indexed=False)
    slow = replace(town.index, encoder=Pondering(), vectors=Watched(town.index.vectors))
    writing = asyncio.create_task(slow.catch_up())
    await slow.encoder.asked_once.wait()
    colm = await town.member(COLM)
    done = await erasure.forget(
        database, slow.vectors, None, town.community, colm, home=home, now=MONDAY, settled=slow.settled
    )
    assert done.left == 0
    slow.encoder.let_go.set()
    await writing
    ana = await town.member(ANA)
    assert slow.vectors.authors == {ana.id}


async def kept_of(town: Harbour, *texts: str) -> set[str]:
    """Return those of these texts whose vectors are kept."""
    async with town.database.read() as connection:
        keys = set(await connection.scalars(select(EncodingRow.__table__.c.key)))
    return {text for text in texts if encodings.key(town.index.encoder.fingerprint, text) in keys}


async def hold(database: Database, home: Path) -> tuple[Harbour, Pondering, Index]:
    """Make a town that no index has seen, and the index of a bot that runs there, whose encoder ponders."""
    town = await harbour(database, home, indexed=False)
    inner = Pondering()
    return town, inner, replace(town.index, encoder=CachedEncoder(inner, database))


async def test_a_forget_beside_a_running_bot_leaves_no_vector_that_is_being_made(
    database: Database, home: Path
) -> None:
    town, inner, running = await hold(database, home)
    ahead = Ahead(functools.partial(asyncio.sleep, 0, running.encoder))
    tasks = [asyncio.create_task(part) for part in (ahead.run(), running.catch_up())]
    answers = [ahead.ask(text) for text in (RIVETS, TARRING, MARMALADE)]
    await inner.asked_once.wait()
    assert (await forget(town)).left == 0
    inner.let_go.set()
    await tasks[1]
    await asyncio.gather(*answers)
    tasks[0].cancel()
    assert await kept_of(town, RIVETS, TARRING, MARMALADE) == {MARMALADE}
    await running.vectors.close()


async def test_what_waits_for_the_encoder_in_full_is_not_kept_after_a_forget(database: Database, home: Path) -> None:
    town, inner, running = await hold(database, home)
    ahead = Ahead(functools.partial(asyncio.sleep, 0, running.encoder))
    encoding = asyncio.create_task(ahead.run())
    said = [posted(f"w{number}", COLM, f"oakum, bale {number}", number) for number in range(HELD + 600)]
    answers = []
    for event in said:
        answers.append(ahead.ask(event.text))
        if len(answers) in {1, 129, 257, 385}:  # all of its hands are full, and then the list
            await asyncio.sleep(0)
    await inner.asked_once.wait()
    assert answers[-1].done(), "the list is full"
    await store(town, *said)
    assert (await forget(town, vectors=None)).erased["message"] > len(said)
    inner.let_go.set()
    await asyncio.gather(*answers)
    await running.catch_up()
    encoding.cancel()
    assert await kept_of(town, MARMALADE, *(event.text for event in said)) == {MARMALADE}
    await running.vectors.close()


async def test_what_is_deleted_or_edited_before_the_encoder_answers_is_not_kept(database: Database, home: Path) -> None:
    town, inner, running = await hold(database, home)
    first, second = posted("d1", ANA, "deleted at once", 40), posted("d2", ANA, "edited at once", 41)
    await store(town, first, second)
    writing = asyncio.create_task(running.catch_up())
    await inner.asked_once.wait()
    happened = [
        MessageDeleted(message=first.message, channel=first.channel, at=MONDAY),
        MessageEdited(
            message=second.message, channel=second.channel, author=ANA, text="as it stays", at=MONDAY, revision=1
        ),
    ]
    following = Following(town.community, MONDAY, await refusals.load(home))

    async def work(connection) -> None:
        await following.begin(connection)
        await following.follow(connection, happened)

    await town.database.write(work)
    inner.let_go.set()
    await writing
    await running.catch_up()
    assert await kept_of(town, first.text, second.text, "as it stays", MARMALADE) == {"as it stays", MARMALADE}
    await running.vectors.close()


class Interrupted:
    """A database, before the first write to which something else happens."""

    def __init__(self, inner: Database, happens) -> None:
        self.inner, self.happens = inner, happens

    async def write(self, work, **more) -> object:
        happens, self.happens = self.happens, None
        if happens:
            await happens()
        return await self.inner.write(work, **more)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


async def test_what_they_say_while_a_forget_looks_around_goes_too(town: Harbour) -> None:
    async def meanwhile() -> None:
        await store(town, posted("m7", COLM, "epoxy is cheating", 30))
        await town.index.catch_up()
        assert await kept_of(town, "epoxy is cheating")

    beside = replace(town, database=Interrupted(town.database, meanwhile))
    assert (await forget(beside)).left == 0
    assert await kept_of(town, "epoxy is cheating", RIVETS, MARMALADE) == {MARMALADE}


async def test_forgetting_twice_finds_nothing_more(town: Harbour) -> None:
    colm = await town.member(COLM)
    await forget(town)
    again = await erasure.forget(
        town.database, town.index.vectors, None, town.community, colm, home=town.home, now=MONDAY
    )
    assert again == Forgotten(erased={}, left=0)
    async with town.database.read() as connection:
        acts = (await connection.execute(select(LedgerRow.__table__.c.act))).scalars().all()
    assert acts.count("forget") == 1


async def test_every_account_of_a_person_goes_with_them(town: Harbour) -> None:
    await make_one_person(town)
    people = await town.count(PersonRow)
    done = await forget(town)
    assert (done.left, done.erased["member"], done.erased["person"]) == (0, 2, 1)
    assert [await town.member(who) for who in (COLM, ANA)] == [None, None]
    everything = await town.everything()
    assert [one for one in (*SECRETS, "marmalade", ANA.name) if one in everything] == []
    assert await town.count(PersonRow) == people - 1
    assert (await store(town, *TALK[:5])).withheld == 5, "each is refused by itself"


async def test_cut_off_between_two_accounts_the_one_that_asked_is_there_to_go_on_from(town: Harbour) -> None:
    await make_one_person(town)

    async def cut_off() -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await forget(town, settled=cut_off)
    assert (await town.member(ANA), (await town.member(COLM)) is not None) == (None, True)
    assert (await forget(town)).left == 0
    everything = await town.everything()
    assert [one for one in (*SECRETS, "marmalade", ANA.name) if one in everything] == []


async def test_cut_off_encoders_that_learned_from_them_are_gone_before_their_number_is(town: Harbour) -> None:
    folder = weights(town.home, [(await town.member(COLM)).id])

    async def cut_off() -> None:
        raise RuntimeError("killed")

    assert folder.exists()
    with pytest.raises(RuntimeError):
        await forget(town, settled=cut_off)
    assert (await town.member(COLM), folder.exists()) == (None, False)


async def test_another_community_where_they_are_too_is_left_alone(town: Harbour) -> None:
    known = await refusals.load(town.home)

    async def elsewhere(connection) -> None:
        hill = await communities.find_or_make(connection, "hill", MONDAY)
        intake = Intake(hill, MONDAY, refusals=known)
        await intake.begin(connection)
        await intake.store(connection, TALK[:2])

    await town.database.write(elsewhere)
    await forget(town)
    assert await town.count(MemberRow) == 3
    await town.database.write(elsewhere)
    async with town.database.read() as connection:
        hill = await communities.find(connection, "hill")
        assert [one.name for one in (await channels.every(connection, hill)).values()] == ["general"]
        assert [one.ref for one in await members.every(connection, hill)] == [COLM.ref]


async def test_what_came_after_a_look_goes_too(town: Harbour) -> None:
    colm = await town.member(COLM)
    found, counted = await erasure.look(town.database, town.community, colm)
    assert counted["message"] == 4
    await store(town, posted("m7", COLM, "epoxy is cheating", 30))
    await forget(town)
    assert (await erasure.recount(town.database, town.index.vectors, found))[1] == 0
    assert "epoxy" not in await town.everything()


async def test_recounting_sees_what_was_not_erased(town: Harbour) -> None:
    found, counted = await erasure.look(town.database, town.community, await town.member(COLM))
    left = (await erasure.recount(town.database, town.index.vectors, found))[1]
    learned = sum(counted[name] for name in holdings.DERIVED)
    assert left == sum(counted.values()) - learned + 3, "everything, and three points"
    await forget(town)
    await town.database.write(lambda c: c.execute(text("UPDATE trace SET story = :s"), {"s": json.dumps([TARRING])}))
    assert (await erasure.recount(town.database, town.index.vectors, found))[1] == 3, "a trace, its act, its member"


async def test_the_files_hold_nothing_once_they_are_compact(town: Harbour) -> None:
    await forget(town)
    assert await erasure.compact(town.database) is True
    if town.database.engine.dialect.name != "sqlite":
        return
    held = everything_in(town.home, "*")
    assert b"marmalade" in held
    assert [one for one in SECRETS if len(one) > 3 and one.encode() in held] == []


@pytest.mark.long
async def test_no_piece_is_left_where_pages_were_split(home: Path) -> None:
    chance = random.Random(1)
    async with open_database(home) as database:
        town = await harbour(database, home, indexed=False)
        for start in range(0, 20000, 100):
            some = [(f"k{chance.random()}", chance.randrange(50), chance.randrange(5, 900)) for _ in range(100)]
            await store(
                town,
                *(
                    posted(
                        key,
                        COLM if one == 0 else ANA,
                        f"{'oakum' if one == 0 else 'jigsaw'} {start + minute} " + "x" * length,
                        minute,
                    )
                    for minute, (key, one, length) in enumerate(some)
                ),
            )
            longer = f"UPDATE message SET text = text || ' edited longer' WHERE id % 17 = {start // 100 % 17}"
            await database.write(lambda c, longer=longer: c.execute(text(longer)))
        assert (await forget(town, vectors=None)).left == 0
        large = (home / "kinfolk.db").stat()
        assert await erasure.compact(database, most=2**20) is True
        assert (home / "kinfolk.db").stat().st_size == large.st_size, "a large file waits"
        assert await erasure.compact(database) is True
        assert (home / "kinfolk.db").stat().st_size < large.st_size
        held = everything_in(home, "kinfolk.db*")
        assert (held.count(b"oakum"), held.count(b"jigsaw") > 5000) == (0, True)
        written = (home / "kinfolk.db").stat()
        assert await erasure.compact(database) is True
        assert (home / "kinfolk.db").stat().st_mtime_ns == written.st_mtime_ns, "written anew once, and not each hour"


async def test_the_town_leaves_no_table_out(town: Harbour) -> None:
    found, _ = await erasure.look(town.database, town.community, await town.member(COLM))
    assert [some.store for some in holdings.rows(found) if not some.conditions] == []


async def test_an_export_holds_everything_and_nothing_of_others(town: Harbour) -> None:
    document = await exporting.export(town.database, town.community, await town.member(COLM))
    words = orjson.dumps(document).decode()
    told = [(one["channel"], one["thread"], one["text"]) for one in document["message"]]
    assert told == [("general", None, RIVETS), ("general", TITLE.name, TARRING), ("general", None, WORKSHOP)]
    assert [one["by"] for one in document["reaction"]] == ["others", "you"]
    reasons = [one["reasons"][0]["reason"] for one in document["trace"] if one.get("by") != "others"]
    assert reasons == ["they asked", "they asked"], "what they asked for themselves, and what was done to them"
    assert [name for name in exporting.BY_HAND if not document[name]] == [], "every heading has something below it"
    assert [one["channel"] for name in ("membership", "feedback") for one in document[name]] == ["general"] * 2
    assert [one["collected"] for one in document["consent"]] == [True]
    assert all(document[name]["number"] for name in exporting.COUNTED if name != "outbox")
    assert MARMALADE not in words
    assert "Ferreira" not in words


async def test_a_damaged_key_is_named(town: Harbour) -> None:
    await refusals.load(town.home)
    key = town.home / refusals.KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32
    key.write_bytes(b"short")
    with pytest.raises(Misconfigured, match="holds 5 bytes instead of 32"):
        await refusals.load(town.home)


async def test_an_export_tells_nothing_that_was_said_to_another_alone(town: Harbour) -> None:
    """Ana's own answer quotes Colm: it is erased with him, and is hers to read."""
    again = replace(ANA_ASKED, invocation=Ref("discord", "i9"))
    data = {"reasons": "you both like marmalade"}
    more = Button(label="Why?", press="match.why", data=data, only=ANA.ref, token="t9")
    answer = Say(to=GENERAL.ref, text=f"{MARMALADE}. There: {RIVETS}", only=ANA.ref, buttons=(more,))
    direct = OpenDirect(member=ANA.ref, text=f"{MARMALADE}. There: {RIVETS}")
    decision = Decision(skill="match", actions=(answer, direct), reason="marmalade fits best")
    rulings = tuple(Ruling(decision=0, action=one, kept=True) for one in (answer, direct))
    trace = Trace(
        id="ana-alone",
        event=key(again),
        kind="CommandGiven",
        at=MONDAY,
        member=ANA.ref,
        verdict=Verdict(decisions=(decision,), rulings=rulings),
    )
    intents = [Intent(position=place, skill="match", action=one) for place, one in enumerate((answer, direct))]

    async def work(connection) -> None:
        await traces.record(connection, town.community, trace, message=None)
        await acts.intend(connection, town.community, trace.id, intents, now=MONDAY, expires_at=MONDAY)

    await town.database.write(work)
    found, _ = await erasure.look(town.database, town.community, await town.member(COLM))
    assert trace.id in found.trail.traces
    for who, told in ((COLM, False), (ANA, True)):
        words = orjson.dumps(await exporting.export(town.database, town.community, await town.member(who))).decode()
        assert [part in words for part in (f"{MARMALADE}. There", "you both like", "fits best")] == [told] * 3


async def test_an_export_tells_nothing_of_who_reported_them(town: Harbour) -> None:
    """A report is in confidence: Ana may read what she brought to the staff, and Colm that something was."""
    report = replace(ANA_ASKED, command="report", invocation=Ref("discord", "i9"))
    settled = replace(report, member=STAFF, invocation=Ref("discord", "i10"))
    told = f"{RIVETS}. Reported by Ana Ferreira: she minds rivets"
    about = {"author": str(COLM.ref), "reporter": str(ANA.ref)}
    button = Button(label="Done", press="report.done", data=about, token="t9")
    room = Ref("discord", "h/staff")
    asked = AskStaff(to=room, text=told, skill="report", proposed=(), buttons=(button,))
    under = Edit(message=Ref("discord", "h/b9"), channel=room, text=f"{told} _settled_", before=told)
    timeout = Timeout(member=COLM.ref, minutes=60, by=STAFF.ref)
    for number, event, actions, why in (
        ("reported", report, (asked,), "Ana Ferreira reported a message of Colm"),
        ("settled", settled, (timeout, under), "Sam: time him out"),
    ):
        decision = Decision(skill="report", actions=actions, reason=why, about=(COLM.ref,))
        await town.database.write(functools.partial(_decided, town=town, number=number, event=event, of=decision))
    for who, shown in ((COLM, [False, False, False]), (ANA, [True, True, True])):
        words = orjson.dumps(await exporting.export(town.database, town.community, await town.member(who))).decode()
        assert ["she minds" in words, "reported a message" in words, '"reporter"' in words] == shown
    words = orjson.dumps(await exporting.export(town.database, town.community, await town.member(COLM))).decode()
    assert '"minutes":60' in words, "what was done to them is theirs to know"


async def _decided(connection, *, town: Harbour, number: str, event, of: Decision, made: Ref | None = None) -> None:
    rulings = tuple(Ruling(decision=0, action=action, kept=True) for action in of.actions)
    verdict = Verdict(decisions=(of,), rulings=rulings)
    trace = Trace(id=number, event=key(event), kind="CommandGiven", at=MONDAY, member=event.member.ref, verdict=verdict)
    intents = [Intent(position=place, skill=of.skill, action=action) for place, action in enumerate(of.actions)]
    await traces.record(connection, town.community, trace, message=None)
    numbers = await acts.intend(connection, town.community, number, intents, now=MONDAY, expires_at=MONDAY)
    for one, intent in zip(numbers, intents, strict=True):
        await acts.record_outcome(connection, one, intent.action, Receipt(state="done", made=made), now=MONDAY)


async def test_who_gave_a_command_the_same_few_words_keeps_their_trace(town: Harbour) -> None:
    """A day or a hobby is anybody's; a sentence that stands in another's story is a quote."""
    hobby, sentence = "24 March 1990", "twelve people turned up at the slipway"
    for number, who, words in (("i5", COLM, hobby), ("i6", ANA, hobby), ("i7", COLM, sentence), ("i8", ANA, sentence)):
        asked = replace(ANA_ASKED, member=who, arguments={"interests": words}, invocation=Ref("discord", number))
        await Inbox(town.database, clock=SystemClock(), holder="test").put(Arrival(space=SPACE, event=asked))
        decision = Decision(
            skill="match", actions=(Say(to=GENERAL.ref, text=f"You like {words}"),), reason="they asked"
        )
        await town.database.write(functools.partial(_decided, town=town, number=number, event=asked, of=decision))
    await forget(town)
    async with town.database.read() as connection:
        left = set(await connection.scalars(select(TraceRow.__table__.c.id)))
    assert left == {"ana-again", "i6"}


async def test_what_became_of_a_report_goes_with_whoever_made_it_however_short_it_is(town: Harbour) -> None:
    """Settled by another, and with no button left, it holds a short name and a short reason of theirs."""
    bo = Named(ref=Ref("discord", "h/bo"), name="Bo")
    await store(town, posted("bo1", bo, "hello", 8))
    room, made = Ref("discord", "h/staff"), Ref("discord", "h/b8")
    report = replace(ANA_ASKED, member=bo, command="report", invocation=Ref("discord", "i10"))
    settled = replace(report, member=STAFF, invocation=Ref("discord", "i11"))
    told = "Reported by Bo: awful rude"
    asked = AskStaff(to=room, text=told, skill="report", proposed=())
    under = Edit(message=made, channel=room, text=f"{told} _settled_", before=told)
    other = Edit(message=Ref("discord", "h/b7"), channel=room, text="another matter", before="x")
    for number, event, action, message in (
        ("reported", report, asked, made),
        ("settled", settled, under, None),
        ("other", replace(settled, invocation=Ref("discord", "i12")), other, None),
    ):
        decision = Decision(skill="report", actions=(action,), reason="why", about=(ANA.ref,))
        await town.database.write(
            functools.partial(_decided, town=town, number=number, event=event, of=decision, made=message)
        )
    assert "awful rude" in await town.everything()
    await forget(town, bo)
    after = await town.everything()
    assert ("awful rude" in after, "another matter" in after) == (False, True)


async def test_a_thread_that_went_with_who_was_forgotten_gives_its_messages_to_no_other(town: Harbour) -> None:
    intake = Intake(town.community, MONDAY, refusals=await refusals.load(town.home))
    knots, oars = (Named(ref=Ref("discord", f"h/{name}"), name=name) for name in ("knots", "oars"))

    async def hear(key: str, who: Named, thread: Named) -> None:
        await town.database.write(
            lambda c: intake.store(c, [posted(key, who, f"about {thread.name}", 9, thread=thread)])
        )

    await town.database.write(intake.begin)
    await hear("k1", COLM, knots)
    await forget(town)
    await hear("o1", ANA, oars)
    await hear("k2", ANA, knots)
    document = await exporting.export(town.database, town.community, await town.member(ANA))
    told = {one["text"]: one["thread"] for one in document["message"]}
    assert (told["about oars"], told["about knots"]) == ("oars", "knots")
