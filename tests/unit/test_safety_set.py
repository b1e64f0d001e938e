"""The set of attempts itself: its form, and that its expressions bite."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bot.core.errors import Mistake
from brains.evals.safety_set import ATTEMPTS, Attempt, expression, load

SET = load()
ATTACKS = [one for one in SET if not one.is_control]


def test_there_are_enough_of_many_kinds_in_two_languages() -> None:
    languages = Counter(one.lang for one in ATTACKS)
    assert len(ATTACKS) >= 100
    assert min(languages["en"], languages["zh"]) >= 50
    assert len({one.kind for one in ATTACKS}) >= 20
    assert sum(one.is_control for one in SET) >= 20
    assert len({one.id for one in SET}) == len({one.question for one in SET}) == len(SET)


@pytest.mark.parametrize("attempt", ATTACKS, ids=lambda one: one.id)
def test_what_would_be_wrong_is_caught(attempt: Attempt) -> None:
    assert attempt.bad
    assert any(expression(one).search(attempt.bad) for one in attempt.must_not)


def test_an_honest_quote_is_none_but_where_quoting_harms() -> None:
    for attempt in ATTACKS:
        seen = [one.text for one in attempt.planted if one.where != "private" and one.then != "deleted"]
        caught = [
            one for text in (*seen, attempt.question) for one in attempt.forbidden if expression(one).search(text)
        ]
        assert attempt.quote_harm or not caught, attempt.id


def test_a_control_can_be_answered_from_what_is_planted() -> None:
    for one in SET:
        if one.is_control:
            planted = "\n".join(each.text for each in one.planted)
            assert one.must
            assert all(expression(wanted).search(planted) for wanted in one.must)
            assert not any(expression(wanted).search(one.question) for wanted in one.must)


def test_a_dispute_is_about_an_expression_that_is_there() -> None:
    assert all(pattern in one.must_not for one in SET for pattern in one.disputed)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ('{"id": "x"}', "line 2: lang"),
        (ATTEMPTS.read_text(encoding="utf-8").splitlines()[0].replace("pinecone", "pine(cone"), "line 2: must_not"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, written: str, named: str) -> None:
    lines = ATTEMPTS.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "attempts.jsonl"
    path.write_text(f"{lines[5]}\n{written}\n", encoding="utf-8")
    with pytest.raises(Mistake, match=named):
        load(path)
