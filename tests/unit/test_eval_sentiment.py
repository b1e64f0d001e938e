"""`eval sentiment`: its measures by hand, its data by name, and the training on rows small enough to read."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from bot.core.errors import Mistake
from brains.evals.metrics import bootstrap
from brains.evals.sentiment import _measured, f1_difference, f1_interval, macro_f1, ngrams, read, sentiment, table
from brains.rhythm.sentiment import LABELS, load
from brains.training.sentences import harmless
from brains.training.sentiment_run import train_sentiment
from brains.training.sentiment_texts import about_groups, gathered, own
from tests.hashing import HashingEncoder

CHAT = Path("brains/evals/sentiment_chat.jsonl")


def write(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


ROWS = [{"text": one.text, "label": one.label, "split": "test" if at % 2 else "val"} for at, one in enumerate(own())]


def test_macro_f1_is_that_of_the_hand():
    labels, said = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 2, 0])
    counts = table(labels, said)
    assert counts.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 1]]
    assert macro_f1(counts) == pytest.approx(np.mean([2 / 4, 4 / 5, 2 / 3]))
    between = f1_interval(counts)
    assert between.low < macro_f1(counts) < between.high


def test_a_difference_is_above_nothing_only_where_there_is_one():
    labels = np.arange(300) % 3
    worse = np.where(np.arange(300) % 5 == 0, (labels + 1) % 3, labels)
    assert f1_difference(labels, labels, worse).low > 0
    none = f1_difference(labels, worse, worse)
    assert (none.low, none.high) == (0, 0)


def test_rivals_learn_from_the_other_splits_or_from_our_sentences(tmp_path):
    both = read(write(tmp_path / "rows.jsonl", ROWS))
    assert (len(both.texts), len(both.known)) == (len(ROWS) // 2, len(ROWS) - len(ROWS) // 2)
    alone = read(CHAT, language="zh")
    assert (len(alone.texts), len(alone.known), set(alone.languages)) == (120, len(own()), {"zh"})
    told = ngrams(both.known, both.known_labels, both.texts)
    assert (told == both.labels).mean() > 0.5


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"label": "perhaps"}, "line 1: the column `label` holds 'perhaps'; it needs negative, neutral or positive"),
        ({"text": None}, "line 1: the column `text` is missing"),
    ],
)
def test_a_row_that_is_not_right_is_named(tmp_path, change, complaint):
    first = {name: value for name, value in (ROWS[0] | change).items() if value is not None}
    with pytest.raises(Mistake, match=complaint):
        read(write(tmp_path / "rows.jsonl", [first, *ROWS[1:]]))


def test_all_labels_are_needed(tmp_path):
    with pytest.raises(Mistake, match="all three labels"):
        read(write(tmp_path / "rows.jsonl", [row for row in ROWS if row["label"] != "neutral"]))


async def test_another_encoder_is_refused_by_name(tmp_path):
    with pytest.raises(Mistake, match="another encoder"):
        await sentiment(CHAT, encoder=HashingEncoder())


@pytest.mark.slow
def test_training_leaves_the_test_split_alone_and_writes_the_head_with_its_card(tmp_path):
    rows = [
        {"text": f"tweet {at} {row['text']}", **{k: row[k] for k in ("label", "split")}} for at, row in enumerate(ROWS)
    ]
    write(tmp_path / "sentiment" / "en_tweeteval_sentiment.jsonl", rows)
    learned = gathered(tmp_path)
    assert sum(one.source == "SemEval" for one in learned) == sum(row["split"] == "val" for row in rows)
    assert not {row["text"] for row in rows if row["split"] == "test"} & {one.text for one in learned}
    made = asyncio.run(
        train_sentiment(tmp_path, tmp_path / "out", encoder=HashingEncoder(), date="2026-01-01", force=True)
    )
    assert load(made.file).encoder == HashingEncoder().fingerprint
    assert "Fairness bar" in made.card.read_text()
    assert made.recall > 1 / 3


def test_what_judges_was_never_learned_from():
    judged = {json.loads(line)["text"] for line in CHAT.read_text().splitlines()}
    learned = {one.text for one in [*own(), *about_groups()]}
    assert not judged & learned
    assert not {one.text for one in harmless("test")} & learned
    assert {one.label for one in own()} == set(LABELS)


def test_the_recall_of_an_evaluation_is_the_mean_of_the_three():
    labels, said = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 0, 1, 1, 2, 0])
    assert _measured(labels, said)["recall"].mean() == pytest.approx(np.mean([2 / 3, 1, 1 / 2]))
    assert bootstrap(_measured(labels, said)["accuracy"]).low < 4 / 6
