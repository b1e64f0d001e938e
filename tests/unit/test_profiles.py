"""Profiles of channels and of members: what they hold, what they ignore, and that they survive being stored."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brains.matching.behaviour import Behaviour
from brains.matching.choice import fit, softmax
from brains.matching.corpus import DAY, Card, Corpus
from brains.matching.gate import UNKNOWN, Gate, Range
from brains.matching.interests import group
from brains.matching.matching import match_member, match_text
from brains.matching.members import NEWEST, profile_member
from brains.matching.past import Past
from brains.matching.prior import Prior
from brains.matching.profiles import build_profiles
from brains.matching.space import Space
from brains.matching.storing import from_bytes, to_bytes
from tests.unit.small_town import ASTRONOMY, BAKING, CARDS, CYCLING, NOW, corpus, profiles, sentence, town, vectors


def test_a_corpus_is_as_long_in_every_column():
    with pytest.raises(ValueError, match="as many of each"):
        replace(town(6), texts=["one"])


def test_a_channel_is_near_its_own_messages_and_far_from_those_of_others():
    known = profiles()
    text = sentence(CYCLING, 999)
    closeness = known.topics.closeness(known.topics.space.place(vectors([text])))[0]
    overlap = known.topics.terms.overlap(known.topics.terms.weigh([text.split()]))[0]
    for scores in (closeness, overlap):
        assert known.channels[np.argmax(scores)] == CYCLING
        assert scores[1] > 0 > max(scores[0], scores[2])


def test_centring_spreads_cosines_that_were_all_alike():
    random = np.random.default_rng(0)
    common = 10 * random.normal(size=16)
    rows = common + np.repeat(3 * np.eye(16)[:3], 40, axis=0) + 0.5 * random.normal(size=(120, 16))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    owners = np.repeat(np.arange(3), 40)
    placed = Space.learn(rows, owners, np.ones(120, dtype=np.float32)).place(rows)
    assert (rows @ rows.T).min() > 0.7
    same = owners[:, None] == owners
    assert (placed @ placed.T)[same].mean() > 0.4
    assert (placed @ placed.T)[~same].mean() < 0


def test_chat_noise_hardly_moves_a_profile():
    noise = corpus([(BAKING, 3, text) for text in ("thanks!", "ok", "+1", "https://example.org/x")] * 20, first_id=900)
    quiet, loud = profiles(), build_profiles(_joined(town(), noise), CARDS, encoder="h", now=NOW)
    text = sentence(BAKING, 5)
    before, after = (match_text(known, vector=vectors([text])[0], text=text, k=1)[0] for known in (quiet, loud))
    assert before.channel == after.channel == BAKING
    assert after.parts.vector == pytest.approx(before.parts.vector, rel=0.05)
    assert after.parts.terms == pytest.approx(before.parts.terms, rel=0.05)


def test_new_talk_counts_for_more_than_old_talk():
    old = corpus([(BAKING, 1, "kvass barrel cellar beetroot brine")] * 8, start=-4_000 * DAY)
    new = corpus([(BAKING, 1, "focaccia rosemary olive dimple tray")] * 8, first_id=8, start=NOW - 16 * DAY)
    known = build_profiles(_joined(_joined(town(), old), new), CARDS, encoder="h", now=NOW)
    stale, fresh = (
        known.topics.terms.overlap(known.topics.terms.weigh([text.split()]))[0][0]
        for text in ("kvass barrel cellar", "focaccia rosemary olive")
    )
    assert fresh > 2 * stale > 0


def test_a_described_channel_without_messages_can_be_found():
    cards = [*CARDS, Card(id=40, name="pottery", description="clay, kiln and glaze")]
    cards = [replace(card, vector=vectors([card.text])[0]) for card in cards]
    known = build_profiles(town(), cards, encoder="h", now=NOW)
    text = "my glaze cracked in the kiln, was the clay too wet"
    assert match_text(known, vector=vectors([text])[0], text=text, floor=0)[0].channel == 40


def test_without_any_message_descriptions_alone_decide():
    cards = [replace(card, vector=vectors([card.text])[0]) for card in CARDS]
    known = build_profiles(corpus([]), cards, encoder="h", now=NOW)
    text = "which bicycle for rides in winter"
    assert match_text(known, vector=vectors([text])[0], text=text, floor=0)[0].channel == CYCLING


def test_stored_profiles_come_back_as_they_were():
    known = profiles()
    back = from_bytes(to_bytes(known))
    text, own = sentence(BAKING, 1), corpus([(CYCLING, 9, sentence(CYCLING, 3))])
    assert match_text(back, vector=vectors([text])[0], text=text) == match_text(
        known, vector=vectors([text])[0], text=text
    )
    assert match_member(back, own, joined=set(), now=NOW) == match_member(known, own, joined=set(), now=NOW)
    assert (back.encoder, back.built_at) == ("hashing-words", NOW)


@pytest.mark.parametrize("version", ["1", "999", None])
def test_profiles_of_another_version_are_refused(version):
    data = to_bytes(profiles())
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = {**header["__metadata__"], "version": version}
    changed = json.dumps(header).encode()
    with pytest.raises(ValueError, match="build them again"):
        from_bytes(len(changed).to_bytes(8, "little") + changed + data[8 + size :])


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", (2).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"[]"]
)
def test_anything_else_is_no_profile(data):
    with pytest.raises(ValueError, match="no channel profiles"):
        from_bytes(data)


def test_a_member_of_two_minds_has_two_interests():
    own = corpus([(99, 9, sentence(channel, seed)) for seed in range(12) for channel in (BAKING, ASTRONOMY)])
    member = profile_member(profiles().topics, own, now=NOW)
    assert len(member.centroids) == 2
    assert {*member.interest[::2]}.isdisjoint({*member.interest[1::2]})


def test_a_member_who_said_nothing_has_no_interest():
    for own in (corpus([]), corpus([(BAKING, 9, "thanks!"), (BAKING, 9, "ok")])):
        member = profile_member(profiles().topics, own, now=NOW)
        assert len(member.centroids) == member.terms.nnz == 0


def test_only_the_newest_messages_are_read():
    own = corpus([(99, 9, sentence(BAKING, seed)) for seed in range(NEWEST + 5)])
    assert set(profile_member(profiles().topics, own, now=NOW).messages) == set(range(5, NEWEST + 5))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_interests_do_not_depend_on_the_order_of_messages(count, random):
    rows = np.random.default_rng(count).normal(size=(count, 6)).astype(np.float32)
    weights = np.linspace(0.1, 1, count, dtype=np.float32)
    order = random.sample(range(count), count)
    _, centroids, shares = group(rows, weights)
    _, mixed_centroids, mixed_shares = group(rows[order], weights[order])
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(mixed_shares, shares, atol=1e-5)
    np.testing.assert_allclose(mixed_centroids, centroids, atol=1e-4)


def test_the_choice_model_finds_the_weights_that_made_the_choices():
    random = np.random.default_rng(1)
    features = random.normal(size=(4_000, 5, 2))
    shares = softmax(features @ np.array([2.0, -1.0]))
    chosen = np.array([random.choice(5, p=share) for share in shares])
    assert fit(features, chosen, start=(0.0, 0.0), ridge=1.0) == pytest.approx([2, -1], abs=0.1)
    assert fit(features[:1], chosen[:1], start=(7.0, 3.0), ridge=1e6) == pytest.approx([7, 3], abs=0.1)


def test_the_gate_opens_for_what_the_community_usually_says():
    usual = Range.of(np.linspace(2, 4, 500))
    gate = Gate(told=usual, near=usual)
    assert gate.opens(3.5, 3.5) > 0.9
    assert gate.opens(1.0, 1.0) < 0.05
    assert Range().place(3.0, least=1.0) == UNKNOWN
    few, many = Range.of(np.ones(3)), Range.of(np.ones(3_000))
    assert many.place(0.0, least=1.0) < few.place(0.0, least=1.0) < UNKNOWN


def test_newcomers_fade_and_company_tells_where_channels_go_together():
    random = np.random.default_rng(0)
    authors = np.repeat(np.arange(300), 4)
    channels = np.concatenate([(member % 2) * 5 + random.permutation(5)[:4] for member in range(300)])
    times = np.ravel(np.arange(300)[:, None] + 300 * np.arange(4)) * DAY / 4
    said = replace(
        corpus([(0, 0, "")] * len(times)), channels=channels, authors=authors, times=times.astype(np.float64)
    )
    past = Past.of(said, channels, np.arange(10), Behaviour.none())
    prior, later = Prior.learn(past, now=300 * DAY), Prior.learn(past, now=420 * DAY)
    company = prior.company(np.isin(np.arange(10), [0, 1]))
    assert company[2:5].min() > company[5:].max()
    np.testing.assert_allclose(later.newcomers, prior.newcomers / 2, rtol=1e-4)


def _joined(one: Corpus, other: Corpus) -> Corpus:
    columns = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("ids", "vectors", "channels", "authors", "times")
    }
    return Corpus(texts=[*one.texts, *other.texts], **columns)
