"""Notes on SQLite and on PostgreSQL: read within a scope, held by their sources, and gone when these are."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import col

from bot.core.ports import Scope
from bot.core.things import Community, Ref
from storage import channels, communities, documents, members, messages, notes, outbox
from storage.connection import Connection
from storage.db import Database
from storage.intake import Intake
from storage.notes import Note
from storage.tables import MessageRow
from tests.words import MONDAY, said

STAFF = Ref("import", "mara")


class Town:
    """A harbour where Ana asked in #general and Rui answered in #workshop."""

    def __init__(self, database: Database, community: Community, numbers: dict[str, int]) -> None:
        self.database, self.community, self.numbers = database, community, numbers

    @property
    def scope(self) -> Scope:
        return Scope(community=self.community.id, channels=frozenset(self.numbers.values()))

    async def keep(self, *sources: str, channel: str = "general", question: str = "When?", text: str = "At 9.") -> Note:
        point = uuid4()
        wrong = await self.database.write(
            functools.partial(
                notes.keep,
                community=self.community,
                point=point,
                channel=self.numbers[channel],
                question=question,
                text=text,
                owner=STAFF,
                sources=[Ref("import", one) for one in sources],
                now=MONDAY,
            )
        )
        assert not wrong
        found = await self.database.look(lambda c: notes.by_point(c, self.scope, [point]))
        return found[point]

    async def add(
        self, *pieces: tuple[str, str], channel: str = "general", name: str = "rules.md"
    ) -> documents.Changed:
        return await self.database.write(
            functools.partial(
                documents.keep,
                community=self.community,
                channel=self.numbers[channel],
                name=name,
                digest="d",
                pieces=pieces,
                now=MONDAY,
            )
        )

    async def read(self, *found: Note, scope: Scope | None = None) -> list[str]:
        points = [one.point for one in found]
        read = await self.database.look(lambda c: notes.by_point(c, scope or self.scope, points))
        return [one.text for one in read.values()]

    async def waits(self) -> list[tuple[str | None, bool]]:
        waiting = await self.database.look(lambda c: outbox.newest(c, 99))
        return [(one.text, one.note) for one in waiting]

    async def indexed(self) -> None:
        waiting = await self.database.look(lambda c: outbox.newest(c, 99))
        await self.database.write(lambda c: outbox.done(c, waiting))


@pytest.fixture
async def town(database: Database) -> Town:
    asked = said("when is it open?", by="ana", key="q1")
    answered = said("from 9 to 17", by="rui", key="a1")
    answered = replace(answered, channel=replace(answered.channel, ref=Ref("import", "workshop"), name="workshop"))
    community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))

    async def work(connection: Connection) -> dict[str, int]:
        intake = Intake(community, MONDAY)
        await intake.begin(connection)
        await intake.store(connection, [asked, answered])
        return {one.name: one.id for one in (await channels.every(connection, community)).values()}

    numbers = await database.write(work)
    first, second = numbers
    return Town(
        database, community, {"general": numbers[first], "workshop": numbers["workshop"], "also": numbers[second]}
    )


async def test_an_entry_is_for_those_who_may_read_all_its_sources(town: Town) -> None:
    entry = await town.keep("q1", "a1")
    assert (await town.read(entry), entry.owner, entry.source) == (["At 9."], STAFF, Ref("note", str(entry.number)))
    for missing in ("general", "workshop"):
        fewer = replace(town.scope, channels=town.scope.channels - {town.numbers[missing]})
        assert await town.read(entry, scope=fewer) == []
    assert await town.read(entry, scope=replace(town.scope, community=town.community.id + 1)) == []
    assert await town.read(entry, scope=replace(town.scope, authors=frozenset({1}))) == []
    assert await town.read(entry, scope=replace(town.scope, until=MONDAY)) == []
    assert await town.read(entry, scope=replace(town.scope, until=MONDAY + timedelta(seconds=1))) == ["At 9."]


