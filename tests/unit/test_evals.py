"""The evaluations on data small enough to check by eye, and what they say about files that are not right."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.errors import Mistake
from brains.evals.match_text import match_text
from brains.evals.recommend import recommend
from tests.hashing import HashingEncoder
from tests.unit.small_town import ASTRONOMY, BAKING, CYCLING, sentence

CUT = datetime(2024, 6, 1, tzinfo=UTC)
NAMES = {BAKING: "baking", CYCLING: "cycling", ASTRONOMY: "astronomy"}


def write(path: Path, rows: list[dict]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def history() -> list[dict]:
    """Everybody starts in the hall with talk of their own; bakers then go to baking, cyclists to cycling."""
    rows = []
    for member in range(24):
        kind = (BAKING, CYCLING)[member % 2]
        for n in range(4):
            text = sentence(kind, 100 * member + n)
            rows.append({"user": f"m{member}", "channel": "hall", "ts": f"2024-0{1 + n}-01", "text": text})
        when = "2024-05-01" if member < 12 else "2024-07-01T10:00:00+00:00"
        for n in range(3):
            text = sentence(kind, 5_000 + 100 * member + n)
            rows.append({"user": f"m{member}", "channel": NAMES[kind], "ts": when, "text": text})
    return rows


async def judged(path: Path, cut: datetime = CUT):
    return await recommend(path, cut=cut, encoder=HashingEncoder())


async def test_recommend_finds_where_talk_leads_and_popularity_cannot(tmp_path):
    found = await judged(write(tmp_path / "rows.jsonl.gz", history()))
    assert (found.task, found.n) == ("recommend", 12)
    assert found.ours["hit@1"] == 1
    assert found.baselines["popularity"]["hit@1"] == 0.5
    assert set(found.baselines) == {
        "popularity",
        "recent popularity",
        "item-kNN",
        "EASE",
        "EASE + recent popularity",
        "TF-IDF centroid",
    }
    assert found.comparison.ours.low <= found.ours["ndcg@10"] <= found.comparison.ours.high


async def test_recommend_tests_known_members_on_known_unused_channels_alone(tmp_path):
    after = "2024-08-01"
    extra = [
        {"user": "stranger", "channel": "baking", "ts": after, "text": "new here"},
        {"user": "m0", "channel": "baking", "ts": after, "text": "again"},
        {"user": "m0", "channel": "brand new", "ts": after, "text": "first"},
    ]
    rows = history()
    assert (await judged(write(tmp_path / "rows.jsonl", rows + extra))).n == 12
    new = {"user": "m0", "channel": "cycling", "ts": after, "text": "first ride"}
    assert (await judged(write(tmp_path / "rows.jsonl", [*rows, *extra, new]))).n == 13


async def test_recommend_without_text_judges_by_who_goes_where_and_says_so(tmp_path):
    encoder = HashingEncoder()
    rows = [{name: row[name] for name in ("user", "channel", "ts")} | {"n": 3} for row in history()]
    found = await recommend(write(tmp_path / "rows.jsonl", rows), cut=CUT, encoder=encoder)
    assert encoder.asked == []
    assert "TF-IDF centroid" not in found.baselines
    assert any("no text" in note for note in found.notes)


async def test_recommend_wants_somebody_to_test(tmp_path):
    path = write(tmp_path / "rows.jsonl", history())
    with pytest.raises(Mistake, match="after 2030-01-01 no known member"):
        await judged(path, datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"user": "a", "ts": 1}', r"rows.jsonl, line 2: the column `channel` is missing"),
        ('{"user": "a", "channel": "c"}', r"line 2: the column `ts` is missing"),
        ('{"user": "a", "channel": "c", "ts": "soon"}', r"line 2: the column `ts` holds 'soon'"),
        ('{"user": ["a"], "channel": "c", "ts": 1}', r"line 2: the column `user` holds"),
        ('{"user": "a", ', r"line 2: this is not JSON"),
        ("[1, 2]", r"line 2: a row is an object"),
    ],
)
async def test_a_bad_row_is_named_by_file_line_and_column(tmp_path, line, complaint):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(history()[0]) + "\n" + line + "\n")
    with pytest.raises(Mistake, match=complaint):
        await judged(path)


async def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(Mistake, match=r"none.jsonl: there is no such file"):
        await judged(tmp_path / "none.jsonl")
    broken = tmp_path / "rows.jsonl.gz"
    broken.write_bytes(b"not gzip")
    with pytest.raises(Mistake, match=r"rows.jsonl.gz cannot be read"):
        await judged(broken)


def folder(path: Path, *, described: bool = True, nowhere: bool = False) -> Path:
    train = [{"channel": NAMES[kind], "text": sentence(kind, n)} for n in range(40) for kind in NAMES]
    test = [{"channel": NAMES[kind], "text": sentence(kind, 900 + n)} for n in range(5) for kind in NAMES]
    if nowhere:
        train.append({"channel": "oos", "text": "how do I file my taxes"})
        test += [{"channel": "oos", "text": text} for text in ("how high is my pension", "hello everyone")]
    write(path / "train.jsonl.gz", train)
    write(path / "test.jsonl", test)
    if described:
        told = {BAKING: "sourdough bread", CYCLING: "bicycle and commute", ASTRONOMY: "telescope, comet and galaxy"}
        rows = [{"channel": NAMES[kind], "description": text} for kind, text in told.items()]
        write(path / "channels.jsonl", rows)
    return path


async def test_match_text_places_texts_and_compares_with_centroids(tmp_path):
    found = await match_text(folder(tmp_path), encoder=HashingEncoder())
    assert (found.task, found.n) == ("match-text", 15)
    assert found.ours["top1"] == found.ours["mrr"] == found.ours["ndcg@10"] == 1
    assert found.ours["coverage"] > 0.8
    assert found.ours["accuracy"] == found.ours["coverage"]
    centroids = {"TF-IDF centroid", "encoder centroid"}
    assert set(found.baselines) == {*centroids, "encoder + logistic regression", "TF-IDF + linear SVM"}


async def test_match_text_counts_silence_on_what_belongs_nowhere(tmp_path):
    found = await match_text(folder(tmp_path, nowhere=True, described=False), encoder=HashingEncoder())
    assert found.n == 15
    assert found.ours["oos_recall"] == 1
    assert found.ours["accuracy low"] <= found.ours["accuracy"] <= found.ours["accuracy high"]
    assert all(0 <= measured["oos_recall"] <= 1 for measured in found.baselines.values())


async def test_zero_shot_reads_descriptions_and_never_the_training_posts(tmp_path):
    encoder = HashingEncoder()
    found = await match_text(folder(tmp_path), encoder=encoder, zero_shot=True)
    assert found.task == "match-text zero-shot"
    assert found.ours["top1"] > 0.6
    assert not {sentence(BAKING, n) for n in range(40)} & set(encoder.asked)


async def test_match_text_names_what_is_missing(tmp_path):
    folder(tmp_path, described=False)
    with pytest.raises(Mistake, match=r"neither channels.jsonl nor channels.jsonl.gz"):
        await match_text(tmp_path, encoder=HashingEncoder(), zero_shot=True)
    write(tmp_path / "test.jsonl", [{"channel": "elsewhere", "text": "hi"}])
    with pytest.raises(Mistake, match="no row of the test belongs to a channel"):
        await match_text(tmp_path, encoder=HashingEncoder())
    write(tmp_path / "test.jsonl", [{"channel": "baking"}])
    with pytest.raises(Mistake, match=r"test.jsonl, line 1: the column `text` is missing"):
        await match_text(tmp_path, encoder=HashingEncoder())
