"""One bot on two platforms: a member who is on both, and two communities that become one."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.core.actions import Action, Invite
from bot.core.decisions import Receipt
from bot.core.ports import Scope
from storage import acts, communities, outbox
from storage.tables import metadata
from tests.command import Kinfolk
from tests.platforms.wire import Wire, wire_server
from tests.story.discord_town import WICK
from tests.story.town import MEMBER, OWNER, Town, town
from tests.story.wire_town import WireTown

pytestmark = pytest.mark.slow

BREAD = "sourdough bread and ferments, how long do you proof your dough"


class Inviting(Wire):
    """Wire, where the bot brings its own members into rooms at once."""

    can = Wire.can | {"Invite", "enters"}

    async def act(self, action: Action) -> Receipt:
        if not isinstance(action, Invite):
            return await super().act(action)
        if action.member.platform != self.platform:
            return Receipt(state="failed", error=f"{action.member} is not on Wire")
        return Receipt(state="done")


@dataclass(frozen=True, kw_only=True)
class Both:
    """The sample community on the playground, and a small one on Wire."""

    page: Town
    wire: WireTown

    async def indexed(self) -> None:
        async with asyncio.timeout(60):
            while await self.wire._count(outbox.count):  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.02)

    async def everything(self) -> str:
        async with self.page.app.database.read() as connection:
            found = [await connection.execute(select(table)) for table in metadata.tables.values()]
            return "\n".join(str([tuple(row) for row in rows]) for rows in found)

    async def texts(self) -> set[str]:
        async with self.page.app.database.read() as connection:
            return set(await connection.scalars(select(metadata.tables["message"].c.text)))

    async def become_one(self) -> None:
        """Let the two communities be one, as their owners want it."""
        code = (await self.page.command(OWNER, "staff-room", "/setup link")).split("**")[1]
        [asked] = await self.wire.says("anna", "@anna", f"/setup link {code}")
        assert "Shall harbour become part of" in asked
        await self.wire.says("anna", "@anna", f"/setup link {code} yes")
        assert "is part of" in await self.page.command(OWNER, "staff-room", f"/setup link {code} yes")
        await self.wire.settled()
        await self.indexed()

    async def entered(self) -> list[Invite]:
        """Return by which invitations the bot brought anybody in."""
        async with self.page.app.database.read() as connection:
            [community] = await communities.every(connection)
            done = await acts.of_skill(connection, community, "match", datetime.min.replace(tzinfo=UTC))
        return [one.action for one in done if isinstance(one.action, Invite)]

    async def link(self) -> None:
        """Let Marta's account on the playground and Ben's on Wire be one human's."""
        code = (await self.page.command(MEMBER, "introductions", "/privacy link")).split("**")[1]
        [asked] = await self.wire.says("ben", "@ben", f"/privacy link {code}")
        assert "(Playground, Harbour Makers)" in asked
        [waits] = await self.wire.says("ben", "@ben", f"/privacy link {code} yes")
        assert "your other account has to say yes" in waits
        assert "ben (Wire, " in self.page._posts(MEMBER)[-1].text.replace("**", "")
        done = await self.page.command(MEMBER, "introductions", f"/privacy link {code} yes")
        assert "one person to me" in done
        await self.wire.settled()


@pytest.fixture
async def both(founded: Path, home: Path) -> AsyncIterator[Both]:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(wire_server())
        server.rooms["#lanterns"] = {"anna"}
        wires: list[Wire] = []

        def beside(app) -> list[Wire]:
            wires.append(Inviting(address=server.address, clock=app.clock))
            return wires

        opened = await stack.enter_async_context(town(founded, home, beside=beside))
        async with asyncio.timeout(60):
            await wires[0].ready.wait()
        yield Both(page=opened, wire=WireTown(app=opened.app, living=opened.living, server=server))


async def test_one_human_on_two_platforms_has_one_consent_one_export_and_one_forget(both: Both) -> None:
    await both.wire.says("ben", "#pier", "I repair rusty lanterns in winter")
    await both.link()
    assert "Playground" in (await both.wire.says("ben", "@ben", "/privacy"))[0]
    await both.wire.says("ben", "@ben", "/privacy off")
    await both.page.says(MEMBER, "introductions", "nobody may keep this sentence of mine")
    assert "nobody may keep this sentence of mine" not in await both.texts()
    await both.page.command(MEMBER, "introductions", "/privacy on")
    await both.wire.says("ben", "#pier", "and this one may be kept again")
    assert "and this one may be kept again" in await both.texts()

    await both.page.command(MEMBER, "introductions", "/privacy export")
    [file] = both.page._posts(MEMBER)[-1].files
    exported = json.loads(file.data)
    [linked] = exported["linked"]
    assert "I repair rusty lanterns in winter" in [one["text"] for one in linked["message"]]
    assert exported["message"]

    await both.wire.says("ben", "@ben", "/privacy forget yes")
    await both.wire.settled()
    assert "0 left" in list(both.wire.server.said.values())[-1].text
    everything = await both.everything()
    for trace in ("playground:marta'", "wire:ben'", "rusty lanterns", "kept again"):
        assert trace not in everything, trace
    await both.page.says(MEMBER, "introductions", "is anybody listening")
    await both.wire.says("ben", "#pier", "is anybody listening here")
    assert not {"is anybody listening", "is anybody listening here"} & await both.texts()


