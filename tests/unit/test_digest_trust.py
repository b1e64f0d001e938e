"""What a digest chooses to repeat: questions as titles, and no word, link or name of who cannot be trusted."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.core.i18n import translator
from bot.core.things import Community, Ref
from bot.untangling import Untangling
from brains.evals.archive import Archive, Text, archive
from brains.moderation import rules
from brains.moderation.detection import Post
from brains.moderation.moderator import Moderator
from brains.moderation.rulebook import Rulebooks
from brains.rhythm.digest import Digest
from brains.rhythm.digester import Digester
from brains.rhythm.guard import OURSELVES
from brains.skills.digest_words import written
from storage import channels, members, messages
from storage.mending import without
from storage.rows import insert_new
from storage.tables import CaseRow, MessageRow
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder

DAY = datetime(2024, 5, 6, 9, tzinfo=UTC)
ASKED = "Which glue holds a teapot that stands boiling water?"
TALK = [
    ("t1", "ana", f"Hello everybody! {ASKED}"),
    ("t2", "ben", "Two-part epoxy holds a teapot together, but no glue is fit for boiling water and tea."),
    ("t3", "cyd", "A broken teapot is better repaired with kintsugi lacquer, which hardens for weeks."),
    ("s1", "max", "What a friendly place, good morning from a new neighbour of yours in the hall."),
    ("s2", "max", "My teapot lessons and more are on https://pots.example/start for all of you."),
    ("s3", "max", "Free coins for everybody who writes to me today."),
    ("l1", "eve", "The opening hours of the pottery are on https://kiln.example/hours since May."),
    ("l2", "max", "Look at https://kiln.example/hours too, dear neighbours of the hall, for tea."),
]
TITLE = "Free coins here"
THREAD = [
    ("c1", "ana", "The glaze of the bowls came out green, and nobody knows the reason."),
    ("c2", "ben", "Copper in the glaze makes bowls green when the kiln is hot."),
    ("c3", "cyd", "Fire the bowls slowly and the copper glaze of the bowls turns red."),
]


@pytest.fixture
async def place() -> AsyncIterator[Archive]:
    texts = [
        Text(name=name, text=text, author=by, channel="hall", topic=topic, at=DAY + timedelta(minutes=at))
        for topic, talk in (("", TALK), (TITLE, THREAD))
        for at, (name, by, text) in enumerate(talk)
    ]
    async with archive(texts, encoder=HashingEncoder()) as made:
        await Untangling(database=made.database, clock=HastyClock()).catch_up()
        yield made


def moderated(flagged: str = "") -> Moderator:
    return Moderator(rules=Rulebooks(rules=rules.read(f"words:\n  flag: [{flagged}]\n" if flagged else "")))


async def maker(place: Archive) -> tuple[Digester, list[Moderator]]:
    """Return a digester, and the moderator that it goes by, which may be changed."""
    by = [await asyncio.to_thread(moderated)]

    async def of(_community: Community) -> Moderator:
        return by[0]

    return Digester(database=place.database, vectors=place.vectors, encoder=HashingEncoder(), moderator=of), by


async def look(place: Archive, one: Digester, *, since: datetime = DAY - timedelta(hours=1)) -> Digest:
    reach = await place.database.look(functools.partial(channels.reach, community=place.community, reader=None))
    return await one.look(place.community, reach, since=since, until=DAY + timedelta(days=1))


def links(found: Digest) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {one.url: (one.messages, one.people) for one in found.links}


def names(found: Digest) -> set[str]:
    return {one.name for one in found.named}


async def test_the_question_that_opened_a_conversation_is_its_title_and_one_of_its_sources(place: Archive) -> None:
    digester, _by = await maker(place)
    found = await look(place, digester)
    line = next(one for one in found.lines if "t1" in {ref.id for ref in one.sources})
    assert line.title == ASKED
    assert line.heading is not None
    assert (line.heading.text, line.sources[0].id) == (ASKED, "t1")
    assert ASKED not in line.summary, "it is said once"
    words = await asyncio.to_thread(lambda: written(found, "Hall", translator("en"), zone="UTC"))
    assert words.count("stands boiling water?") == 1
    left = without(words, [line.sources[0]])
    assert left is None or "kintsugi" not in left, "it goes with the question"

    await place.database.write(lambda c: messages.erase(c, MessageRow.ref == str(line.sources[0])))
    again = await look(place, digester)
    assert any("t2" in {ref.id for ref in one.sources} for one in again.lines)
    assert all(one.title != ASKED for one in again.lines)


async def test_who_says_anything_that_is_looked_at_is_neither_named_nor_linked(place: Archive) -> None:
    digester, by = await maker(place)
    trusted = await look(place, digester)
    assert "max" in names(trusted)
    assert links(trusted) == {
        "https://pots.example/start": (1, ("max",)),
        "https://kiln.example/hours": (2, ("eve", "max")),
    }

    by[0] = await asyncio.to_thread(moderated, "coins")
    found = await look(place, digester)
    assert names(found) == names(trusted) - {"max"}
    assert links(found) == {"https://kiln.example/hours": (1, ("eve",))}, "nobody silences a link by sharing it too"


async def test_the_title_of_a_thread_is_weighed_too(place: Archive) -> None:
    digester, by = await maker(place)
    assert TITLE in {one.title for one in (await look(place, digester)).lines}
    by[0] = await asyncio.to_thread(moderated, "coins")
    titles = {one.title for one in (await look(place, digester)).lines}
    assert "The glaze of the bowls came out green" in titles
    assert TITLE not in titles


async def test_the_title_of_a_thread_rests_on_the_message_that_began_it(place: Archive) -> None:
    digester, _by = await maker(place)
    first = Ref("eval", "c1")
    line = next(one for one in (await look(place, digester)).lines if one.title == TITLE)
    assert line.sources[0] == first
    words = await asyncio.to_thread(lambda: written(Digest(since=DAY, until=DAY, lines=(line,)), "", str, zone="UTC"))
    assert without(words, [first]) is None
    later = await look(place, digester, since=DAY + timedelta(seconds=30))
    assert next(one for one in later.lines if one.title == TITLE).sources[0] == first, "whenever it began"

    ana = await place.database.look(functools.partial(members.find, community=place.community, wanted="ana"))
    await place.database.write(lambda c: members.set_consent(c, ana.id, collected=False, now=DAY))
    left = (await look(place, digester, since=DAY + timedelta(seconds=30))).lines
    assert any("c2" in {ref.id for ref in one.sources} for one in left)
    assert TITLE not in {one.title for one in left}


async def test_a_thread_whose_beginning_changed_meanwhile_is_called_by_what_is_quoted(place: Archive) -> None:
    digester, _by = await maker(place)
    since = DAY + timedelta(seconds=30)
    assert TITLE in {one.title for one in (await look(place, digester, since=since)).lines}
    changed = update(MessageRow).where(col(MessageRow.ref) == "eval:c1").values(text="never mind")
    await place.database.write(lambda c: c.execute(changed))
    left = (await look(place, digester, since=since)).lines
    assert any("c2" in {ref.id for ref in one.sources} for one in left)
    assert TITLE not in {one.title for one in left}


@pytest.mark.parametrize(
    ("kind", "standing", "verdict", "expires", "accused"),
    [
        ("spam", "settled", "spam", DAY, True),
        ("spam", "withdrawn", "", DAY, False),
        ("spam", "settled", "fine", DAY, False),
        ("spam", "settled", "spam", DAY - timedelta(days=9), False),
        ("reported", "open", "", DAY, False),
        ("reported", "settled", "rude", DAY, True),
        ("self_harm", "open", "", DAY, False),
    ],
)
async def test_about_whom_a_case_stands_is_neither_counted_as_new_nor_linked(
    place: Archive, kind: str, standing: str, verdict: str, expires: datetime, *, accused: bool
) -> None:
    digester, _by = await maker(place)
    before = await look(place, digester)
    whose = await place.database.look(functools.partial(members.find, community=place.community, wanted="max"))
    case = {"id": "ABC234", "community_id": place.community.id, "member_id": whose.id, "kind": kind}
    case |= {"standing": standing, "verdict": verdict, "opened_at": DAY, "expires_at": expires}
    case |= {"detectors": [], "reason": "", "score": 1.0}
    await place.database.write(functools.partial(insert_new, model=CaseRow, rows=[case]))
    found = await look(place, digester)
    assert ("max" in names(found), found.newcomers) == (not accused, before.newcomers - accused)
    assert ("https://pots.example/start" in links(found)) is not accused


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
