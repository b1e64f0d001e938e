"""What staff say of a message teaches the bot, at once and until it is taken back; once a week it says how it did."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.app import open_app
from bot.core.actions import Exhibit, Inward, KeepCase, SettleCase
from bot.core.recurring import weekly
from bot.core.settings import Settings
from bot.core.things import Community, Ref
from brains.moderation.detection import Post
from storage import policies, spaces
from storage.encodings import CachedEncoder
from tests.hashing import HashingEncoder
from tests.platforms.wire import BOT, SPACE, Wire, WireServer, wire_server
from tests.story.discord_town import PATIENCE
from tests.story.wire_town import WireTown

pytestmark = pytest.mark.slow

SPAM = "Earn 500 a day from home, no skills needed! Write to @quickcash_manager now and start this evening."
AGAIN = "Earn 700 a day from home, no skills needed! Write to @quickcash_manager2 now and start this evening!!"
OTHER = "The lantern walk begins at the boat house at six, bring a coat and a candle if you have one."
ANNA, BEN = Ref("wire", "anna"), Ref("wire", "ben")
PIER, LANTERNS = Ref("wire", "#pier"), Ref("wire", "#lanterns")
STAFF = "#office"


class Later:
    """The time of this machine, and so much later."""

    def __init__(self, by: timedelta = timedelta(0)) -> None:
        self.by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@contextlib.asynccontextmanager
async def living(server: WireServer, home: Path, clock: Later | None = None) -> AsyncIterator[WireTown]:
    """Let the bot live for a while, at some time."""
    server.rooms["#lanterns"] = {"anna"}
    settings = Settings(_env_file=None, home=home, generator="none", playground="off")
    async with open_app(settings) as app:
        app.clock = clock or app.clock
        app._encoder = CachedEncoder(HashingEncoder(), app.database)
        wire = Wire(address=server.address, clock=app.clock)
        life_of = await app.living([wire])
        life = asyncio.create_task(life_of.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await wire.ready.wait()
            town = WireTown(app=app, living=life_of, server=server)
            await town.settled()
            yield town
        finally:
            life_of.stop()
            await life


async def community(town: WireTown) -> Community:
    async with town.app.database.read() as connection:
        found = await spaces.community_of(connection, SPACE.ref)
    assert found is not None
    return found


async def keeps(town: WireTown, action: Inward) -> None:
    """Let the bot keep something, as when the staff pressed a button."""
    pipeline = town.living.lanes._pipeline
    receipt = await pipeline.performer.keeper.act(await community(town), action)
    assert receipt.state == "done", receipt.error
    pipeline.faculties.changed()


async def opens(town: WireTown, case: str, words: str, detectors: tuple[str, ...] = ("spam",)) -> None:
    exhibit = Exhibit(message=Ref("wire", "#pier/7"), channel=PIER, text=words, at=town.app.clock.now())
    case_about_it = KeepCase(
        case=case, member=BEN, about="spam", reason="looks like spam", detectors=detectors, exhibits=(exhibit,)
    )
    await keeps(town, case_about_it)


async def seen(town: WireTown, words: str, channel: Ref = LANTERNS) -> list[str]:
    """Return what the memory says of a message."""
    moderator = await (await town.app.moderators()).of(await community(town))
    encoder = await town.app.encoder()
    vector = (await encoder.encode([words]))[0]
    post = Post(text=words, author=ANNA, channel=channel, at=town.app.clock.now(), vector=vector)
    return [one.severity for one in moderator.examine(post).detections if one.detector == "memory"]


async def encoded(town: WireTown) -> None:
    """Wait until every lesson's words have gone."""
    async with asyncio.timeout(PATIENCE):
        while await town._count(_waiting):  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(0.05)


async def _waiting(connection) -> int:
    return (await connection.execute(text("SELECT count(*) FROM lesson WHERE text != ''"))).scalar()


async def test_what_is_confirmed_once_is_flagged_everywhere_until_it_is_taken_back(home: Path, ending: None) -> None:
    async with wire_server() as server, living(server, home) as town:
        await town.says("ben", "#pier", SPAM)
        await opens(town, "K7QX3M", SPAM)
        assert await seen(town, AGAIN) == [], "a case alone teaches nothing"
        settled = SettleCase(case="K7QX3M", verdict="spam", by=ANNA)
        await keeps(town, settled)
        assert await seen(town, AGAIN) == ["flag"], "at once, before anything was encoded"
        await encoded(town)
        assert (await seen(town, AGAIN), await seen(town, OTHER)) == (["flag"], [])
        town.app.clock = town.app._moderators._clock = Later(timedelta(days=2))
        assert await seen(town, SPAM) == ["remove"], "after the quarantine"
        await keeps(town, SettleCase(case="K7QX3M", verdict="", by=ANNA, before="spam"))
        assert await seen(town, SPAM) == []
        assert await town._count(_lessons) == 0


async def _lessons(connection) -> int:
    return (await connection.execute(text("SELECT count(*) FROM lesson"))).scalar()


def notes(server: WireServer) -> list[str]:
    return [one.text for one in server.sees("anna", STAFF) if one.by == BOT and "right in the last" in one.text]


async def test_the_weekly_note_comes_once_a_week_whatever_is_restarted(home: Path, ending: None) -> None:
    now = datetime.now(UTC)
    monday = weekly("mon", 9).after(now, UTC)
    before, after = Later(monday - now - timedelta(hours=3)), Later(monday - now + timedelta(minutes=1))
    async with wire_server() as server:
        async with living(server, home, before) as town:
            whose = await community(town)
            for name, value in (("staff_channel", STAFF), ("mode.moderation_note", "act")):

                async def put(connection, name=name, value=value) -> None:
                    await policies.put(connection, whose, name=name, value=value)

                await town.app.database.write(put)
            await town.says("ben", "#pier", SPAM)
            for number, verdict in enumerate(("spam", "spam", "fine")):
                await opens(town, f"CASE0{number}", SPAM)
                await keeps(town, SettleCase(case=f"CASE0{number}", verdict=verdict, by=ANNA))
            assert notes(server) == []
        for _restart in range(2):
            async with living(server, home, after) as town:
                await arrived(town)
                await town.settled()
        [note] = notes(server)
        assert "spam" in note
        assert "3 cases, 1 of them overturned" in note
        async with living(server, home, Later(after.by + timedelta(days=7))) as town:
            await arrived(town, 2)
            await town.settled()
        assert len(notes(server)) == 1, "of a week in which nothing was settled there is nothing to say"


async def arrived(town: WireTown, count: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while await town._count(_timers) < count:  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(0.02)


async def _timers(connection) -> int:
    return (await connection.execute(text("SELECT count(*) FROM inbox WHERE key LIKE 'timer %'"))).scalar()
