"""Which sentences are quoted of a conversation, and what it is called."""

from __future__ import annotations

import time

import pytest

from brains.evals.rouge import rouge
from brains.evals.textrank import textrank
from brains.rhythm.summary import Spoken, says_something, summarise
from brains.rhythm.titles import title

TALK = [
    "Hello everybody!",
    "The kiln trips the fuse whenever its heating element warms up. Any idea?",
    "lol",
    "```\nthe kiln heating element fuse\n```",
    "The heating element of the kiln is worn, so the fuse trips.",
    "Somebody left a red umbrella near the entrance door yesterday.",
    "The worn heating element of the kiln must be replaced before the fuse holds.",
]
CHINESE = [
    "大家好！",
    "窑炉的加热元件坏了，保险丝总是跳闸，今天没法烧陶。",
    "哈哈",
    "加热元件已经订购，周五更换窑炉的加热元件。",
]


def rare(_term: str) -> float:
    return 1.0


def picked(texts: list[str], most: int = 2, limit: int = 400) -> list[tuple[int, str]]:
    return [
        (one.at, one.text)
        for one in summarise([Spoken(text=text) for text in texts], rarity=rare, most=most, limit=limit)
    ]


def test_what_is_quoted_is_what_most_is_about_and_no_small_talk() -> None:
    found = picked(TALK, 3)
    assert next(at for at, _text in found) == 1
    assert all(text in TALK[at] for at, text in found)
    assert {at for at, _text in found} <= {1, 4, 6}
    assert [at for at, _text in picked(CHINESE)] == [1, 3]


def test_what_is_liked_comes_before_what_is_as_telling() -> None:
    same = ["Pottery classes begin on Monday in the hall.", "Pottery classes begin in the hall on Monday."]
    plain, liked = ([Spoken(text=same[0]), Spoken(text=same[1], liked=hearts)] for hearts in (0, 40))
    chosen = [summarise(one, rarity=rare, most=1, limit=400)[0].at for one in (plain, liked)]
    assert chosen == [0, 1]


def test_a_summary_keeps_to_its_limit_and_one_sentence_is_always_there() -> None:
    long = picked(TALK, 3, 10)
    assert len(long) == 1
    assert sum(len(text) for _at, text in picked(TALK, 3, 130)) <= 130


@pytest.mark.parametrize(
    ("quoted", "called"),
    [
        ("The heating element is worn, and the kiln is cold.", "The heating element is worn"),
        ("窑炉的加热元件坏了，要换一个。", "窑炉的加热元件坏了"),
        ("Is it meant to have black spots? Mine has.", "Is it meant to have black spots?"),
        ("so, and a table of 64 values is enough for it.", "so, and a table of 64 values is enough for it."),
        ("Short.", "Short."),
        ("不小心把密码提交到服务器里了,还没推上去,怎么撤回?", "不小心把密码提交到服务器里了"),
        ("See https://kiln.example/a?b since May, they say.", "See https://kiln.example/a?b since May"),
    ],
)
def test_a_title_is_the_threads_or_the_first_clause_that_says_something(quoted: str, called: str) -> None:
    assert title(quoted) == called
    assert title(quoted, thread=" Kiln  trouble ") == "Kiln trouble"


def test_rouge_is_what_it_is_defined_as() -> None:
    found = rouge("the cat sat", "the cat sat on the mat")
    assert {name: round(value, 4) for name, value in found.items()} == {
        "rouge1": 0.6667,
        "rouge2": 0.5714,
        "rougeL": 0.6667,
    }
    assert rouge("我爱北京", "我爱上海")["rouge1"] == 0.5
    assert set(rouge("", "words").values()) == {0.0}


def test_textrank_prefers_what_resembles_the_others() -> None:
    ranks = textrank(["kiln fuse element", "kiln fuse heat", "kiln element heat", "umbrella"])
    assert ranks.argmin() == 3
    assert abs(float(ranks.sum()) - 1) < 1e-4


def test_a_message_made_to_take_long_is_looked_at_as_fast_as_any() -> None:
    began = time.process_time()
    assert not says_something(f"yes {'a' * 60}.", ["a", "b", "c"]), "a greeting of few words"
    assert says_something(f"yes {'a' * 200} b c d e f g h", ["a", "b", "c"])
    assert time.process_time() - began < 1.0, "every way to cut the long word would take seconds"
