"""Old messages of a Discord server: what is read, what is left alone, what the staff are told, and going on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from pydantic import SecretStr
from sqlalchemy import select

from bot.backfill import PAUSES, Backfilled, Wanted, import_discord
from bot.core.clock import SystemClock
from bot.core.errors import Gone, Misconfigured, Mistake
from bot.core.events import Arrival, MessageDeleted, MessageEdited, Named
from bot.core.settings import Settings
from bot.core.things import Audience, Ref
from storage import backfills, communities, policies, spaces
from storage.backfills import Reached, Step
from storage.db import Database
from storage.inbox import Inbox
from storage.intake import Intake
from storage.rows import columns
from storage.tables import ChannelRow, MemberRow, MembershipRow, MessageRow, ThreadRow
from tests.clocks import HastyClock
from tests.platforms.discord import DiscordServer, Harbour, discord_server, harbour
from tests.tables import open_database
from tests.words import MONDAY, said

pytestmark = pytest.mark.slow

CLOCK = SystemClock()
LONG_AGO = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Sea:
    """The Discord server, the small community on it, and what reads it back."""

    server: DiscordServer
    found: Harbour
    database: Database
    settings: Settings
    clock: HastyClock

    async def read(self, **wanted) -> Backfilled:
        return await import_discord(self.database, self.clock, settings=self.settings, wanted=Wanted(**wanted))

    async def rows(self, model, *names: str) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            return sorted(tuple(row) for row in await connection.execute(select(*columns(model, *names))))

    async def texts(self) -> list[str]:
        return [str(text) for (text,) in await self.rows(MessageRow, "text")]

    async def settle(self, **policy: str) -> communities.Community:
        async def work(connection) -> communities.Community:
            space = Named(ref=Ref("discord", str(self.found.guild)), name="Harbour Makers")
            community = await spaces.settle(connection, space, MONDAY)
            for name, value in policy.items():
                await policies.put(connection, community, name=name, value=value)
            return community

        return await self.database.write(work)

    def pages(self, channel: object = "*") -> int:
        """Count the pages that were asked for."""
        return len(self.server.faults.requests("GET", f"/channels/{channel}/messages"))


@pytest.fixture
async def sea(home: Path) -> AsyncIterator[Sea]:
    async with (
        discord_server() as server,
        open_database(home) as database,
    ):
        settings = Settings(_env_file=None, home=home, discord_token=SecretStr(server.token), discord_api=server.api)
        clock = HastyClock(CLOCK.now())
        yield Sea(server=server, found=harbour(server.town), database=database, settings=settings, clock=clock)
        assert server.faults.gaps == []


async def test_messages_come_with_their_references_channels_and_authors(sea: Sea) -> None:
    done = await sea.read()
    assert (done.stored.messages, done.stored.members, done.closed) == (1, 1, ())
    found = sea.found
    assert await sea.rows(MessageRow, "ref", "text", "source") == [
        (f"discord:{found.pier}/{found.hello}", "Hello.", "discord")
    ]
    assert await sea.rows(MemberRow, "ref", "name", "bot") == [(f"discord:{found.guild}/{found.ben}", "Ben", False)]
    assert await sea.rows(ChannelRow, "ref", "name", "description", "audience") == sorted(
        [
            (f"discord:{found.pier}", "pier", "Boats, and what floats.", "everyone"),
            (f"discord:{found.lanterns}", "lanterns", "Light on the water.", "everyone"),
            (f"discord:{found.office}", "office", "Between moderators.", "members"),
            (f"discord:{found.questions}", "questions", "Ask.", "everyone"),
        ]
    )


async def test_threads_forum_posts_and_private_threads_are_read_each_where_it_belongs(sea: Sea) -> None:
    people, found = sea.server.people, sea.found
    closed = await people.thread(found.mo, found.pier, "Ropes", message=found.hello)
    await people.post(found.ben, closed, "Which knot?")
    await people.archive_thread(found.mo, closed)
    asked = await people.forum_post(found.ben, found.questions, "Which kite?", "One for little wind.")
    secret = await people.thread(found.anna, found.pier, "Between us", private=True)
    await people.join_thread(sea.server.town.bot, secret)
    await people.post(found.anna, secret, "A surprise for Ben.")
    await sea.read()
    assert await sea.texts() == ["A surprise for Ben.", "Hello.", "One for little wind.", "Which knot?"]
    assert await sea.rows(ThreadRow, "ref", "title") == sorted(
        [(f"discord:{closed}", "Ropes"), (f"discord:{asked}", "Which kite?")]
    )
    rooms = {str(ref): audience for ref, audience in await sea.rows(ChannelRow, "ref", "audience")}
    assert rooms[f"discord:{secret}"] == "members", "who may read its parent may not read it"


async def test_who_wrote_in_a_closed_channel_may_not_read_it_for_that(sea: Sea) -> None:
    sea.server.town.seed(sea.found.office, 2, authors=[sea.found.ben])
    await sea.read()
    names = {ref: number for number, ref in await sea.rows(ChannelRow, "id", "ref")}
    inside = [number for (number,) in await sea.rows(MembershipRow, "channel_id")]
    assert inside == [names[f"discord:{sea.found.pier}"]]


async def test_what_nobody_said_and_the_bots_own_words_are_left_out_and_other_bots_are_bots(sea: Sea) -> None:
    town, found = sea.server.town, sea.found
    await sea.server.people.arrive(found.guild, "Newcomer")
    robot = town.user("Robot", bot=True)
    town.member(found.guild, robot)
    town.seed(found.lanterns, 1, authors=[robot], text="I am a machine.")
    town.seed(found.lanterns, 1, authors=[town.bot], text="So am I.")
    await sea.read()
    assert await sea.texts() == ["Hello.", "I am a machine."]
    assert ("Robot", True) in await sea.rows(MemberRow, "name", "bot")


async def test_what_the_bot_may_not_read_is_named_with_what_to_grant(sea: Sea) -> None:
    town, found = sea.server.town, sea.found
    town.seed(found.lanterns, 3)
    role = town.bot_role(found.guild)
    town.take_rights(found.guild, "administrator")
    await sea.server.staff.permit(found.anna, found.lanterns, role.id, deny=["read_message_history"])
    done = await sea.read()
    assert [(one.name, one.mend) for one in done.closed] == [("lanterns", "grant the bot Read Message History there")]
    assert await sea.texts() == ["Hello."]
    await sea.server.staff.permit(found.anna, found.lanterns, role.id)
    again = await sea.read()
    assert (again.stored.messages, again.closed) == (3, ())


async def test_a_channel_that_closes_while_it_is_read_holds_up_no_other(sea: Sea) -> None:
    sea.server.town.seed(sea.found.lanterns, 3)
    sea.server.faults.fail("GET", f"/channels/{sea.found.lanterns}/messages", 403, code=50001, message="Missing Access")
    done = await sea.read()
    assert [(one.name, one.mend) for one in done.closed] == [("lanterns", "Discord refuses it (Missing Access)")]
    assert await sea.texts() == ["Hello."]
    assert (await sea.read()).stored.messages == 3


async def test_a_channel_that_staff_do_not_want_read_is_not_read(sea: Sea) -> None:
    community = await sea.settle()
    lanterns = f"discord:{sea.found.lanterns}"
    sea.server.town.seed(sea.found.lanterns, 3)
    put = policies.put
    await sea.database.write(lambda c: put(c, community, name="read", value="no", channel=lanterns))
    done = await sea.read()
    assert [(one.name, one.mend) for one in done.closed] == [
        ("lanterns", "the staff chose that it is not read: /setup read")
    ]
    assert await sea.texts() == ["Hello."]
    assert sea.pages(sea.found.lanterns) == 0
    await sea.database.write(lambda c: put(c, community, name="read", value="", channel=lanterns))
    assert (await sea.read()).stored.messages == 3


async def test_pages_are_read_to_the_beginning_and_a_second_time_reads_nothing(sea: Sea) -> None:
    sea.server.town.seed(sea.found.lanterns, 250)
    assert (await sea.read()).stored.messages == 251
    pages = sea.pages()
    assert pages == 1 + 3 + 1, "pier, lanterns, and the empty office"
    assert (await sea.read()).stored.messages == 0
    assert sea.pages() == pages
    assert (await sea.read(again=True)).stored.messages == 0
    assert sea.pages() == 2 * pages


async def test_since_a_day_and_later_all_the_rest(sea: Sea) -> None:
    day = timedelta(days=1)
    sea.server.town.seed(sea.found.lanterns, 300, since=LONG_AGO, every=day, text="{number}")
    some = await sea.read(channels=("#lanterns",), since=LONG_AGO + 150 * day)
    assert some.stored.messages == 150
    pages = sea.pages()
    assert (await sea.read(channels=("lanterns",), since=LONG_AGO + 150 * day)).stored.messages == 0
    assert sea.pages() == pages
    assert (await sea.read()).stored.messages == 151
    assert sorted(await sea.texts()) == sorted(["Hello.", *map(str, range(300))])


async def test_nothing_is_read_that_would_not_be_kept(sea: Sea) -> None:
    await sea.settle(retention_days="30")
    sea.server.town.seed(sea.found.lanterns, 20, since=LONG_AGO)
    assert (await sea.read()).stored.messages == 1
    assert await sea.texts() == ["Hello."]


async def test_a_wait_that_discord_asks_for_is_kept(sea: Sea) -> None:
    sea.server.town.seed(sea.found.lanterns, 250)
    sea.server.faults.limit("GET", f"/channels/{sea.found.lanterns}/messages", after=0.3)
    assert (await sea.read()).stored.messages == 251
    assert sea.server.faults.hasty() == []


async def test_the_server_a_channel_and_a_community_are_found_or_near_names_are_said(sea: Sea) -> None:
    other = sea.server.town.guild("Hill", sea.found.anna)
    sea.server.town.channel(other, "lanterns")
    with pytest.raises(Mistake, match=r"several servers: .*Harbour Makers .*Hill .*--server NAME"):
        await sea.read()
    with pytest.raises(Mistake, match=r"no server 'Harbour Maker'. Did you mean Harbour Makers\?"):
        await sea.read(server="Harbour Maker")
    with pytest.raises(Mistake, match=r"no channel 'lantern' .*Did you mean lanterns\?"):
        await sea.read(server="harbour makers", channels=("lantern",))
    assert (await sea.read(server=str(sea.found.guild), community="harbour")).stored.messages == 1
    with pytest.raises(Mistake, match="belongs to the community 'harbour'"):
        await sea.read(server="Harbour Makers", community="hill")
    assert (await sea.read(server="Hill")).stored.messages == 0
    async with sea.database.read() as connection:
        assert [one.name for one in await communities.every(connection)] == ["Hill", "harbour"]


async def test_tokens_that_will_not_do_are_named(sea: Sea) -> None:
    for token, complaint in (("", "KINFOLK_DISCORD_TOKEN is not set"), ("wrong", "Discord refuses it. Make a new one")):
        settings = sea.settings.model_copy(update={"discord_token": SecretStr(token)})
        with pytest.raises(Misconfigured, match=complaint):
            await replace(sea, settings=settings).read()
    with FileLock(sea.settings.home / "import.lock"), pytest.raises(Mistake, match="Another import"):
        await sea.read()
    assert (await sea.read()).stored.messages == 1


async def test_without_the_right_to_the_words_nothing_is_stored(sea: Sea) -> None:
    sea.server.town.approved.discard("message_content")
    with pytest.RaisesGroup(pytest.RaisesExc(Misconfigured, match="Message Content Intent")):
        await sea.read()
    assert await sea.texts() == []
    sea.server.town.approved.add("message_content")
    assert (await sea.read()).stored.messages == 1


def told(sea: Sea) -> list[tuple[str, str]]:
    """Return what was asked of Discord to tell the staff, and the texts."""
    wanted = [one for one in sea.server.faults.asked if one.method in {"POST", "PATCH"}]
    return [(one.method, one.body["content"]) for one in wanted]


async def test_the_staff_are_told_in_one_message_which_the_next_run_goes_on_with(sea: Sea) -> None:
    await sea.settle(staff_channel="office", language="zh_CN")
    pages = f"/channels/{sea.found.lanterns}/messages"
    sea.server.town.seed(sea.found.lanterns, 150)
    sea.server.faults.tear("GET", pages, when="before", times=100)
    with pytest.RaisesGroup(pytest.RaisesExc(Gone, match="goes on from here")):
        await sea.read()
    assert told(sea)[0][0] == "POST"
    assert "停" in told(sea)[-1][1]
    assert sea.clock.slept.count(max(PAUSES)) == 1
    sea.server.faults.clear()
    sea.server.faults.tear("GET", pages, when="after", times=2)
    assert (await sea.read()).stored.messages == 150
    everything = told(sea)
    assert [method for method, _text in everything].count("POST") == 1
    shown = await sea.server.views.sees(sea.found.mo, sea.found.office)
    assert [one["content"] for one in shown] == [everything[-1][1]]
    assert "150" in everything[-1][1]
    await sea.read()
    assert told(sea) == everything, "who reads nothing has nothing to tell"


async def test_a_staff_channel_that_is_nowhere_keeps_nothing_from_being_read(sea: Sea) -> None:
    await sea.settle(staff_channel="attic")
    assert (await sea.read()).stored.messages == 1
    assert told(sea) == []


async def test_two_processes_that_meet_the_same_people_and_places_store_each_once(database: Database) -> None:
    community = await database.write(lambda connection: communities.find_or_make(connection, "harbour", MONDAY))
    ours, theirs = Intake(community, MONDAY), Intake(community, MONDAY)
    pages = [[said(f"{number}", key=f"m{number}", thread="ropes")] for number in range(2)]
    for intake in (ours, theirs):
        await database.write(intake.begin)
    for intake, page in zip((ours, theirs), pages, strict=True):
        await database.write(lambda connection, intake=intake, page=page: intake.store(connection, page))
    async with database.read() as connection:
        for model, count in ((MemberRow, 1), (ChannelRow, 1), (ThreadRow, 1), (MessageRow, 2)):
            assert len((await connection.execute(select(*columns(model, "id")))).all()) == count


async def stored_after(database: Database, *arrivals: Arrival) -> Reached | None:
    """Store a page of which some was changed since it was asked for; None where it is to be read again."""
    space = Named(ref=Ref("import", "space"), name="harbour")
    inbox = Inbox(database, clock=CLOCK, holder="t")
    await inbox.put(Arrival(space=space, event=deleted("m1")))
    community = await database.write(lambda connection: spaces.settle(connection, space, MONDAY))
    async with database.read() as connection:
        arrived = await backfills.arrived(connection)
    for arrival in arrivals:
        await inbox.put(replace(arrival, space=space))
    page = [said("one", key="m1"), said("two", key="m2")]
    room = page[0].channel.ref
    step = Step(space=space.ref, room=room, messages=page, reached=Reached(before="m1"), arrived=arrived)
    intake = Intake(community, MONDAY)

    async def work(connection) -> Reached | None:
        await intake.begin(connection)
        await backfills.store(connection, intake, step)
        return (await backfills.reached(connection, community)).get(room)

    return await database.write(work)


def deleted(key: str) -> MessageDeleted:
    return MessageDeleted(message=Ref("import", key), channel=said("").channel, at=MONDAY)


def happened(event: MessageDeleted | MessageEdited) -> Arrival:
    return Arrival(space=said("").channel, event=event)


async def test_a_page_of_which_something_changed_since_is_read_again(database: Database) -> None:
    assert await stored_after(database, happened(deleted("m2"))) is None
    one = said("one", key="m1")
    edited = MessageEdited(message=one.message, channel=one.channel, author=one.author, text="!", at=MONDAY, revision=1)
    assert await stored_after(database, happened(edited)) is None
    assert await stored_after(database, happened(deleted("m3"))) == Reached(before="m1")


async def test_the_newest_that_is_stored_of_each_channel_and_thread_is_known(sea: Sea) -> None:
    people, found = sea.server.people, sea.found
    thread = await people.thread(found.mo, found.pier, "Ropes", message=found.hello)
    await people.post(found.ben, thread, "Which knot?")
    await sea.read()
    community = await sea.settle()
    async with sea.database.read() as connection:
        known = await spaces.latest(connection, community, "discord")
        assert await spaces.latest(connection, community, "slack") == {}
    pier, ropes = known[Ref("discord", str(found.pier))], known[Ref("discord", str(thread))]
    assert (pier.channel.name, pier.description, pier.archived) == ("pier", "Boats, and what floats.", False)
    assert pier.channel.audience is Audience.EVERYONE
    assert pier.latest == Ref("discord", f"{found.pier}/{found.hello}")
    assert (ropes.channel.name, ropes.channel.audience) == ("Ropes", Audience.EVERYONE)
    assert known[Ref("discord", str(found.lanterns))].latest is None
    assert (pier.thread, ropes.thread) == (False, True)
