"""Old messages of a Discord server come in by the program: killed twice, complete and once each; the staff are told."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command import Kinfolk
from tests.platforms.discord import DiscordServer, discord_server
from tests.watching import count, until

pytestmark = pytest.mark.slow
CHANNELS, EACH = 20, 500
COMMAND = ("import", "discord", "--json")


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as opened:
        yield opened
        assert opened.faults.gaps == []


def found(server: DiscordServer) -> tuple[int, set[str]]:
    """Found a server with a long past; return its staff channel, and the reference of every message."""
    town = server.town
    guild = town.guild("Harbour Makers", town.user("Anna"))
    people = [town.newcomer(guild, f"member {number}") for number in range(50)]
    staff = town.channel(guild, "staff", private=True)
    refs: set[str] = set()
    for number in range(CHANNELS):
        channel = town.channel(guild, f"channel-{number}", f"Topic {number}.")
        said = town.seed(channel, EACH, authors=people, text=f"{number}: Message {{number}} of long ago.")
        refs |= {f"discord:{channel}/{message}" for message in said}
    return staff, refs


def stored(home: Path) -> list[str]:
    with sqlite3.connect(f"file:{home}/kinfolk.db?mode=ro", uri=True) as connection:
        return [ref for (ref,) in connection.execute("SELECT ref FROM message")]


def choose_staff_channel(home: Path) -> None:
    with sqlite3.connect(f"{home}/kinfolk.db") as connection:
        connection.execute("INSERT INTO policy SELECT id, '', 'staff_channel', 'staff' FROM community")


async def kill_beyond(kinfolk: Kinfolk, server: DiscordServer, messages: int) -> None:
    """Start a back-fill, and kill it once so many messages are stored."""
    running = kinfolk.start(*COMMAND, **server.environment)
    await asyncio.to_thread(until, lambda: count(kinfolk.home, "message") >= messages)
    running.kill()
    await asyncio.to_thread(running.communicate)


async def test_a_back_fill_killed_twice_is_complete_and_has_every_message_once(
    kinfolk: Kinfolk, server: DiscordServer
) -> None:
    staff, refs = found(server)
    await kill_beyond(kinfolk, server, 2_000)
    choose_staff_channel(kinfolk.home)
    await kill_beyond(kinfolk, server, 5_000)
    before = count(kinfolk.home, "message")
    assert 5_000 <= before < len(refs)
    done = await asyncio.to_thread(kinfolk.run, *COMMAND, **server.environment)
    answer = json.loads(done.stdout)
    assert (answer["messages"], answer["skipped"]) == (len(refs) - before, 0)
    assert sorted(stored(kinfolk.home)) == sorted(refs)
    assert count(kinfolk.home, "outbox") == len(refs)

    [notice] = server.town.backend.messages[staff].values()
    assert notice.content.startswith("I have read what was said here before I came: 21 of 21")
    pages = len(server.faults.requests("GET", "/channels/*/messages"))
    again = json.loads((await asyncio.to_thread(kinfolk.run, *COMMAND, **server.environment)).stdout)
    assert (again["messages"], again["channels"]) == (0, 0)
    assert len(server.faults.requests("GET", "/channels/*/messages")) == pages
    assert server.faults.hasty() == []


async def test_what_cannot_be_is_one_clear_line(kinfolk: Kinfolk, server: DiscordServer) -> None:
    found(server)
    wrong = server.environment | {"KINFOLK_DISCORD_TOKEN": "wrong"}
    for arguments, settings, complaint in (
        ((), {}, "KINFOLK_DISCORD_TOKEN is not set"),
        ((), wrong, "KINFOLK_DISCORD_TOKEN: Discord refuses it"),
        (("--server", "Harbor Makers"), server.environment, "Did you mean Harbour Makers?"),
        (("--channel", "channel-99"), server.environment, "There is no channel 'channel-99'"),
    ):
        done = await asyncio.to_thread(kinfolk.run, *COMMAND, *arguments, expect=2, **settings)
        assert complaint in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert (done.stdout, count(kinfolk.home, "message")) == ("", 0)
    some = ("--channel", "#channel-3", "--server", "harbour makers")
    done = await asyncio.to_thread(kinfolk.run, *COMMAND, *some, **server.environment)
    assert json.loads(done.stdout)["messages"] == EACH
