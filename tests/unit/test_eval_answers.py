"""Questions with their answers are read, learned from and judged; what a file lacks is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pytest

from bot.core.errors import Mistake
from bot.core.things import Message, Ref
from brains.knowledge import confidence
from brains.knowledge.confidence import SIGNS
from brains.training.answers import Seen, fit, threshold, write
from brains.training.questions import of_history, read

ROW = '{"id":"q1","split":"dev","lang":"en","question":"Why?","answerable":true,"messages":["7"]}'


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{"split":"dev","question":"Why?","messages":[]}', "`id`"),
        ('{"id":"q1","split":"dev","messages":[]}', "`question`"),
        ('{"id":"q1","split":"dev","question":"Why?"}', "`messages`"),
        (ROW.replace("true", "false"), "`answerable`"),
    ],
)
def test_a_column_that_is_wrong_is_named(tmp_path, line, wrong):
    file = tmp_path / "questions.jsonl"
    file.write_text(f"{ROW}\n{line}\n")
    with pytest.raises(Mistake, match=rf"line 2.*{wrong}"):
        read(file)


def test_a_split_is_read_alone(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(f"{ROW}\n{ROW.replace('q1', 'q2').replace('dev', 'test')}\n")
    assert [one.id for one in read(file)] == ["q1", "q2"]
    assert [one.id for one in read(file, split="test")] == ["q2"]
    assert read(file)[0].messages == frozenset({"7"})


def said(*lines: tuple[int, int, str]) -> list[Message]:
    begun = datetime(2026, 3, 1, tzinfo=UTC)
    return [
        Message(
            id=at,
            ref=Ref("jsonl", f"{at}"),
            channel=1,
            author=author,
            text=text,
            sent_at=begun + timedelta(minutes=at),
            thread=thread,
        )
        for at, (thread, author, text) in enumerate(lines, 1)
    ]


def test_a_history_asks_its_own_questions_once_answerable_and_once_not():
    answer = "The kiln reaches 1280 degrees when its door is properly shut."
    history = said(
        (1, 10, "Which temperature does the stoneware kiln reach with closed door?"),
        (1, 11, answer),
        (1, 10, "thanks"),
        (2, 10, "Good morning everybody."),
        (2, 11, "Good morning to you as well, and a fine day."),
    )
    can, cannot = of_history(history, most=5)
    assert (can.answers, can.hidden) == ({2}, {1})
    assert (cannot.answers, cannot.hidden) == (set(), {1, 2, 3})
    assert can.text == cannot.text == history[0].text


def test_the_threshold_is_the_lowest_with_the_wanted_share():
    best = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    right = np.array([True, True, True, True, True, False, False])
    assert threshold(best, right, 0.9) == 0.5
    assert threshold(best, right, 0.8) == 0.4
    assert threshold(best, ~right, 0.9) == 0.9


def test_what_is_fitted_ranks_what_answers_first_and_is_read_again(tmp_path):
    random = np.random.default_rng(1)

    def seen(*, answerable: bool) -> Seen:
        signs = random.normal(size=(8, len(SIGNS)))
        signs[:, SIGNS.index("wonders")] = 0
        answers = np.zeros(8, dtype=bool)
        if answerable:
            answers[0] = True
            signs[0, 0] += 6
        return Seen(signs=signs, answers=answers, counts=np.ones(8), answerable=answerable, weight=1.0)

    questions = [seen(answerable=at % 2 == 0) for at in range(20)]
    fitted = fit([], questions)
    assert fitted.figures["auroc"] > 0.9
    assert fitted.figures["first passage right"] > 0.9
    file = tmp_path / "answers.json"
    write(fitted, file)
    again = confidence.read(orjson.loads(file.read_bytes()))
    assert again.probabilities(questions[0].signs) == pytest.approx(
        fitted.model.probabilities(questions[0].signs), abs=1e-3
    )
    assert "| auroc |" in file.with_suffix(".md").read_text()


def test_weights_for_other_signs_are_refused():
    document = confidence.shipped().to_json()
    assert confidence.read(document).enough == pytest.approx(confidence.shipped().enough, abs=1e-3)
    with pytest.raises(ValueError, match="other signs"):
        confidence.read({**document, "signs": {"cosine": [1, 0, 1]}})


def test_a_file_that_names_more_than_is_known_is_read():
    document = confidence.shipped().to_json()
    assert confidence.read({**document, "strong": 0.9}).to_json() == document
