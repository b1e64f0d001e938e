"""The same message of Slack told, read on after an absence, read back and exported: it is stored as the same row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from adapters.history import slack_api
from adapters.history.slack import open_exports
from adapters.slack import names
from adapters.slack.catching_up import CatchingUp
from adapters.slack.directory import Directory
from adapters.slack.incoming import Incoming
from adapters.slack.pages import Pages
from adapters.slack.web import Api
from bot.core.clock import SystemClock
from bot.core.counts import Counts
from bot.core.events import Arrival, Event, MessagePosted, Named
from bot.core.ports import KnownChannel
from bot.core.things import Ref
from storage import refusals
from storage.following import Followings
from storage.rows import columns
from storage.tables import ChannelRow, MemberRow, MessageRow, ThreadRow
from tests.platforms.slack import Server, harbour, slack_server
from tests.platforms.slack.world import BOT, TEAM, Message
from tests.tables import open_database
from tests.unit.test_slack_export import written

pytestmark = pytest.mark.slow

CLOCK = SystemClock()
SPACE = Named(ref=names.ref(TEAM), name="Harbour Makers")
FILE = {"id": "F1", "name": "plan.pdf", "mimetype": "application/pdf", "size": 5, "url_private": "https://a.b/c?t=x"}
SECTION = {"type": "rich_text_section", "elements": [{"type": "text", "text": "said in blocks"}]}
BLOCKS = [{"type": "rich_text", "elements": [SECTION]}]
MESSAGES: dict[str, dict] = {
    "words": {"text": "1 &lt; 2 &amp; <https://a.b/c|here>"},
    "names": {"text": "<@{ben}> and <@UNOBODY|mo> in <#{pier}|x>, not <#{office}|office>, <!here>"},
    "to the bot": {"text": f"<@{BOT}>: what now?"},
    "an answer": {"text": "yes", "thread": "{hello}"},
    "an answer for all": {"text": "loud", "thread": "{hello}", "subtype": "thread_broadcast"},
    "a file": {"text": "", "subtype": "file_share", "files": [FILE, {"id": "F2", "mode": "tombstone"}]},
    "blocks alone": {"text": "", "blocks": BLOCKS},
    "by a machine": {"text": "rain", "user": "", "subtype": "bot_message", "more": {"bot_id": "B1", "username": "Sky"}},
    "by a machine of another name": {"text": "x", "user": "", "more": {"bot_id": "B2", "bot_profile": {"name": "Sea"}}},
    "attached alone": {"text": "", "more": {"attachments": [{"text": "Build 7"}, {"fallback": "failed"}]}},
    "by Slack's own bot": {"text": "here is the form", "subtype": "slackbot_response"},
    "changed since": {"text": "now", "edited": "1700000009.000000"},
    "a join": {"text": "joined", "subtype": "channel_join"},
    "nobody's": {"text": "x", "user": "", "subtype": "bot_message"},
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Open a workspace in which each of the messages was said, some seconds after each other."""
    async with slack_server() as server:
        who = harbour(server)
        room, known = server.world.channels[who.pier], {"ben": who.ben, "pier": who.pier, "office": who.office}
        room.messages.clear()
        hello = server.world.seed(who.pier, who.ben, "Hello.", ts="1700000000.000100")
        for number, one in enumerate(MESSAGES.values()):
            told = {name: _filled(value, hello=hello, **known) for name, value in one.items()}
            message = Message(ts=f"{1_700_000_100 + number}.000100", **{"user": who.mei, **told})
            room.messages[message.ts] = message
        yield server


def _filled(value: object, **known: str) -> object:
    if isinstance(value, str):
        for name, own in known.items():
            value = value.replace(f"{{{name}}}", own)
    return value


def _records(server: Server) -> list[dict]:
    assert server.harbour
    room = server.world.channels[server.harbour.pier]
    return [one.shown(room.replies(one.ts)) for one in sorted(room.messages.values(), key=lambda one: one.ts)]


async def told(server: Server) -> list[Event]:
    """Hear every message by itself."""
    async with aiohttp.ClientSession() as session:
        incoming = _incoming(_api(server, session))
        found = [await incoming.posted(one, server.harbour.pier) for one in _records(server)]
    return [one for one in found if one]


