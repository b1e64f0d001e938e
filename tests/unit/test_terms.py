"""What counts as a term, in two languages, and how terms are weighed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brains.matching.terms import Vocabulary, as_written, substance, words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Rye sourdough STARTERS", ["rye", "sourdough", "starter"]),
        ("the bus and the glass", ["bus", "glass"]),
        ("compile C++ with node-gyp", ["compile", "c++", "node-gyp"]),
        ("酸面团", ["酸面", "面团"]),
        ("用 rust 写编译器", ["用", "rust", "写编", "编译", "译器"]),
        ("café naïve Straße", ["café", "naïve", "straße"]),
    ],
)
def test_words_are_lower_cased_singular_and_chinese_comes_in_pairs(text, terms):
    assert words(text) == terms


@pytest.mark.parametrize(
    "chatter",
    [
        "thanks!",
        "ok",
        "+1",
        "lol",
        "hello everyone",
        "https://example.org/rust/book",
        "谢谢！",
        "好的",
        "1234",
        "",
        ":tada:",
    ],
)
def test_chatter_has_no_terms(chatter):
    assert words(chatter) == []


@pytest.mark.parametrize(
    "text",
    [
        "```python\nimport secret\n``` oven",
        "oven https://secret.example/secret",
        "<@!12345> oven",
        "@secret oven",
        "@**secret person** oven",
        "<https://secret.example|oven>\noven",
        "oven :secret_face:",
        "```secret never closed\nsecret".replace("```", "oven ```"),
    ],
)
def test_code_links_and_mentions_are_not_read(text):
    assert words(text) == ["oven"]


def test_the_more_a_message_says_the_more_it_weighs():
    assert substance(words("thanks")) == 0
    assert substance(["oven"]) < substance(["oven", "rye"]) < substance(["oven", "rye", "salt"]) < 1
    assert substance(["oven"] * 9) == substance(["oven"])


def test_rare_terms_weigh_more_than_common_ones():
    documents = [["oven", "rye"], ["oven", "salt"], ["oven", "rye", "salt"], ["oven", "kvass"]]
    vocabulary = Vocabulary.learn(documents, least=2)
    assert vocabulary.terms == ("oven", "rye", "salt")
    row = vocabulary.weigh([["oven", "rye"]]).toarray()[0]
    assert row[1] > row[0] > row[2] == 0
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-6)


def test_a_named_term_is_kept_however_rare_and_unknown_ones_weigh_nothing():
    vocabulary = Vocabulary.learn([["oven"], ["oven"]], always={"kvass"})
    assert vocabulary.terms == ("kvass", "oven")
    assert vocabulary.weigh([["bicycle"], []]).nnz == 0


@given(st.text())
def test_any_text_can_be_read(text):
    assert all(term == term.lower() and term for term in words(text))


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), min_size=1, max_size=8))
def test_rows_have_length_one_or_nothing(documents):
    rows = Vocabulary.learn(documents, least=1).weigh(documents).toarray()
    expected = [1.0 if document else 0.0 for document in documents]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), expected, atol=1e-5)


def test_terms_are_named_as_they_were_written():
    texts = ["I mend clothes, clothes and more CLOTHES.", "Radios! A radio. 面包"]
    assert as_written(["clothe", "radio", "面包", "kelp"], texts) == {
        "clothe": "clothes",
        "radio": "radios",
        "面包": "面包",
        "kelp": "kelp",
    }
