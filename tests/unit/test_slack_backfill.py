"""Old messages of a Slack workspace by its Web API: what is read, what is left alone, waiting, and going on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.backfill import Backfilled, Wanted, import_slack
from bot.core.clock import SystemClock
from bot.core.errors import Gone, Misconfigured, Mistake, NotAllowed
from bot.core.events import Named
from bot.core.settings import Settings
from bot.core.things import Ref
from storage import communities, policies, spaces
from storage.db import Database
from storage.rows import columns
from storage.tables import ChannelRow, MemberRow, MembershipRow, MessageRow, SpaceRow, ThreadRow
from tests.clocks import HastyClock
from tests.platforms.slack import Server, slack_server
from tests.platforms.slack.world import BOT, TEAM, Channel, Message, User
from tests.tables import open_database
from tests.unit import test_slack_export as slacks
from tests.unit.test_exports import of_slack
from tests.words import MONDAY

pytestmark = pytest.mark.slow

CLOCK = SystemClock()
FIRST = 1_700_000_000
USERS = [one | {"team_id": TEAM} for one in slacks.USERS]


def ts(number: int) -> str:
    return f"{FIRST + number}.000100"


def written(number: int, text: str) -> dict[str, object]:
    return slacks.said(ts(number), text)


@dataclass(frozen=True, kw_only=True)
class Bay:
    """The workspace, and what reads it back."""

    server: Server
    database: Database
    settings: Settings
    clock: HastyClock

    def say(self, number: int, text: str = "", channel: str = "C1", **more) -> None:
        """Have said something some seconds after the first."""
        one = Message(ts=ts(number), user=more.pop("user", "U1"), text=text or f"{number}", **more)
        self.server.world.channels[channel].messages[one.ts] = one

    def clear(self) -> None:
        self.server.world.channels["C1"].messages.clear()

    async def read(self, **wanted) -> Backfilled:
        return await import_slack(self.database, self.clock, settings=self.settings, wanted=Wanted(**wanted))

    async def rows(self, model, *names: str) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            return sorted(tuple(row) for row in await connection.execute(select(*columns(model, *names))))

    async def texts(self) -> list[str]:
        return [str(text) for (text,) in await self.rows(MessageRow, "text")]


@pytest.fixture
async def bay(home: Path) -> AsyncIterator[Bay]:
    async with slack_server() as server, open_database(home) as database:
        for own, name in (("U1", "Ana"), ("U2", "Bo Lind")):
            server.world.users[own] = User(id=own, name=name)
        for own, name, private in (("C1", "general", False), ("G1", "staff", True)):
            server.world.channels[own] = Channel(id=own, name=name, private=private, members={"U1", BOT})
        server.world.channels["C1"].purpose = "All of us."
        token = SecretStr(server.environment["KINFOLK_SLACK_BOT_TOKEN"])
        settings = Settings(_env_file=None, home=home, slack_bot_token=token, slack_api=server.api)
        found = Bay(server=server, database=database, settings=settings, clock=HastyClock(CLOCK.now()))
        found.say(1, "hello <@U2>")
        found.say(2, "our duties", channel="G1")
        yield found


async def test_messages_come_with_their_references_channels_and_authors(bay: Bay) -> None:
    done = await bay.read()
    assert (done.stored.messages, done.stored.members, done.stored.channels, done.rooms) == (2, 1, 2, 2)
    assert await bay.rows(MessageRow, "ref", "text", "source") == [
        ("slack:C1/1700000001.000100", "hello @Bo Lind", "slack"),
        ("slack:G1/1700000002.000100", "our duties", "slack"),
    ]
    assert await bay.rows(ChannelRow, "ref", "name", "description", "audience") == [
        ("slack:C1", "general", "All of us.", "everyone"),
        ("slack:G1", "staff", "", "members"),
    ]
    assert await bay.rows(SpaceRow, "ref", "name") == [(f"slack:{TEAM}", "Harbour Makers")]
    # Having written in a closed channel proves nothing for now.
    [(general,)] = [(number,) for number, ref in await bay.rows(ChannelRow, "id", "ref") if ref == "slack:C1"]
    assert [channel for (channel,) in await bay.rows(MembershipRow, "channel_id")] == [general]


async def test_an_export_of_the_same_workspace_adds_only_what_is_new(bay: Bay, tmp_path: Path) -> None:
    await bay.read()
    days = {"general/2023-11-14": [written(1, "hello <@U2>"), written(5, "older than the bot")]}
    path = slacks.written(tmp_path / "f.zip", days, users=USERS)
    found = await of_slack(bay.database, bay.settings.home, path)
    assert (found.stored.messages, found.stored.members) == (1, 0)
    assert await bay.texts() == ["hello @Bo Lind", "older than the bot", "our duties"]


async def test_pages_and_threads_are_read_to_the_beginning_and_a_second_time_reads_nothing(bay: Bay) -> None:
    for number in range(500):
        bay.say(number)
    for number in range(450):
        bay.say(1000 + number, thread=ts(0))
    assert (await bay.read()).stored.messages == 500 + 450 + 1
    assert bay.server.asked["conversations.history"] == 3 + 1
    assert bay.server.asked["conversations.replies"] == 3
    assert await bay.rows(ThreadRow, "ref") == [("slack:C1/1700000000.000100",)]
    assert (await bay.read()).stored.messages == 0
    assert bay.server.asked["conversations.history"] == 4
    assert (await bay.read(again=True)).stored.messages == 0
    assert bay.server.asked["conversations.history"] == 8


async def test_lists_are_read_in_parts(bay: Bay) -> None:
    bay.server.most = 1
    assert (await bay.read()).rooms == 2
    assert bay.server.asked["users.list"] == len(bay.server.world.users)
    assert await bay.texts() == ["hello @Bo Lind", "our duties"]


async def test_since_a_day_and_later_all_the_rest(bay: Bay) -> None:
    day = 86_400
    bay.clear()
    for number in range(300):
        bay.say(number * day)
    middle = datetime.fromtimestamp(FIRST + 150 * day, UTC)
    assert (await bay.read(channels=("#general",), since=middle)).stored.messages == 150
    asked = bay.server.asked["conversations.history"]
    assert (await bay.read(channels=("C1",), since=middle)).stored.messages == 0
    assert bay.server.asked["conversations.history"] == asked
    assert (await bay.read()).stored.messages == 150 + 1


async def test_the_bots_own_words_and_what_nobody_said_are_left_out(bay: Bay) -> None:
    bay.clear()
    bay.say(1, "mine", user=BOT)
    bay.say(3, "x", subtype="channel_join")
    bay.say(4, "x", user="")
    bay.say(5, f"<@{BOT}> theirs")
    await bay.read(channels=("general",))
    assert await bay.texts() == ["theirs"]


async def test_a_wait_that_slack_asks_for_is_kept(bay: Bay) -> None:
    bay.server.limit("conversations.history", 30, times=2)
    bay.server.limit("users.list", 7)
    assert (await bay.read()).stored.messages == 2
    assert sorted(bay.clock.slept) == [7, 30, 30]


async def test_a_wait_that_is_too_long_and_a_right_that_is_missing_are_said(bay: Bay) -> None:
    bay.server.limit("auth.test", 900)
    with pytest.raises(Gone, match=r"asks me to wait 900 s \(auth\.test\)"):
        await bay.read()
    bay.server.scopes.remove("channels:read")
    with pytest.raises(NotAllowed, match=r"missing_scope: channels:read"):
        await bay.read()
    assert (bay.clock.slept, await bay.texts()) == ([], [])


async def test_a_channel_that_is_shut_meanwhile_holds_up_no_other(bay: Bay) -> None:
    bay.server.fail("conversations.history", "not_in_channel", channel="G1")
    done = await bay.read()
    assert [(one.name, one.mend) for one in done.closed] == [("staff", "Slack refuses it (not_in_channel)")]
    assert await bay.texts() == ["hello @Bo Lind"]


async def test_a_thread_that_goes_while_it_is_read_costs_nothing_else(bay: Bay) -> None:
    bay.say(3, "an answer", thread=ts(1))
    bay.server.fail("conversations.replies", "thread_not_found")
    assert (await bay.read()).closed == ()
    assert await bay.texts() == ["hello @Bo Lind", "our duties"]
    assert (await bay.read(again=True)).stored.messages == 1


async def test_what_goes_wrong_is_said_and_the_same_call_goes_on(bay: Bay) -> None:
    for number in range(450):
        bay.say(number)
    bay.server.fail("conversations.history", "internal_error", times=3)
    assert (await bay.read(channels=("general",))).stored.messages == 450
    for number in range(450):
        bay.say(1000 + number)
    bay.server.fail("conversations.history", "internal_error", times=20)
    with pytest.RaisesGroup(pytest.RaisesExc(Gone, match=r"Slack refuses conversations\.history \(internal_error\)")):
        await bay.read(channels=("general",), again=True)
    bay.server.faults.clear()
    assert (await bay.read(channels=("general",))).stored.messages == 450


async def test_tokens_and_channels_that_will_not_do_are_named(bay: Bay) -> None:
    for token, complaint in (("", "KINFOLK_SLACK_BOT_TOKEN is not set"), ("x", r"refuses it \(invalid_auth\)")):
        settings = bay.settings.model_copy(update={"slack_bot_token": SecretStr(token)})
        with pytest.raises(Misconfigured, match=complaint):
            await import_slack(bay.database, bay.clock, settings=settings, wanted=Wanted())
    with pytest.raises(Mistake, match=r"in no channel '#genera'. Did you mean general\?"):
        await bay.read(channels=("#genera",))
    with pytest.raises(Mistake, match="in no channel 'attic'. Invite it there"):
        await bay.read(channels=("attic",))
    away = bay.settings.model_copy(update={"slack_api": "http://127.0.0.1:9/api/"})
    with pytest.raises(Gone, match="Slack cannot be reached"):
        await import_slack(bay.database, bay.clock, settings=away, wanted=Wanted())
    assert (await bay.read()).stored.messages == 2


async def test_the_staff_are_told_in_one_message(bay: Bay) -> None:
    async def settle(connection) -> communities.Community:
        community = await spaces.settle(connection, Named(ref=Ref("slack", TEAM), name="Harbour"), MONDAY)
        await policies.put(connection, community, name="staff_channel", value="staff")
        return community

    await bay.read(channels=("staff",))
    await bay.database.write(settle)
    await bay.read()
    methods = [method for method, _given in bay.server.calls if method.startswith("chat.")]
    assert (methods[0], set(methods[1:])) == ("chat.postMessage", {"chat.update"})
    [notice] = [one for one in bay.server.world.channels["G1"].messages.values() if one.user == BOT]
    assert "2 channels and threads, 1 new messages" in notice.text
    assert await bay.rows(MemberRow, "name") == [("Ana",)]
