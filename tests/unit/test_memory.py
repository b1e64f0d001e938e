"""What resembles confirmed spam is recognised, and what was called fine is left alone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from bot.core.things import Ref
from brains.moderation.detection import Detection, Post
from brains.moderation.memory import FLAG, REMOVE, SpamMemory, memento
from brains.moderation.remembering import album
from brains.moderation.signature import alike, sign, skeleton, stack, width
from storage.lessons import Lesson
from tests.hashing import HashingEncoder
from tests.words import MONDAY

SPAM = "Earn 500 a day from home, no skills needed! Write to @quickcash_manager now and start this evening."
AGAIN = "Earn 700 a day from home, no skills needed! Write to @quickcash_manager2 now and start this evening!!"
OTHER = "The ferry to the island leaves at nine, bring a coat because it is windy on deck in the morning."
HERE = Ref("wire", "#pier")
WHO = Ref("wire", "anna")


async def vector(text: str) -> np.ndarray:
    return (await HashingEncoder().encode([text]))[0]


async def post(text: str, *, days: float = 0, encoded: bool = True) -> Post:
    at = MONDAY + timedelta(days=days)
    return Post(text=text, author=WHO, channel=HERE, at=at, vector=await vector(text) if encoded else None)


async def remembering(*taught: tuple[str, int], encoded: bool = True) -> SpamMemory:
    return SpamMemory(
        [
            memento(
                text,
                label=label,
                case=f"CASE{number}",
                message=Ref("wire", str(number)),
                vector=await vector(text) if encoded else None,
                matures_at=MONDAY + timedelta(days=1),
            )
            for number, (text, label) in enumerate(taught)
        ]
    )


async def examine(memory: SpamMemory, text: str, **more: float) -> list[Detection]:
    return memory.examine(await post(text, **more), text, str)


async def test_a_copy_is_flagged_at_once_and_removed_only_once_the_lesson_has_matured() -> None:
    memory = await remembering((SPAM, 1))
    [early] = await examine(memory, SPAM)
    [late] = await examine(memory, SPAM, days=2)
    assert (early.severity, late.severity) == ("flag", "remove")
    assert (early.detector, early.kind, early.related) == ("memory", "spam", (Ref("wire", "0"),))
    assert "CASE0" in early.reason
    assert await examine(memory, OTHER, days=2) == []


async def test_what_changed_a_little_is_flagged_with_and_without_a_vector() -> None:
    memory = await remembering((SPAM, 1))
    assert [one.severity for one in await examine(memory, AGAIN)] == ["flag"]
    assert [one.severity for one in await examine(memory, AGAIN, days=2, encoded=False)] == ["flag"]
    unencoded = await remembering((SPAM, 1), encoded=False)
    assert [one.severity for one in await examine(unencoded, AGAIN)] == ["flag"]
    assert await examine(unencoded, OTHER) == []


async def test_a_fine_message_that_is_nearer_silences_the_spam() -> None:
    memory = await remembering((SPAM, 1), (AGAIN, 0))
    assert await examine(memory, AGAIN) == []
    assert [one.severity for one in await examine(memory, SPAM)] == ["flag"]


@pytest.mark.parametrize(("second", "found"), [(1, 1), (0, 0)])
async def test_of_a_text_that_says_little_only_the_very_same_is_flagged(second: int, found: int) -> None:
    memory = await remembering(("cheap pills", 1), ("cheap pills", second))
    assert len(await examine(memory, "CHEAP, pills!", days=9)) == found
    assert await examine(memory, "cheap pill", days=9) == []


async def test_what_anybody_may_write_is_not_remembered() -> None:
    memory = await remembering(("thanks!", 1))
    assert await examine(memory, "thanks!") == []


async def test_an_empty_memory_and_an_empty_text_say_nothing() -> None:
    assert await examine(SpamMemory(), SPAM) == []
    assert await examine(await remembering((SPAM, 1)), "", encoded=False) == []
    assert await examine(await remembering((SPAM, 0)), SPAM) == []


async def test_vectors_of_another_encoder_are_not_compared() -> None:
    memory = await remembering((SPAM, 1))
    strange = Post(text=SPAM, author=WHO, channel=HERE, at=MONDAY, vector=np.ones(5, dtype=np.float32))
    assert [one.severity for one in memory.examine(strange, SPAM, str)] == ["flag"], "the trigrams are enough"


def test_the_share_of_equal_numbers_estimates_the_jaccard_similarity() -> None:
    first, second = (skeleton(text) for text in (SPAM, AGAIN))
    grams = [{one[at : at + 3] for at in range(len(one) - 2)} for one in (first, second)]
    jaccard = len(grams[0] & grams[1]) / len(grams[0] | grams[1])
    [estimated] = alike(stack([sign(first)]), sign(second))
    assert abs(estimated - jaccard) < 0.2
    assert alike(stack([sign(first)]), sign(skeleton(OTHER)))[0] < 0.2
    assert alike(stack([sign(first)]), sign(first))[0] == 1


def test_a_skeleton_is_bounded_and_chinese_counts_double() -> None:
    assert len(skeleton("a " * 1_000_000)) <= 1500
    assert width(skeleton("加我微信!")) == 8
    assert FLAG < REMOVE


def picture(case: str, hash_: str, label: int) -> Lesson:
    """Return what a verdict on a picture teaches."""
    return Lesson(
        id=1,
        case=case,
        message=Ref("wire", case),
        head="picture",
        label=label,
        text="",
        vector=None,
        signature=b"",
        width=0,
        logit=None,
        made_by="",
        picture=hash_,
        by="wire:anna",
        at=MONDAY,
        matures_at=MONDAY,
    )


def test_pictures_are_known_until_one_like_them_is_called_fine() -> None:
    scam, near, other = "ffff0000ffff0000", "ffff0000ffff0003", "0123456789abcdef"
    known = album([picture("A", scam, 1), picture("B", other, 1)])
    assert (found := known.nearest(near)) is not None
    assert (found.hash, found.confirmed, found.message) == (scam, "here", Ref("wire", "A"))
    since = album([picture("A", scam, 1), picture("B", other, 1), picture("C", near, 0)])
    assert (left := since.nearest(near)) is not None
    assert left.hash == other
    assert album([]).nearest(scam) is None
