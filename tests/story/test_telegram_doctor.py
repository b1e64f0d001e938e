"""`kinfolk doctor` on Telegram: the token, privacy mode, webhooks and rivals, and the rights in each group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from adapters.telegram import examining
from bot.core.errors import Gone, Misconfigured
from bot.core.events import Named
from bot.core.ports import Finding
from tests.contract.on_telegram import ref
from tests.platforms.telegram import Harbour, TelegramServer, harbour, telegram_server

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as opened:
        yield opened


@pytest.fixture
def who(server: TelegramServer) -> Harbour:
    return harbour(server.town)


async def examine(server: TelegramServer, *groups: int, token: str = "", **more: object) -> list[Finding]:
    given = {"latest": None, "now": NOW, "running": True, **more}
    known = [Named(ref=ref(one), name=f"group {one}") for one in groups]
    return await examining.examine(SecretStr(token or server.token), groups=known, api=server.api, **given)


async def test_where_all_is_well_it_says_so(server: TelegramServer, who: Harbour) -> None:
    found = await examine(server, who.group.id)
    assert {one.state for one in found} == {"ok"}, found
    assert any("all that I need" in one.words for one in found)


async def test_what_is_lacking_is_named_with_what_it_is_for(server: TelegramServer, who: Harbour) -> None:
    who.group.members[server.town.bot].rights -= {"can_restrict_members", "can_manage_topics"}
    plain = server.town.group("Boat Club", who.mo, bot="member")
    gone = server.town.group("Old Club", who.mo, bot=None)
    server.town.hears_all = False
    words = [one.words for one in await examine(server, who.group.id, plain.id, gone.id) if one.state == "warn"]
    assert len(words) == 4
    assert "privacy mode is on" in words[0]
    assert "Ban Users (to time members out" in words[1]
    assert "Manage Topics" in words[1]
    assert "no administrator" in words[2]
    assert "I am not in that chat" in words[3]


async def test_a_webhook_a_rival_and_a_gap_are_found(server: TelegramServer, who: Harbour) -> None:
    server.town.webhook = "https://elsewhere.example"
    assert "webhook" in next(one.words for one in await examine(server, who.group.id) if one.state == "bad")
    server.town.webhook = ""
    server.faults.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request")
    found = await examine(server, who.group.id, running=False)
    assert "another program" in next(one.words for one in found if one.state == "bad")
    await server.people.post(who.ben, who.group, "Anybody?")
    found = await examine(server, who.group.id, running=False, latest=NOW - timedelta(hours=30))
    assert "24 hours" in next(one.words for one in found if one.state == "warn")
    assert len(server.updates.waiting) == 1, "looking confirms nothing"


async def test_a_wrong_token_and_a_line_that_is_down_say_what_to_do(server: TelegramServer) -> None:
    with pytest.raises(Misconfigured, match="BotFather"):
        await examine(server, token="7000000001:wrong")
    server.faults.tear("getMe", when="before")
    with pytest.raises(Gone, match="online"):
        await examine(server)
