"""The parts of the playground: its sentences, its feed, and who sees what."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.playground import Past, Playground
from adapters.playground.asked import Arrive
from adapters.playground.deeds import plan
from adapters.playground.feed import KEPT, Batch, Change, Feed
from adapters.playground.refusals import SENTENCES
from adapters.playground.space import Room, Space
from bot.core.actions import Action, Say
from bot.core.clock import SystemClock
from bot.core.decisions import Mode, Trace
from bot.core.errors import Gone
from bot.core.events import Event, MemberJoined, Named
from bot.core.things import Audience, Ref

STATIC = Path(__file__).parents[2] / "adapters" / "playground" / "static"
WORDS = json.loads((STATIC / "words.json").read_text())
SCRIPTS = "\n".join(path.read_text() for path in STATIC.glob("*.js"))


def places(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", sentence))


def test_the_page_says_everything_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh_CN"].keys()
    for name, sentence in WORDS["en"].items():
        assert places(sentence) == places(WORDS["zh_CN"][name]), name
        assert all(one.strip() for one in (sentence, WORDS["zh_CN"][name])), name


def test_every_sentence_that_the_page_asks_for_is_there_and_no_other() -> None:
    asked = set(re.findall(r"""\bt\("([\w.]+)\"""", SCRIPTS)) | set(re.findall(r'"((?:keys|channels)\.\w+)"', SCRIPTS))
    families = set(re.findall(r"`(\w+\.)\$\{", SCRIPTS))
    assert asked <= WORDS["en"].keys()
    assert {name for name in WORDS["en"] if not name.startswith(tuple(families))} <= asked


def test_the_page_has_words_for_all_that_may_be_said() -> None:
    wanted = {f"refused.{code}" for code in SENTENCES}
    wanted |= {f"mode.{mode}" for mode in Mode}
    wanted |= {f"event.{one.__name__}" for one in Event.__args__}
    wanted |= {f"action.{one.__name__}" for one in Action.__args__}
    wanted |= {f"action.{one.__name__}.off" for one in Action.__args__ if "on" in one.__dataclass_fields__}
    wanted.add("action.KeepAnswer.nobody")
    assert wanted == {name for name in WORDS["en"] if name.startswith(("refused.", "mode.", "event.", "action."))}
    for code, sentence in SENTENCES.items():
        assert places(sentence) == places(WORDS["en"][f"refused.{code}"]), code


def test_nothing_of_the_page_comes_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        hosts = set(re.findall(r"https?://([\w.-]+)", path.read_text())) - {"www.w3.org"}
        assert hosts == set(), path.name
    assert "innerHTML" not in SCRIPTS
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", (STATIC / "index.html").read_text())


async def first(feed: Feed, after: str) -> Batch:
    async for batch in feed.follow(after):
        return batch
    raise AssertionError("the feed is closed")


async def test_a_page_catches_up_from_where_it_was() -> None:
    feed = Feed()
    feed.publish(Change("message", "1"))
    known = feed.position
    for name in ("2", "3", "2"):
        feed.publish(Change("message", name))

    batch = await first(feed, known)
    assert [one.id for one in batch.changes] == ["2", "3"]
    assert batch.position == feed.position
    assert (await first(feed, feed.position)).changes == ()


async def test_a_page_that_is_too_far_behind_starts_over() -> None:
    feed, other = Feed(), Feed()
    begin = feed.position
    for number in range(KEPT):
        feed.publish(Change("message", str(number)))
    assert len((await first(feed, begin)).changes) == KEPT
    feed.publish(Change("space"))

    for position in (begin, other.position, "", "nonsense", f"{feed.position}9"):
        assert (await first(feed, position)).over, position


async def test_followers_hear_of_a_change_at_once_and_end_when_the_feed_is_closed() -> None:
    feed, heard = Feed(), asyncio.Queue[Batch]()

    async def follow() -> None:
        async for batch in feed.follow(feed.position):
            heard.put_nowait(batch)

    following = asyncio.create_task(follow())
    assert (await heard.get()).changes == ()
    feed.publish(Change("message", "1"))
    assert [one.id for one in (await heard.get()).changes] == ["1"]
    feed.close()
    await asyncio.wait_for(following, 30)


async def test_what_is_done_while_the_page_is_closed_may_be_tried_again() -> None:
    async def past() -> Past:
        return Past()

    async def why(_message: Ref) -> Sequence[Trace]:
        return ()

    playground = Playground(port=0, past=past, why=why, ready=str, clock=SystemClock())
    with pytest.raises(Gone, match="not open"):
        await playground.act(Say(to=Ref("playground", "general"), text="Hello?"))


def test_a_newcomers_rooms_are_told_before_their_arrival() -> None:
    space = Space(feed=Feed(), clock=SystemClock())
    lobby = space.keep_room(Room(named=Named(ref=Ref("playground", "pier"), name="pier", audience=Audience.EVERYONE)))
    deed = plan(space, Arrive(deed="arrive", name="Mo", language="en"), ())
    assert [one.channel for one in deed.events if isinstance(one, MemberJoined)] == [lobby.named, None]
