"""Exposure on a planted town, and the picture of a rolling evaluation."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from bot.core.errors import Mistake
from brains.evals.exposure import exposure, gini
from brains.evals.metrics import Interval
from brains.evals.plot import draw
from brains.evals.recommend_chances import Foretold, calibration
from brains.evals.recommend_report import Rolling, Versus
from brains.matching.behaviour import Behaviour, Moments
from brains.matching.matching import match_member
from brains.matching.offering import places, waiting
from brains.matching.profiles import build_profiles
from brains.matching.storing import from_bytes, to_bytes
from tests.hashing import HashingEncoder
from tests.unit.small_town import ASTRONOMY, BAKING, CARDS, CYCLING, NOW, corpus, profiles, sentence
from tests.unit.test_eval_rolling import history
from tests.unit.test_evals import write

JUNE = datetime(2024, 6, 1, tzinfo=UTC)
HALF = np.arange(1_000) < 500


def test_gini_is_nought_where_all_are_shown_alike_and_high_where_one_is():
    assert gini(np.array([3, 3, 3, 3])) == 0
    assert gini(np.array([0, 0, 0, 9])) == pytest.approx(0.75)
    assert gini(np.array([0, 0])) == 0


async def test_popularity_shows_few_channels_and_ours_those_that_fit(tmp_path):
    rows = history()
    rows += [{"user": f"m{n}", "channel": "茶馆", "ts": "2024-05-20", "text": "今天喝什么茶"} for n in (0, 1)]
    rows += [{"user": "passer-by", "channel": name, "ts": "2024-05-21", "text": "?"} for name in ("lost", "found")]
    found = await exposure(write(tmp_path / "rows.jsonl", rows), cut=JUNE, encoder=HashingEncoder())
    assert found.n == 22  # the founder, 20 of the hall, and the passer-by
    shown = {room.name: room for room in found.channels}
    assert sum(room.popularity for room in shown.values()) > 0
    assert found.baselines["popularity"].gini > 0
    assert {room.script for room in shown.values()} == {"latin", "han"}
    assert found.scripts["han"]["channels"] == pytest.approx(1 / len(shown), abs=1e-4)
    assert all(room.ours <= room.fits for room in shown.values())
    assert found.starved == [name for name, room in shown.items() if room.fits and not room.ours]
    assert found.ours.never == sum(not room.ours for room in shown.values())


async def test_nothing_before_the_day_is_a_mistake(tmp_path):
    path = write(tmp_path / "rows.jsonl", history())
    with pytest.raises(Mistake, match="nothing before 2020-01-01"):
        await exposure(path, cut=datetime(2020, 1, 1, tzinfo=UTC), encoder=HashingEncoder())


def between(difference: float) -> dict[str, Versus]:
    interval = Interval(low=difference - 0.02, high=difference + 0.02)
    return {"ndcg@10": Versus(difference=difference, interval=interval)}


ROLLING = Rolling(
    task="recommend",
    n=9,
    members=8,
    cuts=["2024-01-01"],
    ours={"ndcg@10": 0.7},
    intervals={"ndcg@10": Interval(low=0.6, high=0.8)},
    baselines={"popularity": {"ndcg@10": 0.6}, "EASE": {"ndcg@10": 0.69}},
    spread={},
    versus={"popularity": between(0.1), "EASE": between(0.01)},
    settings={},
)


@pytest.mark.slow  # matplotlib takes seconds to come
def test_a_run_is_drawn_with_every_peer_and_signal(tmp_path):
    whole = replace(ROLLING, without={"terms": between(-0.05)}, alone={"terms": between(-0.1)})
    draw(whole, tmp_path / "run.svg")
    text = (tmp_path / "run.svg").read_text()
    assert all(name in text for name in ("popularity", "EASE", "without terms", "terms alone"))
    assert text.index("EASE") < text.index("popularity")  # the best peer first
    draw(ROLLING, tmp_path / "run.png")
    draw(whole, tmp_path / "whole.png")
    with Image.open(tmp_path / "run.png") as less, Image.open(tmp_path / "whole.png") as more:
        assert less.size[0] == more.size[0]
        assert less.size[1] < more.size[1]
        assert less.getpixel((2, 2))[3] == 0  # no paper: it is read on a light page and on a dark one


@pytest.mark.parametrize("name", ["run.gif", "run"])
def test_another_ending_is_a_mistake(tmp_path, name):
    with pytest.raises(Mistake, match=r"ends in .png or .svg"):
        draw(ROLLING, tmp_path / name)


def test_probabilities_that_come_true_have_no_error_and_bold_ones_do():
    came = np.arange(1_000) % 10 == 0
    honest, bold = np.full(1_000, 0.1), np.full(1_000, 0.6)
    found = calibration([Foretold(scores=honest[half], shares=bold[half], came=came[half]) for half in (HALF, ~HALF)])
    assert found == {"pairs": 1000, "told": 0.1, "came": 0.1, "ece": 0, "ece of plain shares": 0.5}
    assert calibration([Foretold(scores=np.zeros(0), shares=np.zeros(0), came=np.zeros(0, dtype=bool))]) == {}


def test_a_channel_that_was_offered_to_nobody_gets_the_last_place_where_it_fits():
    assert places([5, 3, 8, 2, 7], 3, {2, 7}) == [0, 1, 3]
    assert places([5, 3, 8, 2], 3, {3, 2}) == [0, 1, 2]  # one that waits is offered already
    assert places([5, 3, 8, 2], 1, {2}) == [0]  # the best is not given away
    assert places([5, 3], 3, {2}) == [0, 1]
    assert places([], 3, {2}) == []


def test_a_channel_waits_once_much_was_offered_and_never_it():
    channels, day = np.array([4, 6, 9]), 86_400.0
    offers = Moments(members=np.arange(9), channels=np.tile([4, 6, 4], 3), times=np.full(9, 200 * day))
    assert waiting(channels, offers, now=201 * day) == {9}
    assert waiting(channels, offers, now=300 * day) == frozenset()  # nothing was offered lately
    assert waiting(channels, offers.where(np.arange(9) < 8), now=201 * day) == frozenset()


def test_of_what_waits_the_best_comes_after_the_others():
    town = profiles()
    own = corpus([(BAKING, 1, sentence(BAKING, 1)), (CYCLING, 1, sentence(CYCLING, 2))])
    whole = match_member(town, own, joined=frozenset(), now=NOW, habits=False, k=3, floor=0)
    last = whole[-1].channel
    some = match_member(town, own, joined=frozenset(), now=NOW, habits=False, k=1, floor=0, waiting={last})
    assert [one.channel for one in some] == [whole[0].channel, last]
    refused = frozenset({last})
    assert [
        one.channel
        for one in match_member(
            town, own, joined=frozenset(), now=NOW, habits=False, k=1, floor=0, refused=refused, waiting={last}
        )
    ] == [whole[0].channel]


def test_what_waits_is_learned_from_offers_and_kept():
    said = corpus(
        [(channel, member, sentence(channel, member)) for member in range(9) for channel in (BAKING, CYCLING)]
    )
    offers = Moments(members=np.arange(9), channels=np.full(9, CYCLING), times=np.full(9, NOW - 1.0))
    known = build_profiles(said, CARDS, encoder="h", now=NOW, behaviour=Behaviour(offers=offers), rehearsed=False)
    assert known.waiting == {BAKING, ASTRONOMY}
    assert from_bytes(to_bytes(known)).waiting == known.waiting
