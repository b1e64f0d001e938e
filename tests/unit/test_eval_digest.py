"""Judging digests on histories small enough to check by eye, and what is said about files that are not right."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.errors import Mistake
from bot.untangling import Untangling
from brains.evals import summaries
from brains.evals.archive import Text
from brains.evals.digest import Month, best, judge, months
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder
from tests.unit.small_town import TALK, sentence

MAY = datetime(2024, 5, 1, 10, tzinfo=UTC)


def history() -> list[Text]:
    """Three topics of a channel, one after the other, the last of them twice as long; and a quiet channel."""
    said = []
    for day, (room, count) in enumerate(zip(TALK, (12, 12, 24), strict=True)):
        for number in range(count):
            at = MAY + timedelta(days=day, minutes=2 * number)
            text = f"{sentence(room, 100 * room + number).capitalize()}."
            name = f"{room}/{number}"
            said.append(Text(name=name, text=text, at=at, channel="hall", author=f"m{number % 4}", topic=str(room)))
    quiet = [Text(name=f"q{n}", text="hello there", at=MAY, channel="quiet", topic="t") for n in range(5)]
    return [*quiet, *said]


async def judged(found: list[Month], most: int, lines: list[str] | None = None):
    return await judge(
        found,
        most=most,
        encoder=HashingEncoder(),
        untangle=lambda database: Untangling(database=database, clock=HastyClock()).catch_up(),
        show=None if lines is None else lines.append,
    )


async def test_a_digest_covers_its_topics_and_cites_rightly() -> None:
    found = months(history(), since=None, until=None)
    assert [(one.channel, len(one.said)) for one in found] == [("hall", 48)]
    assert [best(found[0], most) for most in (1, 2, 3)] == [0.5, 0.75, 1.0]
    shown: list[str] = []
    told = await judged(found, 3, shown)
    assert (told.n, told.ours["citations"], told.ours["within_limit"]) == (1, 1.0, 1.0)
    assert told.ours["coverage"] == 1.0
    assert told.baselines["lead"]["coverage"] == 0.25
    assert shown[0] == "== #hall 2024-05"
    assert sum(line.startswith("conversation: ") for line in shown) == 3


def test_only_the_months_asked_for_are_judged_and_none_is_an_error() -> None:
    june = datetime(2024, 6, 1, tzinfo=UTC)
    assert len(months(history(), since=None, until=june)) == 1
    with pytest.raises(Mistake, match="no month"):
        months(history(), since=june, until=None)


def test_meetings_of_both_formats_are_read_and_judged(tmp_path: Path) -> None:
    turns = ["Hello {disfmarker} all.", "The remote control needs a large button for the television volume."]
    turns += [
        "The volume button of the remote control must be large and yellow.",
        "Lunch is at noon in the hall today.",
    ]
    english = {"split": "test", "turns": [["a", one] for one in turns], "general": [["?", "A large volume button."]]}
    path = tmp_path / "qmsum.jsonl"
    path.write_text(json.dumps(english) + "\n" + json.dumps({**english, "split": "val"}))
    [meeting] = summaries.read(path, "test") or []
    told = summaries.judge([meeting], most=1, task="t")
    assert told.ours["support"] == 1.0
    assert told.ours["rouge1"] > told.baselines["lead 1"]["rouge1"]
    path.write_text(
        json.dumps({"split": "test", "context": [["窑炉坏了。", "要修窑炉的保险丝。"]], "discussion": "修窑炉"})
    )
    [meeting] = summaries.read(path, "test") or []
    assert (meeting.turns, meeting.reference) == (["窑炉坏了。要修窑炉的保险丝。"], "修窑炉")
    with pytest.raises(Mistake, match="no meeting of the split dev"):
        summaries.read(path, "dev")
    path.write_text(json.dumps({"ts": 1, "channel": "c", "user": "u", "text": "t"}))
    assert summaries.read(path, "test") is None
    path.write_text("")
    with pytest.raises(Mistake, match="is empty"):
        summaries.read(path, "test")
