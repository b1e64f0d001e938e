"""Conversations in the tables of both databases: by thread, by reply, by reading, and whatever comes late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from bot.core.events import MessageDeleted, MessagePosted
from bot.core.ports import Scope
from bot.core.things import Community, Ref
from bot.untangling import Untangling
from storage import communities, refusals, surroundings
from storage.db import Database
from storage.following import Following
from storage.refusals import Refusals
from storage.tables import MessageRow
from tests.clocks import HastyClock, PatientClock
from tests.unit.test_untangle import CHINESE, ENGLISH
from tests.words import MONDAY, said

WHO = ("", "ana", "wei", "ben", "lin")


@dataclass(frozen=True, kw_only=True)
class Hall:
    """One community, and what untangles it."""

    database: Database
    community: Community
    refused: Refusals
    untangling: Untangling

    async def happens(self, *events: MessagePosted | MessageDeleted) -> None:
        following = Following(self.community, MONDAY, self.refused)

        async def work(connection) -> None:
            await following.begin(connection)
            await following.follow(connection, events)

        await self.database.write(work)

    async def rows(self) -> dict[str, MessageRow]:
        async with self.database.read() as connection:
            found = await connection.execute(
                select(MessageRow.id, MessageRow.point, MessageRow.text, MessageRow.conversation)
            )
            return {row.text: row for row in found}

    async def of(self, text: str, **more) -> list[str]:
        rows = await self.rows()
        texts = {row.id: row.text for row in rows.values()}
        async with self.database.read() as connection:
            scope = await surroundings.without_bots(connection, Scope(community=self.community.id, **more))
            hits = await surroundings.by_point(connection, scope, [rows[text].point])
            found = await surroundings.around(connection, scope, list(hits.values()))
        return [texts[one.number] for some in found.values() for one in some]

    async def groups(self) -> list[set[str]]:
        found: dict[int | None, set[str]] = {}
        for row in (await self.rows()).values():
            found.setdefault(row.conversation, set()).add(row.text)
        return sorted(found.values(), key=min)


@pytest.fixture
async def hall(database: Database, home: Path) -> Hall:
    community = await database.write(lambda c: communities.find_or_make(c, "harbour", MONDAY))
    untangling = Untangling(database=database, clock=HastyClock())
    return Hall(database=database, community=community, refused=await refusals.load(home), untangling=untangling)


def spoken(lines: Sequence[tuple[int, str]], *, where: str = "general", start: int = 0) -> list[MessagePosted]:
    names = {"Ana": "ana", "小明": "wei", "Ben Okafor": "ben", "lin_99": "lin"}
    events = []
    for minute, (who, text) in enumerate(lines):
        for full, short in names.items():
            text = text.replace(full, short)  # noqa: PLW2901
        events.append(said(text, by=WHO[who], where=where, key=f"{where}{start + minute}", minute=start + minute))
    return events


async def test_two_conversations_in_one_channel_come_apart(hall: Hall) -> None:
    english, chinese = spoken(ENGLISH), spoken(CHINESE, where="闲聊")
    await hall.happens(*english, *chinese)
    assert await hall.untangling.catch_up() == 16
    texts = [one.text for one in (*english, *chinese)]
    expected = [set(texts[0:8:2]), set(texts[1:8:2]), set(texts[8::2]), set(texts[9::2])]
    assert sorted(expected, key=min) == await hall.groups()
    assert texts[0:8:2] == await hall.of(texts[4])
    assert await hall.untangling.catch_up() == 0, "nothing waits any more"


async def test_a_thread_is_one_conversation_with_the_message_that_it_began_at(hall: Hall) -> None:
    root = said("who brings the cake", key="r")
    await hall.happens(root, said("nice weather", by="wei", key="w", minute=1))
    await hall.untangling.catch_up()
    await hall.happens(
        said("I do", by="ben", key="t1", minute=300, thread="r"),
        said("thanks", key="t2", minute=900, thread="r"),
        said("other", by="lin", key="o", minute=301, thread="elsewhere"),
    )
    await hall.untangling.catch_up()
    assert await hall.of("thanks") == ["who brings the cake", "I do", "thanks"]
    assert await hall.of("other") == ["other"]
    assert "nice weather" not in await hall.of("I do")


async def test_a_reply_overrules_what_reading_would_say(hall: Hall) -> None:
    old, new = said("when is the boat leaving", key="a"), said("chess tonight", by="wei", key="b", minute=600)
    reply = replace(said("at nine, from the pier", by="ben", key="c", minute=601), reply_to=Ref("import", "a"))
    await hall.happens(old, new, reply)
    await hall.untangling.catch_up()
    assert await hall.of("at nine, from the pier") == ["when is the boat leaving", "at nine, from the pier"]
    assert await hall.of("chess tonight") == ["chess tonight"]


async def test_what_comes_late_is_put_where_it_belongs(hall: Hall) -> None:
    events = spoken(ENGLISH)
    reply = replace(said("a KMC it is", by="ben", key="z", minute=700), reply_to=events[3].message)
    await hall.happens(*events[4:], reply)
    await hall.untangling.catch_up()
    await hall.happens(*events[:4])
    await hall.untangling.catch_up()
    texts = [one.text for one in events]
    assert sorted([{*texts[::2]}, {*texts[1::2], "a KMC it is"}], key=min) == await hall.groups()


async def test_what_is_left_of_a_conversation_stays_together(hall: Hall) -> None:
    events = spoken(ENGLISH)
    await hall.happens(*events)
    await hall.untangling.catch_up()
    first = events[0]
    await hall.happens(MessageDeleted(message=first.message, channel=first.channel, at=first.at))
    assert [one.text for one in events[2::2]] == await hall.of(events[6].text)


async def test_only_what_the_scope_shows_is_told_and_no_more_than_asked_for(hall: Hall) -> None:
    events = spoken(ENGLISH)
    await hall.happens(*events, said("beep", by="robot", key="bot", minute=9, bot=True))
    await hall.untangling.catch_up()
    texts = [one.text for one in events]
    rows = await hall.rows()
    assert rows["beep"].conversation is not None
    async with hall.database.read() as connection:
        wei = await connection.scalar(select(col(MessageRow.author_id)).where(col(MessageRow.text) == texts[2]))
    assert [texts[0], texts[4]] == await hall.of(texts[0], not_authors=frozenset({wei}))
    assert await hall.of(texts[0], channels=frozenset({999})) == []


class Drowsy(HastyClock):
    """Tells when somebody goes to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await super().sleep(seconds)


