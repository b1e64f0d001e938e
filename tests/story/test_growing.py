"""Channels that grow, in the sample's town: a silent one archived and brought back, and a gentle hint."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from bot.core.events import Arrival, TimerFired
from bot.harbour import HARBOUR
from storage import channels
from storage.tables import MessageRow
from tests.story.town import MEMBER, OWNER, STAFF, Town

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


@pytest.mark.parametrize("setting", ["welcome_channel", "digest_channel"])
async def test_a_channel_that_a_setting_names_is_not_proposed_to_be_archived(harbour: Town, setting: str) -> None:
    await harbour.indexed()
    await silent(harbour, "film-club")
    await harbour.command(OWNER, "staff-room", f"/setup {setting} #film-club")
    await fires(harbour)
    cards = [one.text for one in harbour.sees(OWNER, "staff-room") if "**Proposed**: archive" in one.text]
    assert not any("film-club" in one for one in cards)


async def test_somebody_is_told_once_a_week_where_their_words_fit_better(harbour: Town) -> None:
    await harbour.indexed()
    await harbour.command(OWNER, "general", "/match")  # now it is learned where everybody belongs
    before = {one.id for one in harbour._posts(OWNER)}
    await harbour.says(OWNER, "general", BREAD)
    told = [one for one in harbour._posts(OWNER) if one.id not in before and "may find more answers" in one.text]
    assert [one.only for one in told] == [OWNER]
    assert "bread-and-ferments" in told[0].text
    before = {one.id for one in harbour._posts(OWNER)}
    await harbour.says(OWNER, "repair-cafe", f"{BREAD} and again")
    assert not [one for one in harbour._posts(OWNER) if one.id not in before and "may find more" in one.text]
    inside = {one.id for one in harbour._posts(MEMBER)}
    await harbour.says(MEMBER, "introductions", BREAD)
    assert not [one for one in harbour._posts(MEMBER) if one.id not in inside and "may find more" in one.text]


HIVE = (
    "the beehive wants a new frame before the honey flows",
    "honey from the beehive by the canal is nearly black this summer",
    "how often do you open the beehive, and when do you take the honey",
    "smoke calms a beehive, and the honey stays clean",
    "my beehive is heavy with honey, the frame broke",
    "which wood for a beehive frame, does pine spoil the honey",
    "the beehive swarmed, half of the honey is gone",
    "a beehive on the roof needs shade, or the honey runs",
    "honey sticks to every frame of this beehive",
    "paint the beehive white, the frame stays bare, the honey cool",
    "the queen left the beehive and the honey with it",
    "spun the honey today, the beehive has six frames now",
)


async def bees(town: Town) -> list[str]:
    """Have five people talk of bees in general, over two months; return those of them who are new."""
    came = [await town.arrives(name) for name in ("Mo", "Li", "Ty")]
    for one in came:
        await town.joins(one, "general")
    people = [OWNER, STAFF, *came]
    for number, line in enumerate(HIVE):
        await town.says(people[number % 5], "general", line)
    await town.indexed()
    begin = town.app.clock.now() - timedelta(days=60)

    async def long_ago(connection) -> None:
        rows = await connection.execute(select(col(MessageRow.id)).where(col(MessageRow.text).in_(HIVE)))
        numbers = sorted(row.id for row in rows)
        for at, number in enumerate(numbers):
            told = {"sent_at": begin + (at // 2) * timedelta(days=9), "conversation": numbers[at // 2 * 2]}
            await connection.execute(update(MessageRow).where(col(MessageRow.id) == number).values(**told))

    await town.app.database.write(long_ago)
    return came


async def test_a_group_is_made_when_the_staff_says_so_joined_and_put_away_again(harbour: Town) -> None:
    newcomer, other, _third = await bees(harbour)
    await harbour.command(OWNER, "staff-room", "/draft groups")
    [card] = [one for one in harbour.sees(OWNER, "staff-room") if "beehive" in one.text and one.buttons]
    assert card.text.startswith("**Proposed**: a channel #")
    assert not any(line in card.text for line in HIVE), "it quotes nobody"
    before = {room.named.name for room in harbour.page._space.rooms.values()}
    await harbour._answer(OWNER, harbour.pressing(OWNER, card, "Create"))
    [made] = {room.named.name for room in harbour.page._space.rooms.values()} - before
    assert "honey" in made or "beehive" in made
    assert "which many of you talk about" in harbour.sees(OWNER, made)[0].text
    told = harbour.last(other, "general")
    assert "This has a channel of its own now" in told.text
    assert "You are in" in await harbour._answer(newcomer, harbour.pressing(newcomer, told, "Join"))
    assert harbour.is_in(newcomer, made)
    assert "/match refused" in await harbour._answer(other, harbour.pressing(other, told, "Not for me"))
    assert not harbour.is_in(other, made)
    assert "Taken back:" in await harbour.command(OWNER, "staff-room", "/undo")
    assert harbour.room(made).archived
