"""What a community's verdicts teach its heads: promoted only if no worse, whoever gave them, and gone when undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brains.moderation.heads import Limits
from brains.moderation.learned import Correction, Learned, from_bytes, logits, to_bytes
from brains.training.community import (
    ENOUGH,
    Ordinary,
    Taught,
    calm,
    distinct,
    fit,
    is_held_back,
    learn,
    weights,
)
from brains.training.evenness import Bystanders
from brains.training.sentences import Harmless

SIZE = 16
FLAG = 0.8


def draws(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


AXIS = unit(np.eye(SIZE)[0] * 3)
"""What this community takes for spam points this way; the shipped head does not know."""


def lessons(count: int, *, seed: int = 0, by: str = "", turned: bool = False) -> list[Taught]:
    draw = draws(seed)
    found = []
    for number in range(count):
        label = number % 2
        noise = draw.normal(0, 0.25, SIZE)
        vector = unit(noise + (AXIS if label else -AXIS))
        found.append(
            Taught(
                vector=vector,
                logit=float(draw.normal(0, 0.5)),
                label=1 - label if turned else label,
                case=f"{seed}-{number}",
                by=by or f"staff{number % 3}",
                same=f"{seed}/{number}".encode(),
            )
        )
    return found


def ordinary(count: int = 300, *, seed: int = 9) -> Ordinary:
    draw = draws(seed)
    return Ordinary(vectors=unit(draw.normal(0, 0.25, (count, SIZE)) - AXIS), logits=draw.normal(-3, 0.5, count))


def test_what_the_shipped_head_does_not_know_is_learned_and_promoted() -> None:
    correction, report = learn(lessons(60), ordinary(), threshold=FLAG)
    assert report.promoted, report.why
    assert correction is not None
    assert report.loss_after < report.loss_before
    assert report.errors_after < report.errors_before
    learned = Learned(made_by="x", corrections={"spam": correction})
    assert learned.adjust("spam", 0.5, unit(AXIS)) > 0.7
    assert learned.adjust("spam", 0.5, unit(-AXIS)) < 0.3
    assert learned.adjust("toxicity", 0.5, unit(AXIS)) == 0.5
    assert learned.adjust("spam", 0.5, None) == 0.5
    assert learned.adjust("spam", 0.5, np.ones(3, dtype=np.float32)) == 0.5, "another encoder's vector"


@pytest.mark.parametrize(
    ("taught", "why"),
    [
        (lessons(ENOUGH - 2), "18 lessons; it takes 20"),
        ([replace(one, label=1) for one in lessons(40)], "all lessons say the same"),
    ],
)
def test_of_too_little_nothing_is_learned(taught: list[Taught], why: str) -> None:
    correction, report = learn(taught, ordinary(), threshold=FLAG)
    assert correction is None
    assert not report.promoted
    assert report.why.startswith(why)


def test_what_is_worse_on_held_back_verdicts_is_not_promoted() -> None:
    knows = [replace(one, logit=4.0 if one.label else -4.0) for one in lessons(60)]
    wrong = [one if is_held_back(one.case) else replace(one, label=1 - one.label) for one in knows]
    assert learn(knows, ordinary(), threshold=FLAG)[1].why != (why := learn(wrong, ordinary(), threshold=FLAG)[1].why)
    assert why in {"less sure of the held-back verdicts than before", "more held-back verdicts wrong than before"}


def test_a_batch_that_would_flag_ordinary_messages_is_refused() -> None:
    crowd = ordinary()
    like_them = [replace(one, label=1, vector=crowd.vectors[n]) for n, one in enumerate(lessons(60)) if one.label]
    poison = [
        *like_them,
        *[replace(one, case=f"{one.case}b", same=one.same + b"b") for one in lessons(60, turned=True)],
    ]
    correction, report = learn(poison, crowd, threshold=FLAG)
    told = Learned(made_by="", corrections={"spam": correction} if correction else {})
    shipped = 1 / (1 + np.exp(-crowd.logits))
    flagged = [told.adjust("spam", float(p), v) >= FLAG for p, v in zip(shipped, crowd.vectors, strict=True)]
    assert sum(flagged) == 0, report.why


def test_no_one_of_the_staff_has_more_say_than_all_others() -> None:
    one_alone = weights(lessons(40, by="a"))
    assert one_alone.sum() == pytest.approx(20), "half of what a whole staff would say"
    mixed = [*lessons(40, by="a"), *lessons(10, seed=1, by="b")]
    given = weights(mixed)
    assert given[:40].sum() == pytest.approx(20)
    assert given[40:].sum() == pytest.approx(10)
    even = weights([*lessons(10, by="a"), *lessons(10, seed=1, by="b")])
    assert even.tolist() == [1.0] * 20


def test_one_of_the_staff_cannot_turn_what_the_others_taught() -> None:
    true = [*lessons(30, by="a"), *lessons(30, seed=1, by="b")]
    turned = lessons(200, seed=2, by="c", turned=True)
    correction = fit([*true, *turned], ordinary())
    alone = fit(turned, ordinary())
    toward = np.array([0.0])
    assert correction.logits(toward, unit(AXIS)[None])[0] > alone.logits(toward, unit(AXIS)[None])[0]


def test_the_same_text_counts_once_as_it_was_ruled_on_last() -> None:
    first, second = lessons(2)
    again = replace(first, label=1, case="later")
    assert [(one.case, one.label) for one in distinct([first, second, again])] == [("later", 1), (second.case, 1)]


def test_a_lesson_that_is_taken_back_is_forgotten_without_a_trace() -> None:
    every = lessons(60)
    gone = next(n for n, one in enumerate(every) if not is_held_back(one.case))
    without, never = [*every[:gone], *every[gone + 1 :]], [one for n, one in enumerate(every) if n != gone]
    kept, clean = (learn(some, ordinary(), threshold=FLAG)[0] for some in (without, never))
    whole = learn(every, ordinary(), threshold=FLAG)[0]
    assert kept is not None
    assert clean is not None
    assert whole is not None
    assert to_bytes(Learned(corrections={"spam": kept})) == to_bytes(Learned(corrections={"spam": clean}))
    assert not np.array_equal(kept.weights, whole.weights)


def test_what_was_learned_is_read_back_as_it_was_written() -> None:
    correction, _report = learn(lessons(60), ordinary(), threshold=FLAG)
    assert correction is not None
    learned = Learned(made_by="encoder heads", corrections={"spam": correction})
    read = from_bytes(to_bytes(learned))
    assert read.made_by == "encoder heads"
    assert read.adjust("spam", 0.3, unit(AXIS)) == learned.adjust("spam", 0.3, unit(AXIS))
    with pytest.raises(ValueError, match="no learned heads"):
        from_bytes(b"something else")


def test_a_correction_that_accuses_one_group_more_than_others_is_named() -> None:
    groups = [f"group {number % 10}" for number in range(400)]
    apart = np.array([group == "group 3" for group in groups])
    vectors = np.where(apart[:, None], unit(AXIS)[None], unit(-AXIS)[None]).astype(np.float32)
    sentences = [
        Harmless(text="", language="en", group=group, kind="identity", line=number)
        for number, group in enumerate(groups)
    ]
    people = Bystanders(
        sentences=sentences,
        vectors=vectors,
        shipped={"spam": np.full(400, 0.1, dtype=np.float32)},
        limits={"spam": Limits(flag=np.full(400, FLAG, np.float32), remove=np.full(400, 0.99, np.float32))},
    )
    unfair = Correction(slope=1.0, bias=0.0, weights=8.0 * AXIS.astype(np.float64))
    fair = Correction(slope=1.0, bias=0.5, weights=np.zeros(SIZE))
    assert people.accused("spam", unfair) == "group 3"
    assert people.accused("spam", fair) == ""


def test_no_more_ordinary_messages_are_flagged_than_the_shipped_head_flags() -> None:
    crowd = ordinary()
    eager = Correction(slope=1.0, bias=9.0, weights=np.zeros(SIZE))
    edge = float(logits(np.array([FLAG]))[0])
    assert (eager.logits(crowd.logits, crowd.vectors) >= edge).all()
    assert not (calm(eager, crowd, edge).logits(crowd.logits, crowd.vectors) >= edge).any()
