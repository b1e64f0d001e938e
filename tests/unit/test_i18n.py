"""What members read exists in every language, with the same blanks to fill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot.core.i18n import LANGUAGES, LOCALES, translator

ROOT = Path(__file__).parents[2]


def marked() -> set[str]:
    folders = ("bot", "adapters", "brains")
    found = (extract_from_dir(ROOT / folder, [("**.py", "python")]) for folder in folders)
    return {message for messages in found for _, _, message, _, _ in messages}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_translated_and_nothing_else_is(language: str) -> None:
    with (LOCALES / language / "LC_MESSAGES" / "kinfolk.po").open("rb") as file:
        catalogue = read_po(file)
    said = {message.id: message.string for message in catalogue if message.id}
    assert set(said) == marked()
    for source, words in said.items():
        assert sorted(re.findall(r"{\w+}", source)) == sorted(re.findall(r"{\w+}", words)), source


def test_a_language_speaks_and_english_is_the_source() -> None:
    sentence = "People there talk about {terms}."
    assert translator("zh_CN")(sentence) == "那里常聊：{terms}。"
    assert translator("en")(sentence) == sentence
    assert translator("zh_CN")("not a sentence of ours") == "not a sentence of ours"
