"""Where a text is placed: what the regression learns beyond centroids, and what names and ordinary talk tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brains.evals.text_rivals import Texts, encoder_centroid, least, logistic
from brains.matching import discriminant
from brains.matching.corpus import Card, unit
from brains.matching.describing import TALK, described, told, usual
from brains.matching.discriminant import SHARPNESS, discriminate
from brains.matching.gate import SEASONED, Gate, Range
from brains.matching.matching import match_text
from brains.matching.placing import TOLD, Placing
from brains.matching.profiles import build_profiles
from brains.matching.space import FEW, Space
from brains.matching.terms import speaks, words
from tests.unit.small_town import CARDS, NOW, corpus, profiles, town, vectors

TOPICS = profiles().topics


def clouds(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two channels that differ in one faint direction, beside others in which both vary much."""
    random = np.random.default_rng(0)
    owners = np.arange(count) % 2
    rows = np.zeros((count, TOPICS.centroids.shape[1]))
    rows[:, 1:8] = random.normal(size=(count, 7))
    rows[:, 0] = 0.3 * random.normal(size=count) + np.where(owners == 0, 0.5, -0.5)
    rows[:, 1] = 3 * rows[:, 1] + np.where(owners == 0, 1.0, -1.0)
    return unit(rows.astype(np.float32)), owners


def test_the_regression_tells_apart_what_centroids_hardly_do():
    rows, owners = clouds(600)
    centres = unit(np.stack([rows[:300][owners[:300] == kind].mean(axis=0) for kind in (0, 1, 0)]))
    topics = replace(TOPICS, centroids=centres[:2], owners=np.arange(2))
    learned = discriminate(topics, rows[:300], owners[:300], np.ones(300, dtype=np.float32))
    by_centre = (rows[300:] @ centres[:2].T).argmax(axis=1) == owners[300:]
    by_regression = (rows[300:] @ learned[:2].T).argmax(axis=1) == owners[300:]
    assert by_regression.mean() > by_centre.mean() + 0.05


def test_a_channel_in_which_nothing_was_said_keeps_its_centroid():
    rows, owners = clouds(60)
    learned = discriminate(TOPICS, rows, owners, np.ones(60, dtype=np.float32))
    np.testing.assert_allclose(learned[2], SHARPNESS * TOPICS.centroids[2], atol=1e-5)
    assert np.abs(learned[0] - SHARPNESS * TOPICS.centroids[0]).max() > 0.1
    nothing = discriminate(TOPICS, rows, owners, np.zeros(60, dtype=np.float32))
    np.testing.assert_allclose(nothing, SHARPNESS * TOPICS.centroids, atol=1e-5)


def test_of_a_large_community_every_channel_is_heard(monkeypatch):
    monkeypatch.setattr(discriminant, "MOST", 40)
    rows, owners = clouds(2_000)
    owners[5:] = 0  # the second channel has two messages
    few = discriminate(TOPICS, rows, owners, np.ones(2_000, dtype=np.float32))
    assert np.abs(few[1] - SHARPNESS * TOPICS.centroids[1]).max() > 0.1


def test_where_nothing_was_said_the_weights_are_those_of_descriptions():
    nothing = Placing.learn(np.zeros((3, 4)), features=np.zeros((0, 3, 3)), chosen=np.zeros(0, int), near=np.zeros(0))
    assert nothing.weights == pytest.approx(TOLD)


@pytest.mark.parametrize("name", ["AskHistorians", "ask-historians", "ask_historians", "Ask Historians"])
def test_a_title_is_the_name_as_words(name):
    assert Card(id=1, name=name).title == "ask historians"
    assert Card(id=1, name="NLPPapers").title == "nlp papers"
    assert Card(id=1, name="闲聊").title == "闲聊"


def test_a_name_written_as_one_word_is_found_by_its_parts():
    cards = [Card(id=1, name="TinyTelescopes"), Card(id=2, name="RyeBakers"), Card(id=3, name="OldBicycles")]
    texts = told(cards)
    encoded = dict(zip(texts, vectors(texts), strict=True))
    known = build_profiles(corpus([]), described(cards, encoded), encoder="h", now=NOW, talk=usual(encoded))
    overlap = known.topics.terms.overlap(known.topics.terms.weigh([words("which telescope for a beginner")]))
    assert overlap[0].argmax() == 0
    assert overlap[0].max() > 0


def test_what_is_said_in_the_first_messages_is_taken_relative_to_ordinary_talk():
    talk = unit(vectors(list(TALK)).mean(axis=0))
    learned = Space.learn(vectors(["sourdough rye"] * 3), np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.float32))
    leaning = learned.leaning(talk, 3.0)
    np.testing.assert_allclose(leaning.mean, (3 * learned.mean + FEW * talk) / (3 + FEW), atol=1e-6)
    assert Space.told(vectors(["a", "b"]), talk).mean == pytest.approx(talk)


def test_stop_words_alone_are_placed_only_where_enough_is_known():
    known, text = profiles(), "who are you"
    assert known.placing.gate.told.count < SEASONED
    assert match_text(known, vector=vectors([text])[0], text=text) == []
    sure = Gate(told=Range(low=-9.0, middle=-8.0, count=10 * SEASONED), near=known.placing.gate.near)
    seasoned = replace(known, placing=replace(known.placing, gate=sure))
    assert match_text(seasoned, vector=vectors([text])[0], text=text)
    assert speaks(text)
    assert not any(speaks(said) for said in ("", "  ", "https://example.org/x", "+1", ":wave:"))


def test_a_rival_is_silent_on_few_of_its_own():
    whole = town()
    known = Texts(texts=whole.texts, vectors=whole.vectors)
    owners = np.searchsorted([card.id for card in CARDS], whole.channels)
    for rival in (encoder_centroid, logistic):
        floor = least("a rival", rival, known, owners, 3)
        scores = rival(known, owners, 3, known)
        assert scores.shape == (len(whole), 3)
        assert (scores.max(axis=1) >= floor).mean() > 0.8
