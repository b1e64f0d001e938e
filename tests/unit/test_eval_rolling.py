"""`eval recommend --rolling` on a planted history: who wins, how peers choose, and what intervals are made of."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bot.cli.recommend import _span
from bot.core.errors import Mistake
from brains.evals import recommend_rolling
from brains.evals.metrics import bootstrap, clustered
from brains.evals.recommend import read_uses
from brains.evals.recommend_peers import PEERS, Peer
from brains.evals.recommend_report import versus
from brains.evals.recommend_rolling import Span, months_after, rolling
from brains.evals.recommend_trials import steps, tried
from tests.hashing import HashingEncoder
from tests.unit.small_town import BAKING, CYCLING, sentence
from tests.unit.test_evals import NAMES, write

MARCH, JULY = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
SPAN = Span(first=MARCH, last=JULY, every=2)
QUICK = tuple(replace(peer, settings=peer.settings[:2]) for peer in PEERS if "LightGCN" not in peer.name)


def history(members: int = 24) -> list[dict]:
    """Every month some more come to the hall with talk of their own, and two months later to where it leads."""
    rows = [{"user": "founder", "channel": name, "ts": "2024-01-01", "text": "hello"} for name in NAMES.values()]
    for member in range(members):
        kind, start = (BAKING, CYCLING)[member % 2], 1 + member % 6
        for n in range(3):
            text = sentence(kind, 100 * member + n)
            rows.append({"user": f"m{member}", "channel": "hall", "ts": f"2024-{start:02}-03", "text": text})
        text = sentence(kind, 5_000 + member)
        rows.append({"user": f"m{member}", "channel": NAMES[kind], "ts": f"2024-{start + 2:02}-02", "text": text})
    return rows


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(recommend_rolling, "PEERS", QUICK)


@pytest.fixture
def windows(tmp_path):
    uses = read_uses(write(tmp_path / "rows.jsonl", history()))
    vectors = np.array([[1.0, 0.0] if "bread" in use.text else [0.0, 1.0] for use in uses], dtype=np.float32)
    return list(recommend_rolling._windows(uses, vectors, SPAN))


def test_each_cut_learns_from_what_is_before_it_alone(windows):
    assert [f"{window.cut:%Y-%m}" for window in windows if window.counts] == ["2024-03", "2024-05", "2024-07"]
    for window in windows:
        assert window.parts.corpus.times.max() < window.cut.timestamp()
    met = [(window.parts.users[user], window.cut) for window in windows for user in window.parts.coming]
    assert len({user for user, _cut in met}) == len(met)  # a first use lies in one window alone


@pytest.mark.slow
async def test_cases_are_pooled_and_ours_stands_beside_every_peer(tmp_path, quick):
    found = await rolling(
        write(tmp_path / "rows.jsonl", history()), SPAN, encoder=HashingEncoder(), seeds=2, ablation=True
    )
    assert found.n == found.members == 24
    assert set(found.baselines) == set(found.versus) == {peer.name for peer in QUICK}
    assert found.ours["hit@1"] > found.baselines["popularity"]["hit@1"]
    beside = found.versus["popularity"]["hit@1"]
    assert beside.difference == pytest.approx(found.ours["hit@1"] - found.baselines["popularity"]["hit@1"], abs=1e-3)
    assert beside.interval.low <= beside.difference <= beside.interval.high
    assert set(found.spread) == {"ALS", "BPR"}
    assert found.without["terms"]["hit@1"].difference <= 0
    assert set(found.without) == set(found.alone)
    assert json.dumps(found.to_json()["settings"]["EASE"]["2024-05-01"]) == json.dumps({"ridge": 50})


def test_the_same_seed_gives_the_same_figures(windows):
    als = next(peer for peer in QUICK if peer.name == "ALS")
    one, again = (tried(als, windows, 2, lambda: None) for _ in range(2))
    assert all(np.array_equal(one.measured[name], again.measured[name]) for name in one.measured)


def test_a_peer_uses_what_was_best_on_windows_closed_before(windows):
    """One setting is right and one is wrong: the first cut knows no better, later ones do, whatever they will meet."""

    def score(known, setting, _seed):
        right = np.zeros_like(known.used)
        for user, wanted in known.split.coming.items():
            right[user, list(wanted)] = setting["sign"]
        return right

    peer = Peer(name="knows", score=score, settings=({"sign": -1.0}, {"sign": 1.0}))
    done = []
    trial = tried(peer, windows, 1, lambda: done.append(1))
    assert [setting["sign"] for setting in trial.settings.values()] == [-1, 1, 1]
    assert len(done) == steps([peer], windows, 1) == 2 * len(windows)
    first = len(windows[0].parts.coming)
    assert trial.measured["hit@1"][:first].max() == 0
    assert trial.measured["hit@1"][first:].min() == 1


def test_intervals_resample_members_with_all_their_cases():
    random = np.random.default_rng(1)
    one_each = random.normal(size=40)
    repeated, names = np.repeat(one_each, 5), [f"m{at // 5}" for at in range(200)]
    alone, together = bootstrap(repeated), clustered(repeated, names)
    assert together.high - together.low > 2 * (alone.high - alone.low) * 0.9
    honest = bootstrap(one_each)
    assert together.high - together.low == pytest.approx(honest.high - honest.low, rel=0.1)
    with pytest.raises(ValueError, match="at least one"):
        clustered(np.zeros(0), [])


def test_versus_is_ours_less_theirs():
    ours, theirs = {"hit@1": np.array([1.0, 1, 1, 0])}, {"hit@1": np.array([0.0, 0, 1, 0])}
    found = versus(ours, theirs, ["a", "b", "c", "d"])["hit@1"]
    assert found.difference == 0.5
    assert 0 <= found.interval.low < 0.5 < found.interval.high <= 1


def test_cuts_step_by_months_and_windows_close_at_the_next_or_sooner():
    assert [f"{cut:%m-%d}" for cut in SPAN.cuts()] == ["03-01", "05-01", "07-01"]
    assert SPAN.closes(MARCH) == datetime(2024, 5, 1, tzinfo=UTC).timestamp()
    assert Span(first=MARCH, last=JULY, within=10).closes(MARCH) == datetime(2024, 3, 11, tzinfo=UTC).timestamp()
    assert months_after(datetime(2024, 3, 31, tzinfo=UTC), -1).day == 29


async def test_windows_without_anybody_say_so(tmp_path, quick):
    late = Span(first=datetime(2030, 1, 1, tzinfo=UTC), last=datetime(2031, 1, 1, tzinfo=UTC))
    with pytest.raises(Mistake, match=r"rows.jsonl: no known member first uses .* Choose other cuts"):
        await rolling(write(tmp_path / "rows.jsonl", history()), late, encoder=HashingEncoder())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2021-01-01", "two days are needed"),
        ("soon:later", "two days are needed"),
        ("2022-01-01:2021-01-01", "the first day comes after the last"),
    ],
)
def test_days_that_are_none_are_a_mistake(text, complaint):
    assert len(_span("2021-01-01:2021-07-01", 6, None).cuts()) == 2
    with pytest.raises(Mistake, match=complaint):
        _span(text, 6, None)