async def test_two_communities_become_one_while_the_bot_lives(both: Both) -> None:
    await both.wire.talks()
    await both.indexed()
    [before] = await both.wire.says("ben", "@ben", f"/match {BREAD}")
    assert "bread-and-ferments" not in before
    await both.become_one()
    async with both.page.app.database.read() as connection:
        [only] = await communities.every(connection)
        said = metadata.tables["message"].c
        humans = (
            select(said.id)
            .select_from(metadata.tables["message"].join(metadata.tables["member"]))
            .where(metadata.tables["member"].c.bot.is_(False), said.text != "")
        )
        count = len((await connection.execute(humans)).all())
    vectors = await both.page.app.vectors()
    assert await vectors.count(Scope(community=only.id)) == count
    [alone] = await both.wire.says("ben", "@ben", f"/match {BREAD}")
    assert "bread-and-ferments" not in alone, "Ben is not on the playground, and never said that he wants its channels"
    [told] = await both.wire.says("ben", "@ben", "/match across on")
    assert "From now on I offer you channels of" in told
    [across] = await both.wire.says("ben", "@ben", f"/match {BREAD}")
    assert "bread-and-ferments" in across
    await both.wire.says("ben", "@ben", "/match across off")
    [again] = await both.wire.says("ben", "@ben", f"/match {BREAD}")
    assert "bread-and-ferments" not in again
    await both.wire.says("ben", "#pier", "what was said after they became one")
    assert "what was said after they became one" in await both.texts()
    async with both.page.app.database.read() as connection:
        numbers = set(await connection.scalars(select(said.community_id)))
    assert numbers == {only.id}


async def test_who_joins_a_channel_of_another_platform_comes_in_by_their_account_there(both: Both) -> None:
    await both.wire.talks()
    await both.become_one()
    await both.link()
    said = {MEMBER: "You are in **[#lanterns](", OWNER: "**[#lanterns]("}
    for who in (MEMBER, OWNER):
        await both.page.command(who, "introductions", "/match across on")
        assert "#lanterns" in await both.page.command(who, "introductions", f"/match {WICK}")
        told = await both.page.press(who, "Join #lanterns")
        assert told.startswith(said[who])
        assert await both.page.opinions(who) == {"lanterns": "joined"}
    assert told.endswith("is open to you: go there and say hello!"), "nobody knows who the owner is there"
    assert [str(one.member) for one in await both.entered()] == ["wire:ben"]


def test_whoever_hosts_links_communities_by_a_command(kinfolk: Kinfolk, tmp_path: Path) -> None:
    for number, name in enumerate(("harbour", "hill", "hull")):
        file = tmp_path / f"{name}.jsonl"
        user = "fatima" if name != "hill" else "nia"
        row = {"channel": f"c{number}", "user": user, "text": f"hello {name}", "ts": 1_700_000_000}
        file.write_text(json.dumps(row))
        kinfolk.run("import", "jsonl", file, "--community", name)
    listed = kinfolk.json("community", "list", "--json")
    assert [(one["name"], one["messages"]) for one in listed] == [("harbour", 1), ("hill", 1), ("hull", 1)]
    assert "--yes" in kinfolk.run("community", "link", "harbour", "hill", expect=2).stderr
    assert kinfolk.json("community", "link", "harbour", "hill", "--yes", "--json") == {
        "community": "harbour",
        "linked": "hill",
    }
    assert "the same people" in kinfolk.run("community", "link", "harbour", "hull", "--yes", expect=2).stderr
    assert "one community already" in kinfolk.run("community", "link", "harbour", "hill", "--yes", expect=2).stderr
    listed = kinfolk.json("community", "list", "--json")
    assert [(one["name"], one["messages"]) for one in listed] == [("harbour", 2), ("hull", 1)]
    file = tmp_path / "hill.jsonl"
    again = kinfolk.json("import", "jsonl", file, "--community", "hill", "--json")
    assert (again["messages"], again["members"]) == (0, 0), "its name means the other one, where all of it is"
