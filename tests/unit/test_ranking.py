"""How passages are compared with a question, grouped into conversations, and told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.things import Ref
from brains.knowledge import duplicates
from brains.knowledge.candidates import Ranked
from brains.knowledge.centring import centre, everyday, script
from brains.knowledge.gathering import Group, answered, grouped, joined, merged, near
from brains.knowledge.ranking import WORDS, WORDS_ACROSS, Asked, Candidate, of_conversation, relevance
from brains.knowledge.signals import ANSWERED, OPINION, REACTED, RECENT, Signals, bonus
from storage.surroundings import Placed
from tests.hashing import HashingEncoder

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def asked(text: str = "where is the kiln", **more: np.ndarray) -> Asked:
    return Asked(text=text, vector=unit(1, 0, 0), **more)


def test_a_long_text_is_known_by_its_best_sentence_too():
    vague, telling = unit(1, 1, 0), unit(1, 0.1, 0)
    alike = Candidate(text="the kiln and all else", cosine=float(vague[0]))
    closer = Candidate(text="the kiln and all else", cosine=float(vague[0]), parts=np.stack([unit(0, 1, 0), telling]))

    first, second = relevance(asked(), [alike, closer])

    assert second == pytest.approx((vague[0] + telling[0]) / 2)
    assert first == pytest.approx(vague[0])


def test_words_tell_near_ties_apart_and_less_so_across_scripts():
    texts = ["kiln A", "kiln B", "窑在哪里"]
    found = relevance(
        asked(), [Candidate(text=text, cosine=0.8, bm25=score) for text, score in zip(texts, (4, 2, 4), strict=True)]
    )

    assert found - 0.8 == pytest.approx([WORDS, WORDS / 2, WORDS_ACROSS])


def test_a_text_that_only_words_found_is_compared_by_its_kept_vector_and_else_is_as_far_as_the_farthest():
    kept = Candidate(text="one", bm25=1.0, whole=unit(1, 1, 0))
    unknown = Candidate(text="two", bm25=1.0)
    near_one = Candidate(text="three", cosine=0.9)

    scores = relevance(asked(), [kept, unknown, near_one])

    assert scores[0] == pytest.approx(unit(1, 1, 0)[0] + WORDS)
    assert scores[1] == pytest.approx(scores[0])
    assert scores[2] == pytest.approx(0.9)


def test_across_languages_what_is_near_every_question_falls_behind_what_is_near_this_one():
    mean = unit(0.5, 1, 0)
    hub, answer = unit(0.8, 1, 0.2), unit(0.75, 0.1, 0.9)
    both = [Candidate(text="an English text", cosine=float(one[0]), whole=one) for one in (hub, answer)]

    plain = relevance(asked("窑在哪里"), both)
    centred = relevance(asked("窑在哪里", centre=mean), both)
    same_script = relevance(asked(centre=mean), both)

    assert centred[1] - centred[0] > plain[1] - plain[0] + 0.1
    assert same_script == pytest.approx(plain)
    assert centred.mean() == pytest.approx(plain.mean(), abs=1e-6)


async def test_the_mean_question_is_made_once_for_a_script_and_there_is_none_for_others():
    encoder = HashingEncoder()

    first, again = await centre(encoder, "han"), await centre(encoder, "han")

    assert first is not None
    assert first is again
    assert first.shape == (encoder.size,)
    assert await centre(encoder, "cyrillic") is None


def test_everyday_questions_are_of_two_scripts():
    assert {name: len(lines) for name, lines in everyday().items()} == {"latin": 48, "han": 48}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where is it", "latin"),
        ("WASI 线程怎么用", "han"),
        ("где печь", "cyrillic"),
        ("Wasmtime: 好", "latin"),
    ],
)
def test_a_text_is_of_the_script_of_most_of_it(text: str, expected: str):
    assert script(text) == expected


def test_further_passages_of_a_conversation_add_a_little():
    assert of_conversation([0.8], 0.5) == 0.8
    assert 0.8 < of_conversation([0.7, 0.8], 0.5) < 0.85
    assert of_conversation([0.8, 0.4], 0.5) == 0.8


def test_what_the_community_made_of_it_is_mild_and_bounded():
    old = timedelta(days=3650)
    none = bonus(Signals(age=old))

    assert bonus(Signals(age=timedelta(0))) - none == pytest.approx(RECENT, abs=1e-4)
    assert bonus(Signals(age=old, answered=True)) - none == pytest.approx(ANSWERED)
    assert bonus(Signals(age=old, reactions=500)) - none == pytest.approx(REACTED)
    assert bonus(Signals(age=old, opinion=1)) > none > bonus(Signals(age=old, opinion=-1))
    assert bonus(Signals(age=old, opinion=-10_000)) >= none - OPINION


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("The kiln opens at nine on Monday!", "the kiln opens at nine on monday https://kiln.example/a", True),
        ("The kiln opens at nine on Monday", "The kiln opens at ten on Friday", False),
        ("窑星期一早上九点开门", "窑星期一早上九点开门！", True),
        ("窑星期一早上九点开门", "木工坊星期五晚上关门", False),
        ("yes", "Yes", True),
        ("yes", "no", False),
        ("https://kiln.example/a", "https://kiln.example/b", False),
    ],
)
def test_a_text_posted_again_says_the_same(one: str, other: str, same: bool):  # noqa: FBT001 a parameter
    assert len(duplicates.groups([one, other])) == (1 if same else 2)


def placed(number: int, *, author: int = 1, text: str = "", **more) -> Placed:
    return Placed(
        **{
            "number": number,
            "ref": Ref("t", str(number)),
            "channel": 1,
            "author": author,
            "thread": None,
            "conversation": None,
            "reply_to": None,
            "at": NOW + timedelta(minutes=number),
            "text": text,
        }
        | more
    )


def numbers(groups: list[Group]) -> list[list[int]]:
    return [[one.placed.number for one in group.found] for group in groups]


def test_hits_are_grouped_by_conversation_thread_and_reply():
    said = [
        placed(1, conversation=1),
        placed(2, thread=7),
        placed(3, reply_to=Ref("t", "9")),
        placed(4, conversation=1, thread=7),
        placed(5, thread=7),
        placed(9),
        placed(6, thread=7, at=NOW + timedelta(days=200)),
        placed(8, reply_to=Ref("t", "9")),
    ]

    assert numbers(grouped([Ranked(placed=one, score=1.0) for one in said])) == [[1, 4], [2, 5], [3, 9, 8], [6]]


def test_hits_that_only_their_surroundings_join_become_one():
    first, second = (
        Group(found=[Ranked(placed=placed(1), score=0.9)]),
        Group(found=[Ranked(placed=placed(3), score=0.8)]),
    )
    first.around = [placed(1), placed(2), placed(3)]

    assert numbers(joined([first, second])) == [[1, 3]]


def test_a_conversation_is_shown_around_its_best_message_and_is_answered_by_somebody_else():
    around = [placed(number, author=1 + number % 2) for number in range(100)]
    group = Group(found=[Ranked(placed=around[50], score=1), Ranked(placed=around[3], score=0.9)], around=around)

    assert [one.number for one in near(group)] == [3, *range(46, 59)]
    assert answered(around)
    assert not answered([around[0], around[2]])


def test_the_same_post_elsewhere_is_told_beside_the_best():
    texts = ["the kiln opens at nine", "bread at noon", "The kiln opens at nine!"]
    groups = [Group(found=[Ranked(placed=placed(at, text=text), score=1 - at / 10)]) for at, text in enumerate(texts)]

    kept = merged(groups)

    assert numbers(kept) == [[0], [1]]
    assert [one.placed.number for one in kept[0].also] == [2]
