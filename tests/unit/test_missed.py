"""What of what was missed is named: close to an interest, alive, fresh, no two alike, and opinions move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np

from bot.core.things import Channel, Ref
from brains.matching.missed import Missed, Taste, Thread, choose
from brains.matching.unread import Told, _conversations, last_visit
from brains.skills.foryou import block
from storage.talks import Said
from tests.words import MONDAY

SAILS, BREAD, CHESS = np.eye(3, dtype=np.float32)
NOTHING = np.zeros((0, 3), dtype=np.float32)
NONE = np.zeros(0, dtype=np.float32)


def said(number: int, text: str, *, at: datetime = MONDAY, author: int = 1, channel: int = 1, **more) -> Said:
    told = {"conversation": None, "reply_to": "", **more}
    ref = Ref("plaza", str(number))
    return Said(id=number, point=uuid4(), ref=ref, channel=channel, author=author, text=text, at=at, **told)


def thread(label: int, about, *, lines: int = 2, days: float = 1, channel: int = 1) -> Thread:
    at = MONDAY - timedelta(days=days)
    text = "hull, mast, keel and rudder of the dinghy"
    every = [said(label + one, text, at=at, author=one, channel=channel) for one in range(lines)]
    return Thread(label=label, said=every, vectors=np.array([about] * lines))


def named(threads: Sequence[Thread], taste: Taste, k: int = 5) -> list[int]:
    return [one.thread.label for one in chosen(threads, taste, k)]


def chosen(threads: Sequence[Thread], taste: Taste, k: int = 5) -> list[Missed]:
    return choose(threads, taste, now=MONDAY, k=k)


SAILOR = Taste(interests=SAILS[None, :], told=NOTHING, liked=NONE)
NEWCOMER = Taste(interests=NOTHING, told=NOTHING, liked=NONE)


def test_what_is_close_to_an_interest_is_named_and_nothing_else() -> None:
    assert named([thread(10, BREAD, lines=20), thread(40, SAILS)], SAILOR) == [40]
    assert named([thread(10, BREAD)], SAILOR) == []


def test_what_is_in_a_language_that_somebody_never_writes_must_be_closer() -> None:
    near = (SAILS + 4 * CHESS) / np.linalg.norm(SAILS + 4 * CHESS)
    far, close = thread(10, near), thread(40, SAILS)
    english, chinese = (replace(SAILOR, languages=frozenset({one})) for one in ("", "zh_CN"))
    assert [sorted(named([far, close], one)) for one in (SAILOR, english, chinese)] == [[10, 40], [10, 40], [40]]


def test_somebody_without_words_is_named_what_is_most_alive() -> None:
    assert named([thread(10, BREAD), thread(40, SAILS, lines=9), thread(60, CHESS, lines=4)], NEWCOMER) == [40, 60, 10]


def test_the_fresher_of_two_comes_first_and_of_two_alike_one_is_enough() -> None:
    near = (SAILS + 0.7 * CHESS) / np.linalg.norm(SAILS + 0.7 * CHESS)
    old, new = thread(10, near, days=9), thread(40, (SAILS - 0.7 * CHESS) / np.linalg.norm(SAILS - 0.7 * CHESS))
    assert named([old, new], SAILOR) == [40, 10]
    assert named([new, replace(new, label=41)], SAILOR) == [40]


def test_less_of_this_moves_a_conversation_and_its_channel_down_and_more_up() -> None:
    two = Taste(interests=np.stack([SAILS, BREAD]), told=NOTHING, liked=NONE)
    threads = [thread(10, SAILS, channel=1), thread(40, BREAD, channel=2)]
    assert named(threads, two) == [10, 40]
    less = replace(two, told=SAILS[None, :], liked=np.array([-1.0], dtype=np.float32))
    assert named(threads, less) == [40, 10]
    assert named(threads, replace(two, channels={1: -1.0})) == [40, 10]
    more = replace(two, told=BREAD[None, :], liked=np.array([1.0], dtype=np.float32))
    assert named(threads, more) == [40, 10]


def test_small_talk_is_no_conversation_and_a_title_is_the_sentence_that_says_most() -> None:
    chat = thread(10, SAILS)
    assert named([replace(chat, said=[said(1, "ok"), said(2, "thanks!")])], SAILOR) == []
    long = said(3, "Hello all. The mast of my dinghy needs a new halyard and a shackle. Bye.")
    [one] = chosen([replace(chat, said=[said(1, "ok"), long])], SAILOR)
    assert one.sentence == "The mast of my dinghy needs a new halyard and a shackle."


def test_a_visit_ends_with_a_silence_of_an_hour() -> None:
    hours = [0.2, 0.5, 6, 7]
    own = [said(number, "hi", at=MONDAY - timedelta(hours=one)) for number, one in enumerate(hours)]
    assert last_visit(own, MONDAY) == MONDAY - timedelta(hours=6)
    assert last_visit(own[2:], MONDAY) == MONDAY - timedelta(hours=6)
    assert last_visit([], MONDAY) < MONDAY - timedelta(days=13)


def test_what_is_not_untangled_yet_is_put_together_by_silences() -> None:
    minutes = [(1, 0, None), (2, 10, None), (3, 20, 77), (4, 100, None)]
    every = [said(number, "hi", at=MONDAY + timedelta(minutes=at), conversation=label) for number, at, label in minutes]
    found = {label: [one.id for one in some] for label, some in _conversations(every[::-1]).items()}
    assert found == {1: [1, 2], 77: [3], 4: [4]}


def test_what_is_close_has_a_reason_without_a_shared_word_too() -> None:
    first = said(1, "the keel", at=MONDAY)
    room = Channel(id=1, ref=Ref("test", "boats"), name="boats", description="")
    shown = Told(
        label=1, sentence="the keel", first=first, channel=room, people=(), messages=2, terms=(), evidence=first
    )
    reason = "It is close to what you write about."
    assert reason not in block(str, shown)
    assert block(str, replace(shown, near=True)).splitlines()[-1] == reason
    assert reason not in block(str, replace(shown, near=True, terms=("hulls",))), "the words say it already"
