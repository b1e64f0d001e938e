"""Channels that grow, in the sample's town: a silent one archived and brought back, and a gentle hint."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.core.events import Arrival, TimerFired
from bot.harbour import HARBOUR
from storage import channels
from storage.tables import MessageRow
from tests.story.town import MEMBER, OWNER, Town

pytestmark = pytest.mark.slow

BREAD = "my sourdough starter is slow, how warm do you proof the dough, and which rye flour for the crumb?"


async def fires(town: Town) -> None:
    """Let the weekly timer come."""
    now = town.app.clock.now()
    fired = TimerFired(schedule="growing.weekly", planned=now, at=now)
    await town.living.inbox.put(Arrival(space=HARBOUR, event=fired))
    await town.settled()


async def silent(town: Town, channel: str) -> None:
    """Let nothing have been said in a channel for long."""
    async with town.app.database.read() as connection:
        room = await channels.find(connection, await town.community(), channel)
    then = town.app.clock.now() - timedelta(days=200)
    moved = update(MessageRow).where(col(MessageRow.channel_id) == room.id).values(sent_at=then)
    await town.app.database.write(lambda connection: connection.execute(moved))


async def test_a_silent_channel_is_archived_when_the_staff_says_so_and_brought_back(harbour: Town) -> None:
    await harbour.indexed()
    await silent(harbour, "film-club")
    await fires(harbour)
    [card] = [one for one in harbour.sees(OWNER, "staff-room") if "film-club" in one.text and one.buttons]
    assert "**Proposed**: archive" in card.text
    await harbour.press(OWNER, "Archive")
    assert harbour.room("film-club").archived
    assert "Nothing was said here for long" in harbour.sees(OWNER, "film-club")[-1].text
    assert "Taken back:" in await harbour.command(OWNER, "staff-room", "/undo")
    assert not harbour.room("film-club").archived
    before = len(harbour.sees(OWNER, "staff-room"))
    await fires(harbour)
    again = [one.text for one in harbour.sees(OWNER, "staff-room")[before:]]
    assert not any("film-club" in one for one in again), "what waits for a word is not proposed twice"


async def test_somebody_is_told_once_a_week_where_their_words_fit_better(harbour: Town) -> None:
    await harbour.indexed()
    await harbour.command(OWNER, "general", "/match")  # now it is learned where everybody belongs
    before = {one.id for one in harbour._posts(OWNER)}
    await harbour.says(OWNER, "general", BREAD)
    told = [one for one in harbour._posts(OWNER) if one.id not in before and "may find more answers" in one.text]
    assert [one.only for one in told] == [OWNER]
    assert "bread-and-ferments" in told[0].text
    before = {one.id for one in harbour._posts(OWNER)}
    await harbour.says(OWNER, "general", f"{BREAD} and again")
    assert not [one for one in harbour._posts(OWNER) if one.id not in before and "may find more" in one.text]
    inside = {one.id for one in harbour._posts(MEMBER)}
    await harbour.joins(MEMBER, "general")
    await harbour.says(MEMBER, "general", BREAD)
    assert not [one for one in harbour._posts(MEMBER) if one.id not in inside and "may find more" in one.text]
