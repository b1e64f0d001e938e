"""`/search`: filters, highlights, pages, and nothing that the asker may not read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.errors import Mistake
from bot.core.ports import Scope
from bot.core.things import Channel, Ref
from brains.knowledge.filters import read_day
from brains.knowledge.highlights import highlight
from storage.channels import Reach


def shown(text: str, query: str, **how: int) -> str:
    return "".join(f"[{one.text}]" if one.found else one.text for one in highlight(text, query, **how))


def test_words_are_marked_in_all_their_forms() -> None:
    assert shown("The kilns are firing, we fired one", "fire the kiln") == "[The] [kilns] are [firing], we [fired] one"


def test_chinese_is_marked_by_pairs_of_characters() -> None:
    assert shown("陶艺工作室周六开放", "工作室什么时候开放?") == "陶艺[工作室]周六[开放]"


def test_a_lone_chinese_character_is_marked_alone() -> None:
    assert shown("窑很热", "窑") == "[窑]很热"


def test_a_long_text_is_cut_to_where_the_words_stand() -> None:
    text = "before " * 60 + "the kiln opens on Saturday at ten " + "after " * 60
    cut = shown(text, "kiln Saturday", width=80)
    assert "[kiln]" in cut
    assert "[Saturday]" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert len(cut) <= 80 + len("……[][]")


def test_nothing_of_a_text_is_lost_or_doubled() -> None:
    text = "clay, clay and 陶土 clay"
    assert "".join(one.text for one in highlight(text, "clay 陶土")) == text


@pytest.mark.parametrize("query", ["", "?!", "*"])
def test_a_query_without_words_marks_nothing(query: str) -> None:
    assert [one.found for one in highlight("some words", query)] == [False]


def test_a_day_begins_in_utc() -> None:
    assert read_day("2026-03-21") == datetime(2026, 3, 21, tzinfo=UTC)
    assert read_day("") is None


@pytest.mark.parametrize("written", ["21.3.2026", "yesterday", "2026-02-30"])
def test_what_is_no_day_is_said(written: str) -> None:
    with pytest.raises(Mistake, match=r"Write it like this"):
        read_day(written)


def test_a_channel_out_of_reach_is_as_good_as_none() -> None:
    room = Channel(id=1, ref=Ref("test", "7"), name="General")
    reach = Reach(scope=Scope(community=1, channels=frozenset({1})), channels={1: room})
    for wanted in ("#general", "General", "7", "test:7"):
        assert reach.named(wanted) == room
    with pytest.raises(Mistake, match="no channel"):
        reach.named("staff-room")
