"""`eval moderation` on rows small enough to check by eye, and what it says of a file that is not right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bot.core.errors import Mistake
from brains.evals.moderation import moderation, moderation_file
from brains.evals.moderation_report import best_threshold, classified, recall_at, threshold_for
from brains.evals.moderation_rivals import tg_spam, word_list
from brains.evals.moderation_telegram import near_copies
from brains.training.sentences import sentences
from tests.hashing import HashingEncoder


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


ROWS = [
    {"split": "test" if at % 3 == 0 else "train", "label": "spam" if one.positive else "ham", "text": one.text}
    for at, one in enumerate(sentences("spam"))
]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"label": None}, "line 1: the column `label`"),
        ({"text": None}, "line 1: the column `text`"),
        ({"split": None}, "line 1: the column `split`"),
        ({"label": "perhaps"}, "line 1: the column `label` holds 'perhaps'; it needs 1 or 0"),
    ],
)
async def test_a_row_that_is_not_right_is_named(tmp_path, change, complaint):
    first = {name: value for name, value in (ROWS[0] | change).items() if value is not None}
    with pytest.raises(Mistake, match=complaint):
        await moderation_file(write(tmp_path / "rows.jsonl", [first, *ROWS[1:]]), "spam", encoder=HashingEncoder())


async def test_both_splits_need_both_labels(tmp_path):
    rows = [row for row in ROWS if row["split"] == "train" or row["label"] == "ham"]
    with pytest.raises(Mistake, match="the split `test` needs rows of both labels"):
        await moderation_file(write(tmp_path / "rows.jsonl", rows), "spam", encoder=HashingEncoder())


async def test_an_unknown_section_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(Mistake, match=r"no section colds. Sections: cold, "):
        await moderation(tmp_path, encoder=HashingEncoder(), only=["colds"])
    with pytest.raises(Mistake, match="neither zh_cold.jsonl nor"):
        await moderation(tmp_path, encoder=HashingEncoder(), only=["cold"])


@pytest.mark.slow
async def test_a_file_is_judged_beside_the_rivals_and_the_shipped_head(tmp_path):
    report = await moderation_file(write(tmp_path / "rows.jsonl", ROWS), "spam", encoder=HashingEncoder())
    found = report.to_json()
    assert found["task"] == "moderation"
    assert found["n"] == sum(row["split"] == "test" for row in ROWS)
    assert found["ours"]["auroc"] > 0.75
    assert set(found["baselines"]) == {
        "the shipped head",
        "n-gram regression",
        "word list",
        "alt-profanity-check",
        "tg-spam's text checks",
    }


def test_a_threshold_is_the_lowest_that_spares_enough():
    harmless = np.arange(100) / 100
    limit = threshold_for(harmless, 0.01)
    assert (harmless >= limit).sum() == 1
    labels, said = np.array([1, 1, *[0] * 100]), np.array([0.985, 0.5, *harmless])
    assert recall_at(labels, said, 0.01) == 0.5
    assert recall_at(labels, said, 0.6) == 1.0


def test_measures_are_those_of_the_table():
    labels = np.array([1.0, 1, 0, 0])
    found = classified(labels, np.array([0.9, 0.4, 0.6, 0.1]), 0.5)
    assert (found["accuracy"], found["recall"], found["precision"], found["false"]) == (0.5, 0.5, 0.5, 0.5)
    assert best_threshold(labels, np.array([0.9, 0.8, 0.3, 0.1]), "accuracy") > 0.3


def test_tg_spam_knows_what_is_like_known_spam_and_passes_over_what_is_short():
    spam = "earn easy money working from home every single day with us"
    ham = "the meeting about the quarterly report was moved to thursday afternoon"
    score = tg_spam([spam, ham], np.array([1.0, 0.0]))
    like, other, short = score([f"{spam} friends", ham, "earn easy money"])
    assert like >= 0.5 > other
    assert short == 0


def test_the_word_list_counts_words_and_not_their_pieces():
    score = word_list("toxicity")(["unused"], np.array([0.0]))
    assert list(score(["you IDIOT, shit", "Scunthorpe and Dickens", "你真是个傻逼"])) == [2, 0, 1]


def test_near_copies_are_numbered_together():
    first, again, other, last = near_copies(
        ["earn 500 a day from home, write me", "earn 600 a day from home, write me!", "what is a borrow checker", "ok"]
    )
    assert first == again
    assert len({first, other, last}) == 3


def test_the_command_line_has_every_evaluation():
    from bot.cli import evals

    given = {one.name or one.callback.__name__ for one in evals.family.registered_commands}
    assert {"recommend", "match_text", "memory", "learning", "moderation"} <= given