async def test_an_entry_rests_while_a_source_reads_otherwise_is_gone_or_withheld(town: Town) -> None:
    entry, free = await town.keep("a1"), await town.keep()
    here = col(MessageRow.ref) == "import:a1"
    rui = await town.database.look(lambda c: members.by_ref(c, town.community, Ref("import", "rui")))
    assert rui is not None
    silent = replace(town.scope, not_authors=frozenset({rui.id}))
    assert await town.read(entry, free, scope=silent) == ["At 9."]
    await town.database.write(lambda c: members.set_consent(c, rui.id, collected=False, now=MONDAY))
    assert await town.database.look(lambda c: notes.waiting(c, town.community)) == [entry]
    await town.database.write(lambda c: members.set_consent(c, rui.id, collected=None, now=MONDAY))
    assert await town.database.look(lambda c: notes.waiting(c, town.community)) == []
    changed = MessageRow.__table__.update().where(here)
    await town.database.write(lambda c: c.execute(changed.values(text="from 10")))
    assert await town.database.look(lambda c: notes.waiting(c, town.community)) == [entry]
    assert await town.read(entry, free) == ["At 9."]
    await town.database.write(lambda c: c.execute(changed.values(text="from 9 to 17")))
    assert len(await town.read(entry, free)) == 2
    await town.database.write(lambda c: messages.erase(c, here))
    assert await town.read(entry, free) == ["At 9."]
    wrong = await town.database.write(
        lambda c: notes.keep(
            c,
            town.community,
            point=entry.point,
            channel=town.numbers["general"],
            question="When?",
            text="At 9.",
            owner=STAFF,
            sources=[Ref("import", "a1")],
            now=MONDAY,
        )
    )
    assert "is not there any more" in wrong
    assert [one.text for one in await town.database.look(lambda c: notes.entries(c, town.scope))] == ["At 9."]


async def test_a_new_version_of_a_file_touches_only_what_changed(town: Town) -> None:
    await town.indexed()
    rules, hours, tools = ("Rules", "Be kind."), ("Hours", "From 9."), ("Tools", "Ask first.")
    assert await town.add(rules, hours) == documents.Changed(new=2)
    assert sorted(await town.waits()) == [("Hours\nFrom 9.", True), ("Rules\nBe kind.", True)]
    await town.indexed()
    assert await town.add(hours, tools) == documents.Changed(new=1, same=1, gone=1)
    assert set(await town.waits()) == {("Tools\nAsk first.", True), (None, False)}
    [file] = await town.database.look(lambda c: documents.every(c, town.community))
    assert (file.name, file.pieces) == ("rules.md", 2)
    await town.indexed()
    assert await town.add(hours, tools, channel="workshop") == documents.Changed(new=2, gone=2)
    assert await town.database.write(lambda c: documents.remove(c, file, now=MONDAY)) == 2
    assert await town.database.look(lambda c: documents.every(c, town.community)) == []


async def test_everything_is_encoded_anew_with_its_notes(town: Town) -> None:
    await town.add(("Rules", "Be kind."))
    await town.keep("a1")
    await town.indexed()
    assert await town.database.look(outbox.acknowledged) == {town.community.id: 4}
    await town.database.write(outbox.put_all)
    assert sorted(str(text) for text, _note in await town.waits()) == [
        "Rules\nBe kind.",
        "When?\nAt 9.",
        "from 9 to 17",
        "when is it open?",
    ]
    assert await town.database.look(outbox.acknowledged) == {}


async def test_a_channel_that_becomes_another_takes_its_notes_along_and_one_that_goes_takes_them_away(
    town: Town,
) -> None:
    await town.add(("Rules", "Be kind."), channel="workshop")
    entry = await town.keep("a1", channel="workshop")
    await town.indexed()
    old, new = town.numbers["workshop"], town.numbers["general"]
    await town.database.write(lambda c: notes.move(c, old, into=new))
    assert sorted(await town.waits()) == [("Rules\nBe kind.", True), ("When?\nAt 9.", True)]
    moved = await town.database.look(lambda c: notes.by_point(c, town.scope, [entry.point]))
    assert moved[entry.point].channel == new
    await town.database.write(lambda c: notes.erase_in(c, new, now=MONDAY))
    assert await town.database.look(lambda c: documents.every(c, town.community)) == []
    assert {text for text, _note in await town.waits()} == {None}


async def test_two_files_of_one_name_stay_apart_when_communities_become_one(town: Town) -> None:
    await town.add(("Rules", "Be kind."))
    other = await town.database.write(lambda c: communities.find_or_make(c, "quay", MONDAY))
    theirs = replace_community(town, other)
    await theirs.add(("Rules", "Be quick."))
    await town.database.write(lambda c: notes.join(c, town.community, other.id))
    known = await town.database.look(lambda c: documents.every(c, town.community))
    assert [one.name for one in known] == ["rules.md", f"rules.md ({other.id})"]
    assert await town.database.look(lambda c: documents.every(c, other)) == []


def replace_community(town: Town, community: Community) -> Town:
    return Town(town.database, community, town.numbers)