async def read_on(server: Server) -> list[Event]:
    """Have missed all but the first message, and read the channel on."""
    async with aiohttp.ClientSession() as session:
        api, given, pier = _api(server, session), list[Event](), names.ref(server.harbour.pier)
        incoming = _incoming(api)
        first = next(iter(server.world.channels[pier.id].messages.values()))
        latest = names.message(pier.id, first.ts)
        room = await incoming.directory.room(pier.id)
        then: dict[Ref, KnownChannel] = {pier: KnownChannel(channel=room.named, archived=False, latest=latest)}
        api = incoming.directory._api
        reading = CatchingUp(api=api, pages=Pages(api, CLOCK), incoming=incoming, clock=CLOCK, then=then)

        async def give(event: Event) -> None:
            given.append(event)

        await reading.read({pier.id}, give)
        before = await incoming.posted(first.shown(), pier.id)
    return [*([before] if before else []), *given]


def _api(server: Server, session: aiohttp.ClientSession) -> Api:
    token = server.environment["KINFOLK_SLACK_BOT_TOKEN"]
    return Api(tokens={"bot": token}, counts=Counts(CLOCK), session=session, address=server.api)


def _incoming(api: Api) -> Incoming:
    return Incoming(directory=Directory(api, me=BOT, team=SPACE), clock=CLOCK)


async def read_back(server: Server) -> list[Event]:
    """Read the channel back by the Web API, without a socket."""
    token = SecretStr(server.environment["KINFOLK_SLACK_BOT_TOKEN"])
    async with slack_api.open_past(token, clock=CLOCK, api=server.api) as workspace:
        [room] = (await workspace.layout(["pier"])).rooms
        page = await workspace.page(room)
    assert page.done
    return sorted(page.messages, key=lambda one: one.at)


def exported(server: Server, folder: Path) -> list[Event]:
    """Write the messages down as Slack exports them, and read that."""
    lists = {
        "users": [one.shown() for one in server.world.users.values()],
        "channels": [one.shown(BOT) for one in server.world.channels.values() if not one.private],
        "groups": [one.shown(BOT) for one in server.world.channels.values() if one.private],
    }
    path = written(folder / "f.zip", {"pier/2023-11-14": json.loads(json.dumps(_records(server)))}, **lists)
    with open_exports(path, group_messages=False, now=datetime.now(UTC)) as [export]:
        return list(export.messages())


async def stored(home: Path, events: Iterable[Event]) -> list[tuple[object, ...]]:
    """Store events in a home of their own and return the rows, each with its channel, its author and its thread."""
    await asyncio.to_thread(home.mkdir)
    async with open_database(home) as database:
        followings = Followings(CLOCK, await refusals.load(home))
        arrivals = [Arrival(space=SPACE, event=event) for event in events]
        await database.write(lambda connection: followings.store(connection, arrivals))
        async with database.read() as connection:
            found = await connection.execute(
                select(
                    *columns(MessageRow, "ref", "text", "reply_to", "sent_at"),
                    *columns(ChannelRow, "ref", "name", "audience"),
                    *columns(MemberRow, "ref", "name", "bot"),
                    ThreadRow.ref,
                )
                .join(ChannelRow, ChannelRow.id == MessageRow.channel_id)
                .join(MemberRow, MemberRow.id == MessageRow.author_id)
                .outerjoin(ThreadRow, ThreadRow.id == MessageRow.thread_id)
                .order_by(MessageRow.ref)
            )
            return [tuple(row) for row in found]


async def test_the_same_message_is_the_same_row_whichever_way_it_comes(server: Server, tmp_path: Path) -> None:
    ways = {"told": await told(server), "read on": await read_on(server), "read back": await read_back(server)}
    rows = {way: await stored(tmp_path / way, events) for way, events in ways.items()}
    # All were said by somebody but the join, and what is nobody's.
    assert len(rows["told"]) == 1 + len(MESSAGES) - 2
    assert rows["read on"] == rows["told"]
    assert rows["read back"] == rows["told"]
    assert {row[1] for row in rows["told"]} >= {
        "1 < 2 & here (https://a.b/c)",
        "@Ben and @mo in #pier, not #…, @here",
        "what now?",
        "said in blocks",
        "Build 7\nfailed",
    }


async def test_an_export_says_the_same_but_for_the_bots_own_name(server: Server, tmp_path: Path) -> None:
    heard = [one for one in await told(server) if isinstance(one, MessagePosted)]
    # No file of an export says which of the members the bot is.
    named = [replace(one, text=f"@Kinfolk: {one.text}") if one.text == "what now?" else one for one in heard]
    found = await asyncio.to_thread(exported, server, tmp_path)
    assert await stored(tmp_path / "exported", found) == await stored(tmp_path / "told", named)
    assert [one.files for one in found if isinstance(one, MessagePosted)] == [one.files for one in heard]
