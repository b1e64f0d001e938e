"""Learning and judging who answers whom, on logs written for it."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import numpy as np
import pytest

from bot.core.errors import Mistake
from brains.evals.clusters import scores
from brains.evals.threads import threads
from brains.knowledge.untangle import load
from brains.training.untangle import examples
from brains.training.untangle_irc import joined, logs, thinned
from brains.training.untangle_run import train_threads

TOPICS = ("sourdough oven crumb rye", "chain gravel sprocket bike", "nebula comet saturn mirror")


def row(split: str, seed: int, count: int = 40) -> dict[str, object]:
    """Write a log in which pairs of people talk of one topic each, and name each other."""
    chance, lines, links, last = random.Random(seed), ["=== zed has joined"], [[0, 0]], {}
    for number in range(1, count):
        topic = chance.randrange(len(TOPICS))
        me, other = (f"u{topic}a", f"u{topic}b")[:: chance.choice((1, -1))]
        words = " ".join(chance.sample(TOPICS[topic].split(), 3))
        lines.append(f"[{12 + number // 60:02}:{number % 60:02}] <{me}> {other}: {words}")
        links.append([last.get(topic, number), number])
        last[topic] = number
    return {"split": split, "file": f"{split}{seed}", "lines": lines, "links": links}


def written(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [row("train", 1), row("train", 2), row("dev", 3), row("test", 4), row("test", 5)]
    return written(tmp_path / "logs.jsonl", *rows)


def test_a_log_is_read_with_its_system_lines_left_out(data: Path) -> None:
    [log] = logs(data, "dev")
    assert (log.size, len(log.said), log.lines[0], log.start) == (40, 39, 1, 0)
    assert {log.names[one.author] for one in log.said} == {f"u{n}{who}" for n in range(3) for who in "ab"}
    assert examples([log]).right.sum() == 39


def test_a_thinned_log_keeps_whole_conversations_and_slows_down(data: Path) -> None:
    [log] = logs(data, "dev")
    thin = thinned(log, np.random.default_rng(3))
    labels = joined(log.size, log.links)
    kept = {labels[line] for line in thin.lines}
    assert 0 < len(thin.said) < len(log.said)
    assert thin.lines == tuple(line for line in log.lines if labels[line] in kept)
    assert thin.said[-1].at - thin.said[0].at > log.said[-1].at - log.said[0].at


async def test_what_is_trained_can_be_judged(data: Path, tmp_path: Path) -> None:
    outcome = await train_threads(data, tmp_path / "out", date="2026-01-01", seed=1)
    assert (outcome.examples, outcome.file.exists()) == (78, True)
    assert "CC BY 4.0" in outcome.card.read_text(encoding="utf-8")
    trained = await asyncio.to_thread(load, outcome.file)
    told: list[str] = []
    found = await asyncio.to_thread(threads, data, split="test", untangler=trained, tell=told.append)
    assert found.n == 80
    assert found.ours["f1"] > found.baselines["previous message"]["f1"]
    assert set(found.baselines) == {"previous message", "the one named, else previous", "linear"}


def test_dialogues_are_judged_by_their_clusters_alone(tmp_path: Path) -> None:
    said = (("ana", "how long does the bread bake?"), ("wei", "@ana the bread bakes for an hour"))
    rows = [
        {"ts": f"2026-01-0{day}T10:0{minute}:00", "room": "r", "conv": day, "user": who, "text": text}
        for day in (1, 2)
        for minute, (who, text) in enumerate(said)
    ]
    found = threads(written(tmp_path / "d.jsonl", *rows), split="", untangler=load(), tell=print)
    assert found.ours["one_to_one"] == found.baselines["a gap of an hour"]["one_to_one"] == 1
    assert found.baselines["previous message"]["one_to_one"] == 0.5


def test_partitions_are_compared_as_in_the_paper() -> None:
    gold = [0, 0, 0, 1, 1, 2]
    assert scores(gold, gold) == {"one_to_one": 1, "variation": 1, "exact_f1": 1}
    one = scores([0] * 6, gold)
    assert (one["one_to_one"], one["exact_f1"]) == (0.5, 0)
    assert 0 < one["variation"] < 1
    assert scores([0, 0, 0, 1, 3, 2], gold)["exact_f1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "match"),
    [("", "is empty"), ("nope", "line 1: not JSON"), ('{"ts": 1}', "column room"), ('{"lines": []}', "column split")],
)
def test_a_file_that_cannot_be_judged_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Mistake, match=match):
        threads(path, split="test", untangler=load(), tell=print)
