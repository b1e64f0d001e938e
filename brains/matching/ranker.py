"""Joins the signals: a conditional logit, learned on a community's own joins where there are enough of them.

What was learned is tried on the latest rehearsal before it is used, against the weights that served until then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from brains.matching.chances import Chances, error
from brains.matching.choice import deviations, fit, softmax
from brains.matching.diversity import spread
from brains.matching.signals import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from brains.matching.choice import Doubles
    from brains.matching.corpus import Floats, Ids, Mask
    from brains.matching.offered import Answers
    from brains.matching.rehearsal import Rehearsals

FEWEST = 20
"""First uses to fit the weights on; with fewer, those of an ordinary community stay."""

TRUSTS = (10.0, 40.0, 160.0, 640.0)
"""Pulls towards the usual weights, per signal in standard deviations, that are tried: about how many first uses these
are worth."""

FORWARD = 4
"""Latest rehearsals on which a pull is judged, each by what was fitted on those before it."""

ALTERNATIVES = 100
"""Channels that each choice is set against, by chance: a sample of these gives the same weights (McFadden 1978)."""

PAIRS = 2_000
"""Pairs of offers, one taken and one not, that are compared at most: three hundred offers make ten times as many."""

DEPTH = 10
"""Places of a list that are judged."""

VARIETIES = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Log-odds that the likeness to a channel further up costs, tried; the largest that loses nothing is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """The latest rehearsal, which what was learned had not seen.

    nDCG@10 over `n` members of the weights `learned`, of the `usual` ones, and of those in use `before` (None where
    there were none); calibration error of the `chance` and of the plain `share`.
    """

    n: int = 0
    learned: float = 0.0
    usual: float = 0.0
    before: float | None = None
    chance: float = 0.0
    share: float = 0.0

    @property
    def promoted(self) -> bool:
        """Say whether what was learned serves: it does no worse than what served before, if anything did."""
        return self.before is None or self.learned >= self.before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranker:
    """Weights of the signals (f,), chances, and what likeness costs; `joins` is how many first uses it learned from.

    `tried` (f,) are the weights as they were learned without the latest window of the time; None where they are those
    in use.
    """

    weights: Doubles = field(default_factory=USUAL.copy)
    tried: Doubles | None = None
    chances: Chances = field(default_factory=Chances)
    variety: float = 0.5
    joins: int = 0
    exam: Exam = field(default_factory=Exam)

    @property
    def judged(self) -> Doubles:
        """Return the weights (f,) to judge it by: most of the latest window was learned from by those in use."""
        return self.weights if self.tried is None else self.tried


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """What was learned from the rehearsals `seen`, and the latest of them, `held`, on which it was tried."""

    ranker: Ranker
    seen: Rehearsals
    held: Rehearsals
    alike: Callable[[Ids], Floats]

    def better_than(self, before: Ranker) -> bool:
        """Say whether what was learned does no worse than what served before, each without the latest window.

        What served before was learned a day or so ago, and has seen no more than so much of it.
        """
        return not len(self.held.window) or quality(self.held, self.ranker.judged) >= quality(self.held, before.judged)

    def promoted(self, before: Ranker | None) -> Ranker:
        """Return what serves from now on: what was learned, or the weights before with chances of today."""
        if before is None:
            return self.ranker
        exam = replace(self.ranker.exam, before=quality(self.held, before.judged))
        if self.better_than(before):
            return replace(self.ranker, exam=exam)
        return replace(
            self.ranker,
            weights=before.weights,
            tried=before.tried,
            chances=Chances.learn(self.seen, before.weights),
            variety=_variety(self.seen, before.weights, self.alike),
            exam=exam,
        )

    @classmethod
    def of(cls, rehearsals: Rehearsals, answers: Answers, alike: Callable[[Ids], Floats]) -> Self:
        """Learn from all rehearsals; `alike` says of some channels (n,) how alike they are (n, n), 0 to 1."""
        latest = rehearsals.window == rehearsals.window.min(initial=0)
        older, held = rehearsals.where(~latest), rehearsals.where(latest)
        tried = _fit(older, answers, _trust(older))
        weights = _fit(rehearsals, answers, _trust(rehearsals))
        chances = Chances.learn(rehearsals, weights)
        exam = Exam(
            n=int(held.takers.sum()),
            learned=quality(held, tried),
            usual=quality(held, USUAL),
            chance=error(held, tried, Chances.learn(older, tried)),
            share=error(held, tried, None),
        )
        ranker = Ranker(
            weights=weights,
            tried=tried,
            chances=chances,
            variety=_variety(rehearsals, weights, alike),
            joins=int(rehearsals.wanted.sum()),
            exam=exam,
        )
        return cls(ranker=ranker, seen=rehearsals, held=held, alike=alike)


def quality(rehearsals: Rehearsals, weights: Doubles) -> float:
    """Return nDCG@10 (gain 1, discount 1 / log2(rank + 1)) of who came to some channel; 0 where nobody did."""
    some = rehearsals.where(rehearsals.takers)
    logits = np.where(some.closed, -np.inf, some.features @ weights)
    return _ndcg(np.argsort(-logits, axis=1, kind="stable"), some.wanted)


def _ndcg(orders: Ids, wanted: Mask) -> float:
    if not len(wanted):
        return 0.0
    discount = 1 / np.log2(np.arange(min(DEPTH, wanted.shape[1])) + 2)
    gained = np.take_along_axis(wanted, orders, axis=1)[:, : len(discount)] @ discount
    best = np.cumsum(discount)[np.minimum(wanted.sum(axis=1), len(discount)) - 1]
    return float((gained / best).mean())


def _choices(rehearsals: Rehearsals) -> tuple[Floats, Ids, Mask]:
    """Return each first use as a choice (n,) among sampled channels (n, a, f), and which of these were closed."""
    rows, chosen = np.nonzero(rehearsals.wanted)
    closed = rehearsals.closed[rows] | rehearsals.wanted[rows]
    closed[np.arange(len(rows)), chosen] = False
    order = np.random.default_rng(0).random(closed.shape) + closed
    order[np.arange(len(rows)), chosen] = -1
    kept = np.argsort(order, axis=1)[:, :ALTERNATIVES]
    features = rehearsals.features[rows[:, None], kept]
    return features, np.zeros(len(rows), dtype=np.int64), np.take_along_axis(closed, kept, axis=1)


def _pairs(answers: Answers, width: int) -> tuple[Floats, Ids, Mask, Floats]:
    """Set each offer that was turned down against those that were taken: the latter are what an offer should be like.

    Only offers are compared with offers: they were chosen by fit, and set against all channels would speak against it.
    """
    taken, other = np.flatnonzero(answers.taken), np.flatnonzero(~answers.taken)
    all_pairs = len(taken) * len(other) if width > 1 else 0
    some = np.sort(np.random.default_rng(0).permutation(all_pairs)[:PAIRS])
    features = np.zeros((len(some), width, answers.features.shape[1]), dtype=np.float32)
    closed = np.ones((len(some), width), dtype=np.bool_)
    if not len(some):
        return features, some, closed, np.zeros(0, dtype=np.float32)
    right, wrong = taken[some // len(other)], other[some % len(other)]
    features[:, 0], features[:, 1] = answers.features[right], answers.features[wrong]
    closed[:, :2] = False
    say = answers.say[wrong] * (len(other) / len(some))
    return features, np.zeros(len(some), dtype=np.int64), closed, say.astype(np.float32)


def _fit(rehearsals: Rehearsals, answers: Answers | None, trust: float) -> Doubles:
    """Fit the weights, none below 0: a signal that speaks against what it finds is left out."""
    features, chosen, closed = _choices(rehearsals)
    if len(chosen) < FEWEST:
        return USUAL.copy()
    say, far = np.ones(len(chosen), dtype=np.float32), deviations(features)  # of pairs, most would be filled with zeros
    if answers is not None:
        more = _pairs(answers, features.shape[1])
        features, chosen = np.concatenate([features, more[0]]), np.concatenate([chosen, more[1]])
        closed, say = np.concatenate([closed, more[2]]), np.concatenate([say, more[3]])
    weights, live = np.zeros(len(USUAL)), np.ones(len(USUAL), dtype=np.bool_)
    while live.any():
        start = tuple(USUAL[live].tolist())
        found = fit(features[..., live], chosen, start=start, ridge=trust, closed=closed, say=say, spread=far[live])
        if (found >= 0).all():
            weights[live] = found
            break
        live[np.flatnonzero(live)[found < 0]] = False
    return weights


def _trust(rehearsals: Rehearsals) -> float:
    """Choose the pull towards the usual weights that foretells each of the latest rehearsals best from those before."""
    latest = int(rehearsals.window.min(initial=0))
    gained = dict.fromkeys(TRUSTS, 0.0)
    for window in range(latest, latest + FORWARD):
        before, then = rehearsals.where(rehearsals.window > window), rehearsals.where(rehearsals.window == window)
        if before.wanted.sum() < FEWEST or not then.wanted.any():
            continue
        for trust in TRUSTS:
            gained[trust] += _likelihood(then, _fit(before, None, trust))
    return max(TRUSTS, key=lambda trust: (gained[trust], trust))


def _likelihood(rehearsals: Rehearsals, weights: Doubles) -> float:
    logits = np.where(rehearsals.closed, -np.inf, rehearsals.features @ weights)[rehearsals.takers]
    wanted = rehearsals.wanted[rehearsals.takers]
    return float(np.log(np.maximum(softmax(logits)[wanted], 1e-12)).sum())


def _variety(rehearsals: Rehearsals, weights: Doubles, alike: Callable[[Ids], Floats]) -> float:
    """Choose how much a list may spread without losing nDCG on the rehearsals."""
    some = rehearsals.where(rehearsals.takers)
    if some.wanted.sum() < FEWEST:
        return Ranker().variety
    logits = np.where(some.closed, -np.inf, some.features @ weights)

    def judged(cost: float) -> float:
        return _ndcg(np.stack([spread(row, alike, cost=cost) for row in logits]), some.wanted)

    plain = judged(0.0)
    return max(cost for cost in VARIETIES if cost == 0 or judged(cost) >= plain)
