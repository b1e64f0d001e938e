"""What members read exists in every language, with the same blanks to fill."""

from __future__ import annotations

import re

import pytest

from bot.core.i18n import is_chinese, translator, written
from tests.sentences import TRANSLATED, brought_together, catalogue, marked, translated


def blanks(sentence: str) -> list[str]:
    """Return what is filled in, with the way it is written: `{sure:.0%}` is a share in every language."""
    return sorted(re.findall(r"{[^}]+}", sentence))


def listed(title: str, sentences: set[str]) -> str:
    return "\n  ".join([title, *sorted(sentences)]) if sentences else ""


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_nothing_else_is(language: str) -> None:
    said, wanted = translated(catalogue(language).read_text()), marked()
    found = [
        listed("no entry yet (`make words` makes one):", wanted - said.keys()),
        listed("said nowhere any more (`make words` drops them):", said.keys() - wanted),
        listed("an entry without words, which you write:", {one for one, words in said.items() if not words}),
        listed("other blanks than the sentence:", {one for one, words in said.items() if blanks(one) != blanks(words)}),
    ]
    if wrong := "\n".join(filter(None, found)):
        pytest.fail(f"{language}, bot/locales/{language}/LC_MESSAGES/kinfolk.po\n{wrong}", pytrace=False)


def test_make_words_adds_what_is_new_drops_what_is_gone_and_sorts() -> None:
    head = 'msgid ""\nmsgstr ""\n"Language: zh_CN\\n"'
    entries = ['msgid "b {x}"\nmsgstr "乙 {x}"', 'msgid "gone"\nmsgstr "旧"', 'msgid "A \\"q\\"\\n"\nmsgstr "甲\\n"']
    text = brought_together("\n\n".join([head, *entries]) + "\n", {"b {x}", 'A "q"\n', "new"})
    assert translated(text) == {'A "q"\n': "甲\n", "b {x}": "乙 {x}", "new": ""}
    assert list(translated(text)) == ['A "q"\n', "b {x}", "new"]
    assert text.startswith(head)
    assert brought_together(text, set(translated(text))) == text, "twice changes nothing more"


def test_a_language_speaks_and_english_is_the_source() -> None:
    sentence = "People there talk about {terms}."
    assert translator("zh_CN")(sentence) == "那里常聊：{terms}。"
    assert translator("en")(sentence) == sentence
    assert translator("zh_CN")("not a sentence of ours") == "not a sentence of ours"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("where do people sail?", ""),
        ("où parle-t-on de voile ?", ""),
        ("哪里聊帆船？", "zh_CN"),
        ("用 asyncio 写机器人", "zh_CN"),
        ("see the 中文 manual before you ask anything at all", ""),
        ("", ""),
        ("42 ???", ""),
        ("。。。", ""),
        ("帆船をやりたいですね、どこでやれますかしら", ""),
    ],
)
def test_a_text_is_chinese_by_a_third_of_its_letters(text: str, language: str) -> None:
    assert is_chinese(text) is bool(language)
    assert written([text, ""]) == language
