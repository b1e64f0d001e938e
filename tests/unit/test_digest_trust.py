"""What a digest chooses to repeat: questions as titles, and no word, link or name of who cannot be trusted."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.i18n import translator
from bot.untangling import Untangling
from brains.evals.archive import Archive, Text, archive
from brains.moderation import rules
from brains.moderation.detection import Post
from brains.moderation.moderator import Moderator
from brains.moderation.rulebook import Rulebooks
from brains.rhythm.digest import Digest
from brains.rhythm.digester import OURSELVES, Digester
from brains.skills.digest_words import written
from storage import members, messages
from storage.rows import insert_new
from storage.tables import CaseRow, MessageRow
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder

DAY = datetime(2024, 5, 6, 9, tzinfo=UTC)
ASKED = "Which glue holds a broken teapot that has to stand boiling water?"
TALK = [
    ("t1", "ana", f"Hello everybody! {ASKED}"),
    ("t2", "ben", "Two-part epoxy holds a teapot together, but no glue is fit for boiling water and tea."),
    ("t3", "cyd", "A broken teapot is better repaired with kintsugi lacquer, which hardens for weeks."),
    ("s1", "max", "What a friendly place, good morning from a new neighbour of yours in the hall."),
    ("s2", "max", "My teapot lessons and more are on https://pots.example/start for all of you."),
    ("s3", "max", "Free coins for everybody who writes to me today."),
    ("l1", "eve", "The opening hours of the pottery are on https://kiln.example/hours since May."),
]


@pytest.fixture
async def place() -> AsyncIterator[Archive]:
    texts = [
        Text(name=name, text=text, author=by, channel="hall", topic="", at=DAY + timedelta(minutes=at))
        for at, (name, by, text) in enumerate(TALK)
    ]
    async with archive(texts, encoder=HashingEncoder()) as made:
        await Untangling(database=made.database, clock=HastyClock()).catch_up()
        yield made


async def look(place: Archive, *, flagged: str = "") -> Digest:
    written_rules = f"words:\n  flag: [{flagged}]\n" if flagged else ""
    moderator = Moderator(rules=Rulebooks(rules=await asyncio.to_thread(rules.read, written_rules)))

    async def of(_community) -> Moderator:
        return moderator

    maker = Digester(database=place.database, vectors=place.vectors, encoder=HashingEncoder(), moderator=of)
    since, until = DAY - timedelta(hours=1), DAY + timedelta(days=1)
    return await maker.look(place.community, place.reach, since=since, until=until)


def names(found: Digest) -> set[str]:
    return {one.name for one in found.named}


async def test_the_question_that_opened_a_conversation_is_its_title_and_one_of_its_sources(place: Archive) -> None:
    found = await look(place)
    line = next(one for one in found.lines if "t1" in {ref.id for ref in one.sources})
    assert line.title == ASKED
    assert line.opening is not None
    assert (line.opening.text, line.sources[0].id) == (ASKED, "t1")
    assert ASKED not in line.summary, "it is said once"
    words = await asyncio.to_thread(lambda: written(found, "Hall", translator("en"), zone="UTC"))
    assert words.count("boiling water?") == 1

    await place.database.write(lambda c: messages.erase(c, MessageRow.ref == str(line.sources[0])))
    assert all(one.title != ASKED for one in (await look(place)).lines), "it goes with the question"


async def test_who_says_anything_that_is_looked_at_is_neither_named_nor_linked(place: Archive) -> None:
    trusted = await look(place)
    assert "max" in names(trusted)
    assert {one.url for one in trusted.links} == {"https://pots.example/start", "https://kiln.example/hours"}

    found = await look(place, flagged="coins")
    assert names(found) == names(trusted) - {"max"}
    assert {one.url for one in found.links} == {"https://kiln.example/hours"}


async def test_about_whom_a_case_stands_is_neither_counted_as_new_nor_linked(place: Archive) -> None:
    before = await look(place)
    max_ = await place.database.look(functools.partial(members.find, community=place.community, wanted="max"))
    case = {
        "id": "ABC234",
        "community_id": place.community.id,
        "member_id": max_.id,
        "kind": "reported",
        "opened_at": DAY,
        "detectors": [],
        "reason": "",
        "score": 1.0,
        "expires_at": DAY,
    }
    await place.database.write(functools.partial(insert_new, model=CaseRow, rows=[case]))
    found = await look(place)
    assert (names(found), found.newcomers) == (names(before) - {"max"}, before.newcomers - 1)
    assert {one.url for one in found.links} == {"https://kiln.example/hours"}


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("ahhhh, that is gr8 news for the pottery", True),
        ("W r i t e to me for a job from home", False),
        ("Sеnd your number, friends, and win", False),  # a Cyrillic letter in it
    ],
)
def test_what_is_disguised_is_not_quoted(text: str, *, may: bool) -> None:
    post = Post(text=text, author=OURSELVES, channel=OURSELVES, at=DAY)
    assert Moderator().may_quote(post) is may
