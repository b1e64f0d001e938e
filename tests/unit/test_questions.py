"""What counts as a question, which one is about belonging, and which leans on the one before."""

import pytest

from brains.knowledge.asking import condense, is_question, seeks_place
from brains.knowledge.terms import asked, coverage, stem, terms


@pytest.mark.parametrize(
    "text",
    [
        "How do I splice a wet rope?",
        "does anyone know when the hall opens",
        "I was wondering whether the kiln takes stoneware",
        "The lathe makes a noise. What could it be?",
        "what is the fee for guests",
        "怎么预约车间",
        "请问窑炉可以烧瓷器",
        "周六开门吗？",
        "where is the key kept",
    ],
)
def test_asks(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "?!",
        "The hall opens at nine.",
        "When I was young I sailed.",
        "What we did was simple.",
        "I know how to splice a rope.",
        "How are you?",
        "what's up",
        "今天天气不错",
        "不管怎么说我都去",
        "在吗？",
        "really?",
    ],
)
def test_does_not_ask(text):
    assert not is_question(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Which channel is for sailing?", True),
        ("where do I find people who carve spoons?", True),
        ("Anyone else into pottery?", True),
        ("哪个频道可以聊航海？", True),
        ("有没有人喜欢木工？", True),
        ("Where is the key to the workshop?", False),
        ("Which glue holds wet wood?", False),
        ("窑炉的温度是多少？", False),
        ("Which room is film night in now?", False),
        ("Which room is right for questions about glaze?", True),
        ("Who else asked about the kiln?", False),
        ("who else paints boats?", True),
    ],
)
def test_tells_belonging_from_a_matter(text, expected):
    assert seeks_place(text) == expected


def test_a_question_that_leans_is_joined_to_the_one_before():
    before = ["Which glue holds wet wood?", "How do I fire stoneware?"]
    assert condense("And porcelain?", before) == "How do I fire stoneware? And porcelain?"
    assert condense("那瓷器呢？", ["怎么烧陶器？"]) == "怎么烧陶器？ 那瓷器呢？"
    alone = "How long does epoxy take to cure in cold weather?"
    assert condense(alone, before) == alone
    assert condense("And porcelain?", []) == "And porcelain?"


def test_terms_are_stems_and_pairs_without_small_words():
    assert terms("How do I limit the memory?") == terms("limiting memories")
    assert terms("内存限制") == ["内存", "存限", "限制"]
    assert stem("limits") == stem("limited") == stem("limiting") == "limit"
    assert {"wit", "bindgen"} <= set(terms("see https://example.org/nothing about wit-bindgen"))
    assert "nothing" not in terms("see https://example.org/nothing about wit-bindgen")
    assert asked("How can I use the ResourceLimiter of the store?") == ["ResourceLimiter", "store"]


def test_coverage_weighs_what_is_rare():
    weights = {stem("stoneware"): 9.0, stem("fire"): 1.0}
    assert coverage(weights, ["We fire on Sundays."]) == pytest.approx(0.1)
    assert coverage(weights, ["We fire on Sundays.", "Stoneware too."]) == pytest.approx(1.0)
    assert coverage({}, ["anything"]) == 0
