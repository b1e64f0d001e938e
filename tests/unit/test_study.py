"""What is learned from travels to a process of its own and back, and nothing changes on the way."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load

from bot.core.errors import Unavailable
from brains.matching.behaviour import Behaviour, Moments, Stated, Ties
from brains.matching.study import Study
from brains.matching.studying import study_apart
from tests.unit.small_town import BAKING, CARDS, NOW, corpus, town, vectors

ONE = np.array([1])
AT = np.array([5.0])
BEHAVIOUR = Behaviour(
    refusals=Moments(members=ONE, channels=np.array([BAKING]), times=AT),
    replies=Ties(members=ONE, others=ONE + 1, channels=np.array([BAKING]), times=AT),
    stated=Stated(members=ONE, texts=["面包\nbread\x00"], vectors=vectors(["bread"]), times=AT),
)
WHOLE = Study(corpus=town(), cards=CARDS, encoder="h", now=NOW, behaviour=BEHAVIOUR)


def handed_over(study: Study) -> Study:
    file = io.BytesIO()
    study.write(file)
    file.seek(0)
    return Study.read(file)


def test_a_study_comes_back_as_it_was_written() -> None:
    texts = ["", "two\nlines", "铁路 🚲", "half a pair \ud83d"]
    told = replace(corpus([(BAKING, 1, "some words") for _ in texts]), texts=texts)
    cards = [replace(CARDS[0], vector=told.vectors[0]), CARDS[1], replace(CARDS[2], titled=told.vectors[1])]
    back = handed_over(replace(WHOLE, corpus=told, cards=cards, talk=told.vectors[2], rehearsed=False))
    assert (back.encoder, back.now, back.rehearsed, back.before) == ("h", NOW, False, None)
    assert list(back.corpus.texts) == texts
    for name in ("ids", "vectors", "channels", "authors", "times"):
        np.testing.assert_array_equal(getattr(back.corpus, name), getattr(told, name))
    assert [(card.id, card.text, card.vector is None, card.titled is None) for card in back.cards] == [
        (card.id, card.text, card.vector is None, card.titled is None) for card in cards
    ]
    np.testing.assert_array_equal(back.talk, told.vectors[2])
    assert back.behaviour.replies.others.tolist() == [2]
    assert back.behaviour.refusals.channels.tolist() == [BAKING]
    assert (list(back.behaviour.stated.texts), len(back.behaviour.joins)) == (["面包\nbread\x00"], 0)


def test_a_community_without_a_word_can_be_handed_over() -> None:
    back = handed_over(replace(WHOLE, corpus=corpus([]), behaviour=Behaviour.none()))
    assert (len(back.corpus), list(back.corpus.texts)) == (0, [])
    assert len(back.profiles().channels) == len(CARDS)


async def test_what_is_not_rehearsed_weighs_as_before_and_says_so() -> None:
    whole, _ = await study_apart(WHOLE)
    before = replace(whole.ranker, weights=whole.ranker.weights + 1)
    hasty = handed_over(replace(WHOLE, rehearsed=False, before=before)).profiles()
    assert (whole.rehearsed, hasty.rehearsed) == (True, False)
    np.testing.assert_array_equal(hasty.ranker.weights, before.weights)
    assert hasty.ranker.exam == before.exam
    np.testing.assert_array_equal(hasty.topics.centroids, whole.topics.centroids)


@pytest.mark.slow
async def test_a_process_learns_the_same_while_the_loop_goes_on() -> None:
    turns = 0

    async def go_on() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    going = asyncio.create_task(go_on())
    _, apart = await study_apart(WHOLE, much=0)
    going.cancel()
    assert turns >= 20, "starting the process alone takes longer"
    _, beside = await study_apart(WHOLE)
    apart, beside = load(apart), load(beside)
    assert apart.keys() == beside.keys()
    for name, array in beside.items():
        np.testing.assert_allclose(apart[name], array, rtol=1e-4, atol=1e-6, err_msg=name)


async def test_a_process_that_dies_says_that_it_is_tried_again() -> None:
    with pytest.raises(Unavailable, match="was cut off"):
        await study_apart(WHOLE, much=0, command=("/bin/sh", "-c", "kill -9 $$"))
