"""Old messages of a Slack workspace by its Web API: what is read, what is left alone, waiting, and going on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
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
from tests.tables import open_database
from tests.unit import test_slack_export as slacks
from tests.unit.test_exports import of_slack
from tests.words import MONDAY

pytestmark = pytest.mark.slow

CLOCK = SystemClock()
TOKEN = "xoxb-of-the-tests"


def said(number: int, text: str = "", **more: object) -> dict[str, object]:
    return {
        "type": "message",
        "user": "U1",
        "ts": f"{1_700_000_000 + number}.000100",
        "text": text or f"{number}",
    } | more


@dataclass(kw_only=True)
class PastOfSlack:
    """The few methods of the Web API that reading back takes, by Slack's own rules for pages, tokens and limits."""

    channels: list[dict[str, object]]
    said: dict[str, list[dict[str, object]]]
    asked: Counter[str] = field(default_factory=Counter)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: dict[str, list[tuple[int, dict[str, str], str]]] = field(default_factory=dict)
    page: int = 1000
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call."""
        method, given = request.match_info["method"], {key: str(one) for key, one in (await request.post()).items()}
        self.asked[method] += 1
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if faults := self.faults.get(method):
            status, headers, text = faults.pop(0)
            return web.Response(status=status, headers=headers, text=text, content_type="application/json")
        answer = getattr(self, method.replace(".", "_").lower())(given)
        return web.json_response({"ok": True} | answer if isinstance(answer, dict) else {"ok": False, "error": answer})

    def auth_test(self, given: dict[str, str]) -> dict[str, object]:
        return {"team_id": "T1", "team": "Harbour", "user_id": "UBOT", "bot_id": "BBOT"}

    def users_list(self, given: dict[str, str]) -> dict[str, object]:
        return self._part("members", slacks.USERS, given)

    def users_conversations(self, given: dict[str, str]) -> dict[str, object]:
        return self._part("channels", self.channels, given)

    def conversations_history(self, given: dict[str, str]) -> dict[str, object] | str:
        if given["channel"] not in self.said:
            return "not_in_channel"
        latest, oldest = float(given.get("latest") or "inf"), float(given.get("oldest") or 0)
        # Answers in threads are not told with the channel.
        some = [one for one in self.said[given["channel"]] if one.get("thread_ts", one["ts"]) == one["ts"]]
        some = sorted((one for one in some if oldest < float(str(one["ts"])) < latest), key=lambda one: str(one["ts"]))
        found = some[::-1][: int(given["limit"])]
        return {"messages": found, "has_more": len(found) < len(some)}

    def conversations_replies(self, given: dict[str, str]) -> dict[str, object]:
        inside = [one for one in self.said[given["channel"]] if one.get("thread_ts", one["ts"]) == given["ts"]]
        return self._part("messages", inside, given)

    def chat_postmessage(self, given: dict[str, str]) -> dict[str, object]:
        self.told.append(("post", given))
        return {"channel": given["channel"], "ts": "1800000000.000100"}

    def chat_update(self, given: dict[str, str]) -> dict[str, object] | str:
        self.told.append(("update", given))
        return {} if given["ts"] == "1800000000.000100" else "message_not_found"

    def _part(self, key: str, items: list[dict[str, object]], given: dict[str, str]) -> dict[str, object]:
        begin = int(given.get("cursor") or 0)
        end = begin + min(self.page, int(given["limit"]))
        more = {"next_cursor": str(end) if end < len(items) else ""}
        return {key: items[begin:end], "response_metadata": more}


@dataclass(frozen=True, kw_only=True)
class Bay:
    """The workspace, and what reads it back."""

    server: PastOfSlack
    database: Database
    settings: Settings
    clock: HastyClock

    async def read(self, **wanted) -> Backfilled:
        return await import_slack(self.database, self.clock, settings=self.settings, wanted=Wanted(**wanted))

    async def rows(self, model, *names: str) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            return sorted(tuple(row) for row in await connection.execute(select(*columns(model, *names))))

    async def texts(self) -> list[str]:
        return [str(text) for (text,) in await self.rows(MessageRow, "text")]


@pytest.fixture
async def bay(home: Path) -> AsyncIterator[Bay]:
    channels = [one | {"is_private": False} for one in slacks.CHANNELS]
    channels.append({"id": "G1", "name": "staff", "is_private": True})
    server = PastOfSlack(channels=channels, said={"C1": [said(1, "hello <@U2>")], "G1": [said(2, "our duties")]})
    app = web.Application()
    app.router.add_post("/api/{method}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    async with open_database(home) as database:
        settings = Settings(_env_file=None, home=home, slack_bot_token=SecretStr(TOKEN), slack_api=server.url)
        yield Bay(server=server, database=database, settings=settings, clock=HastyClock(CLOCK.now()))
    await runner.cleanup()


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
    assert await bay.rows(SpaceRow, "ref", "name") == [("slack:T1", "Harbour")]
    # Having written in a closed channel proves nothing for now.
    [(general,)] = [(number,) for number, ref in await bay.rows(ChannelRow, "id", "ref") if ref == "slack:C1"]
    assert [channel for (channel,) in await bay.rows(MembershipRow, "channel_id")] == [general]


async def test_an_export_of_the_same_workspace_adds_only_what_is_new(bay: Bay, tmp_path: Path) -> None:
    await bay.read()
    days = {"general/2023-11-14": [said(1, "hello <@U2>"), said(5, "older than the bot")]}
    found = await of_slack(bay.database, bay.settings.home, slacks.written(tmp_path / "f.zip", days))
    assert (found.stored.messages, found.stored.members) == (1, 0)
    assert await bay.texts() == ["hello @Bo Lind", "older than the bot", "our duties"]


async def test_pages_and_threads_are_read_to_the_beginning_and_a_second_time_reads_nothing(bay: Bay) -> None:
    first = said(0, "who bakes?", thread_ts="1700000000.000100", reply_count=450)
    answers = [said(1000 + n, f"answer {n}", thread_ts=first["ts"]) for n in range(450)]
    bay.server.said["C1"] = [first, *(said(n) for n in range(1, 500)), *answers]
    assert (await bay.read()).stored.messages == 500 + 450 + 1
    assert bay.server.asked["conversations.history"] == 3 + 1
    assert bay.server.asked["conversations.replies"] == 3
    assert await bay.rows(ThreadRow, "ref") == [("slack:C1/1700000000.000100",)]
    assert (await bay.read()).stored.messages == 0
    assert bay.server.asked["conversations.history"] == 4
    assert (await bay.read(again=True)).stored.messages == 0
    assert bay.server.asked["conversations.history"] == 8


async def test_lists_are_read_in_parts(bay: Bay) -> None:
    bay.server.page = 1
    assert (await bay.read()).rooms == 2
    assert bay.server.asked["users.list"] == len(slacks.USERS)
    assert await bay.texts() == ["hello @Bo Lind", "our duties"]


async def test_since_a_day_and_later_all_the_rest(bay: Bay) -> None:
    day = 86_400
    bay.server.said["C1"] = [said(n * day) for n in range(300)]
    middle = datetime.fromtimestamp(1_700_000_000 + 150 * day, UTC)
    assert (await bay.read(channels=("#general",), since=middle)).stored.messages == 150
    asked = bay.server.asked["conversations.history"]
    assert (await bay.read(channels=("C1",), since=middle)).stored.messages == 0
    assert bay.server.asked["conversations.history"] == asked
    assert (await bay.read()).stored.messages == 150 + 1


async def test_the_bots_own_words_and_what_nobody_said_are_left_out(bay: Bay) -> None:
    own = [said(1, "mine", user="UBOT"), said(2, "mine too", user=None, bot_id="BBOT", subtype="bot_message")]
    bay.server.said["C1"] = [*own, said(3, "x", subtype="channel_join"), said(4, "x", user=None), said(5, "theirs")]
    await bay.read(channels=("general",))
    assert await bay.texts() == ["theirs"]


async def test_a_wait_that_slack_asks_for_is_kept(bay: Bay) -> None:
    limited = (429, {"Retry-After": "30"}, json.dumps({"ok": False, "error": "ratelimited"}))
    bay.server.faults = {"conversations.history": [limited, limited], "users.list": [(429, {"Retry-After": "7"}, "")]}
    assert (await bay.read()).stored.messages == 2
    assert sorted(bay.clock.slept) == [7, 30, 30]


async def test_a_wait_that_is_too_long_and_a_right_that_is_missing_are_said(bay: Bay) -> None:
    bay.server.faults = {"auth.test": [(429, {"Retry-After": "900"}, "")]}
    with pytest.raises(Gone, match=r"asks me to wait 900 s \(auth\.test\)"):
        await bay.read()
    missing = json.dumps({"ok": False, "error": "missing_scope", "needed": "groups:read"})
    bay.server.faults = {"users.conversations": [(200, {}, missing)]}
    with pytest.raises(NotAllowed, match=r"missing_scope: groups:read"):
        await bay.read()
    assert (bay.clock.slept, await bay.texts()) == ([], [])


async def test_a_channel_that_is_shut_meanwhile_holds_up_no_other(bay: Bay) -> None:
    del bay.server.said["G1"]
    done = await bay.read()
    assert [(one.name, one.mend) for one in done.closed] == [("staff", "Slack refuses it (not_in_channel)")]
    assert await bay.texts() == ["hello @Bo Lind"]


async def test_what_goes_wrong_is_said_and_the_same_call_goes_on(bay: Bay) -> None:
    bay.server.said["C1"] = [said(n) for n in range(450)]
    broken = (500, {}, json.dumps({"ok": False, "error": "internal_error"}))
    bay.server.faults = {"conversations.history": [broken] * 3}
    assert (await bay.read(channels=("general",))).stored.messages == 450
    bay.server.said["C1"] += [said(1000 + n) for n in range(450)]
    bay.server.faults = {"conversations.history": [broken] * 20}
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
        community = await spaces.settle(connection, Named(ref=Ref("slack", "T1"), name="Harbour"), MONDAY)
        await policies.put(connection, community, name="staff_channel", value="staff")
        return community

    await bay.read(channels=("staff",))
    await bay.database.write(settle)
    await bay.read()
    methods = [method for method, _given in bay.server.told]
    assert (methods[0], set(methods[1:])) == ("post", {"update"})
    assert bay.server.told[0][1]["channel"] == "G1"
    assert {given["ts"] for _method, given in bay.server.told[1:]} == {"1800000000.000100"}
    assert "2 channels and threads, 1 new messages" in bay.server.told[-1][1]["text"]
    assert await bay.rows(MemberRow, "name") == [("Ana",)]
