"""The sentiment head: the same every time, calibrated, even-handed to its labels, and silent about other encoders."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from brains.rhythm import sentiment
from brains.rhythm.sentiment import LABELS, NEGATIVE, NEUTRAL, POSITIVE, load, save
from brains.training.sentiment import Lesson, balanced, fit, macro_recall
from brains.training.sentiment_texts import own

ENCODER = "hashed-words"


def hashed(texts: list[str]) -> np.ndarray:
    """Hash words and pairs of letters into 128 places: texts that share them are near."""
    found = np.full((len(texts), 128), 0.01, np.float32)
    for row, text in enumerate(texts):
        for piece in [*text.casefold().split(), *(text[at : at + 2] for at in range(len(text) - 1))]:
            found[row, zlib.crc32(piece.encode()) % 128] += 1
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def lesson() -> Lesson:
    some = own()
    return Lesson(
        vectors=hashed([one.text for one in some]),
        labels=np.array([LABELS.index(one.label) for one in some]),
        weights=np.ones(len(some), np.float32),
        groups=np.arange(len(some)),
    )


@pytest.fixture(scope="module")
def fitted():
    return fit(lesson(), encoder=ENCODER, made="2026-01-01")


def test_the_same_lesson_gives_the_same_head_and_the_same_head_the_same_bytes(fitted, tmp_path):
    again = fit(lesson(), encoder=ENCODER, made="2026-01-01")
    assert (again.head.output == fitted.head.output).all()
    save(fitted.head, tmp_path / "a")
    read = load(tmp_path / "a")
    save(read, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read.scores(lesson().vectors) == pytest.approx(fitted.head.scores(lesson().vectors), abs=2e-3)
    assert (read.encoder, read.made) == (ENCODER, "2026-01-01")


def test_unseen_sentences_are_told_better_than_by_chance(fitted):
    assert macro_recall(lesson().labels, fitted.unseen.argmax(axis=1)) > 0.38


def test_probabilities_add_up_and_moods_lie_between_them(fitted):
    scores, moods = fitted.head.scores(lesson().vectors), fitted.head.moods(lesson().vectors)
    assert scores.shape == (len(lesson().labels), 3)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert moods == pytest.approx(scores[:, POSITIVE] - scores[:, NEGATIVE])


def test_what_has_no_text_is_neutral_and_the_rest_is_not(fitted):
    nothing = np.zeros((1, 128), np.float32)
    assert fitted.head.scores(nothing)[0, NEUTRAL] == 1
    assert 0 < fitted.head.scores(hashed(["lovely"]))[0, NEUTRAL] < 1


def test_only_its_own_encoder_is_served(fitted):
    assert fitted.head.serves(ENCODER)
    assert not fitted.head.serves("another")
    assert not fitted.head.serves(None)


def test_each_label_carries_a_third(fitted):
    labels = np.array([0, 1, 1, 1, 2, 2])
    weights = balanced(labels, np.ones(6, np.float32))
    assert np.bincount(labels, weights) == pytest.approx([2, 2, 2])


def test_another_format_is_refused_by_name(fitted, tmp_path, monkeypatch):
    save(fitted.head, tmp_path / "now")
    assert load(tmp_path / "now").encoder == ENCODER
    monkeypatch.setattr(sentiment, "FORMAT", "0")
    with pytest.raises(ValueError, match="train sentiment"):
        load(tmp_path / "now")


def test_the_shipped_head_is_of_the_shipped_moderation_heads_encoder():
    from brains.moderation.heads import shipped as moderation

    assert sentiment.shipped().encoder == moderation().encoder
    assert sentiment.shipped().hidden.shape[0] == 384