async def test_a_living_bot_tells_apart_what_was_said_and_rests_longer_than_it_worked(hall: Hall) -> None:
    clock = Drowsy()
    await hall.happens(*spoken(ENGLISH))
    living = asyncio.create_task(replace(hall.untangling, clock=clock).run())
    async with asyncio.timeout(30):
        await clock.asleep.wait()
    living.cancel()
    assert clock.slept[0] > 0
    assert [len(one) for one in await hall.groups()] == [4, 4]


async def test_who_is_in_a_hurry_goes_ahead_while_the_living_bot_rests(hall: Hall) -> None:
    clock, again = PatientClock(), spoken(CHINESE, where="闲聊")
    await hall.happens(*spoken(ENGLISH), *again)
    living = replace(hall.untangling, clock=clock)
    background = asyncio.create_task(living.run())
    async with asyncio.timeout(30):
        while not clock._sleepers:  # noqa: ASYNC110 - it rests after its first portion
            await asyncio.sleep(0.01)
        assert await living.catch_up() == 8, "the other channel waited"
        groups = await hall.groups()
        await clock.let_pass(3600)
    background.cancel()
    assert await hall.groups() == groups, "what was told meanwhile is left as it is"
    assert len(groups) == 4


async def test_what_is_not_untangled_yet_stands_alone(hall: Hall) -> None:
    events = spoken(ENGLISH)
    await hall.happens(*events)
    assert [events[2].text] == await hall.of(events[2].text)
    await hall.untangling.catch_up()
    await hall.database.write(lambda c: c.execute(update(MessageRow).values(conversation=None)))
    await hall.untangling.catch_up()
    assert len(await hall.of(events[2].text)) == 4


async def test_more_than_is_read_at_one_moment_waits_no_longer(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.untangling.MOST", 3)
    await hall.happens(*(said(f"bell {number}", by="ana", key=f"k{number}") for number in range(8)))
    assert await hall.untangling.catch_up() == 8
    assert all(row.conversation is not None for row in (await hall.rows()).values())
