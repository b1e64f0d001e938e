"""A community's own correction of the shipped heads, from its staff's verdicts, promoted only if it is no worse.

Logistic regression on the shipped logit and the vector, drawn towards the shipped head (slope 1, everything else 0): a
Gaussian prior around it, as in Chelba and Acero 2004. What was learned depends on today's lessons alone, so that a
lesson that is taken back is forgotten without a trace.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from brains.moderation.learned import Correction, Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from bot.core.ports import Vector

ENOUGH = 20
"""Lessons of a head below which the memory alone knows them."""
HELD_BACK = 4
"""One case of so many is held back: it never teaches, and judges what was taught."""
FEWEST_HELD = 3
"""Lessons held back below which nothing can be judged."""
FEWEST_ORDINARY = 20
"""Ordinary messages below which nobody can tell whether a correction would flag them."""
MOST_FLIPS = 0.002
"""Share of ordinary messages that may be flagged anew; a batch of lessons that would flag more is refused."""
MARGIN = 1.0
"""How far below the threshold, in logits, the ordinary messages that teach are kept, so that others stay there too."""
PULL = 0.01
"""How strongly the weights of the vector are drawn towards 0."""
TRUST = 0.1
"""How strongly the slope is drawn towards 1, and the bias towards 0."""
ORDINARY = 0.1
"""What all ordinary messages together weigh beside all lessons."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taught:
    """One matured lesson of a head: `vector` (d,), the shipped `logit`, who ruled, and in which case."""

    vector: Vector
    logit: float
    label: int
    case: str
    by: str
    same: bytes = b""
    """Equal for equal texts, which count once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordinary:
    """Messages of the community that nobody complained of: vectors (m, d), the shipped logits (m,) of one head."""

    vectors: Vector
    logits: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadReport:
    """What came of learning one head. Losses and errors are those of held-back lessons, alarms of ordinary messages."""

    lessons: int
    held_back: int
    ordinary: int
    promoted: bool
    why: str
    loss_before: float = 0.0
    loss_after: float = 0.0
    errors_before: int = 0
    errors_after: int = 0
    alarms_before: int = 0
    alarms_after: int = 0
    flips: int = 0


def learn(lessons: Sequence[Taught], ordinary: Ordinary, *, threshold: float) -> tuple[Correction | None, HeadReport]:
    """Learn the correction of one head; None where it is not promoted. `threshold` is where the head flags."""
    lessons = distinct(lessons)
    held = np.array([is_held_back(one.case) for one in lessons], dtype=bool)
    if why := _too_few(lessons, held, len(ordinary.logits)):
        return None, HeadReport(
            lessons=len(lessons), held_back=int(held.sum()), ordinary=len(ordinary.logits), promoted=False, why=why
        )
    teaching = [one for one, apart in zip(lessons, held, strict=True) if not apart]
    judging = [one for one, apart in zip(lessons, held, strict=True) if apart]
    apart = np.arange(len(ordinary.logits)) % 2 == 1
    known = Ordinary(vectors=ordinary.vectors[~apart], logits=ordinary.logits[~apart])
    edge = float(np.log(threshold / (1 - threshold)))
    fitted = fit(teaching, known)
    correction = calm(fitted, known, edge)
    report = _judge(fitted, correction, lessons, judging, ordinary, apart, edge)
    return (correction if report.promoted else None), report


def distinct(lessons: Sequence[Taught]) -> list[Taught]:
    """Return the lessons with each text once, as it was ruled on last."""
    last = {one.same or str(number).encode(): one for number, one in enumerate(lessons)}
    return list(last.values())


def is_held_back(case: str) -> bool:
    """Say whether a case judges instead of teaching; always the same for the same case."""
    return hashlib.blake2b(case.encode(), digest_size=2).digest()[0] % HELD_BACK == 0


def weights(lessons: Sequence[Taught]) -> Floats:
    """Weigh lessons (n,) so that no one of the staff has more say than all others; alone, half of their own."""
    say = Counter(one.by for one in lessons)
    every = len(lessons)
    capped = {by: min(1.0, max(every - mine, mine / 2) / mine) for by, mine in say.items()}
    return np.array([capped[one.by] for one in lessons])


def fit(lessons: Sequence[Taught], ordinary: Ordinary) -> Correction:
    """Fit a correction; the ordinary messages together weigh `ORDINARY` as much as the lessons."""
    vectors = np.concatenate([np.stack([one.vector for one in lessons]), ordinary.vectors]).astype(np.float64)
    shipped = np.concatenate([[one.logit for one in lessons], ordinary.logits])
    signs = np.concatenate([[2 * one.label - 1 for one in lessons], -np.ones(len(ordinary.logits))])
    own = weights(lessons)
    rest = np.full(len(ordinary.logits), ORDINARY * own.sum() / max(len(ordinary.logits), 1))
    share = np.concatenate([own, np.minimum(rest, 1.0)])
    prior = np.concatenate([[1.0, 0.0], np.zeros(vectors.shape[1])])
    pull = np.concatenate([[TRUST, TRUST], np.full(vectors.shape[1], PULL)])
    rows = np.column_stack([shipped, np.ones(len(shipped)), vectors])

    def cost(at: Floats) -> tuple[float, Floats]:
        margins = signs * (rows @ at)
        away = at - prior
        loss = float(share @ np.logaddexp(0, -margins) + 0.5 * pull @ away**2)
        slope = rows.T @ (-share * signs * expit(-margins)) + pull * away
        return loss, slope

    found = minimize(cost, prior, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return Correction(slope=float(found[0]), bias=float(found[1]), weights=found[2:])


def calm(correction: Correction, ordinary: Ordinary, edge: float) -> Correction:
    """Lower the bias until no more ordinary messages have a logit of `edge` or more than by the shipped head."""
    if not len(ordinary.logits):
        return correction
    may = int((ordinary.logits >= edge).sum())
    loudest = np.sort(correction.logits(ordinary.logits, ordinary.vectors))[::-1]
    over = loudest[may] - (edge - MARGIN) if may < len(loudest) else 0.0
    return replace(correction, bias=correction.bias - max(0.0, float(over)))


def _too_few(lessons: Sequence[Taught], held: npt.NDArray[np.bool_], ordinary: int) -> str:
    labels = {one.label for one, apart in zip(lessons, held, strict=True) if not apart}
    if len(lessons) < ENOUGH:
        return f"{len(lessons)} lessons; it takes {ENOUGH}"
    if labels != {0, 1}:
        return "all lessons say the same; it takes some of both kinds"
    if ordinary < FEWEST_ORDINARY:
        return f"{ordinary} ordinary messages to be spared are known; it takes {FEWEST_ORDINARY}"
    return "" if held.sum() >= FEWEST_HELD else f"only {held.sum()} lessons are held back; it takes {FEWEST_HELD}"


def _judge(  # noqa: PLR0917 - all that a report tells
    fitted: Correction,
    correction: Correction,
    lessons: Sequence[Taught],
    judging: Sequence[Taught],
    ordinary: Ordinary,
    apart: npt.NDArray[np.bool_],
    edge: float,
) -> HeadReport:
    """Set the corrected head beside the shipped one, on what taught neither.

    The loss is that before `calm`, which makes the head say less often what it knows: verdicts are on what was accused.
    """
    labels = np.array([one.label for one in judging])
    before = np.array([one.logit for one in judging], dtype=np.float64)
    vectors = np.stack([one.vector for one in judging])
    after = correction.logits(before, vectors)
    alarmed, alarms = ordinary.logits >= edge, correction.logits(ordinary.logits, ordinary.vectors) >= edge
    measured = {
        "loss_before": _loss(before, labels),
        "loss_after": _loss(fitted.logits(before, vectors), labels),
        "errors_before": int(((before >= edge) != labels).sum()),
        "errors_after": int(((after >= edge) != labels).sum()),
        "alarms_before": int(alarmed[apart].sum()),
        "alarms_after": int(alarms[apart].sum()),
        "flips": int((alarms & ~alarmed).sum()),
    }
    why = _against(measured, len(ordinary.logits))
    return HeadReport(
        lessons=len(lessons),
        held_back=len(judging),
        ordinary=len(ordinary.logits),
        promoted=not why,
        why=why or "no worse on what was held back",
        loss_before=round(measured["loss_before"], 4),
        loss_after=round(measured["loss_after"], 4),
        errors_before=int(measured["errors_before"]),
        errors_after=int(measured["errors_after"]),
        alarms_before=int(measured["alarms_before"]),
        alarms_after=int(measured["alarms_after"]),
        flips=int(measured["flips"]),
    )


def _against(measured: dict[str, float], ordinary: int) -> str:
    """Say why a correction is not promoted; empty where nothing speaks against it."""
    if measured["loss_after"] > measured["loss_before"]:
        return "less sure of the held-back verdicts than before"
    if measured["errors_after"] > measured["errors_before"]:
        return "more held-back verdicts wrong than before"
    if measured["alarms_after"] > measured["alarms_before"]:
        return "more ordinary messages flagged than before"
    if measured["flips"] > MOST_FLIPS * ordinary:
        return f"it would flag {measured['flips']:.0f} of {ordinary} ordinary messages anew"
    return ""


def _loss(shipped: Floats, labels: npt.NDArray[np.int_]) -> float:
    """Return the mean log loss of logits (n,)."""
    return float(np.logaddexp(0, -(2 * labels - 1) * shipped).mean())
