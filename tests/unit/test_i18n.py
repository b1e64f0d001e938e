"""What members read exists in every language, with the same blanks to fill."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.core.i18n import LANGUAGES, LOCALES, translator

ROOT = Path(__file__).parents[2]
FOLDERS = ("bot", "adapters", "brains", "storage")
MARKS = ("_", "translate")
"""What marks a sentence: as one to be translated later, or right where it is said."""


def marked() -> set[str]:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    return set().union(*map(marked_in, files))


def marked_in(file: Path) -> set[str]:
    """Read the syntax tree, which knows what is inside of f-strings too."""
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call) and node.args)
    return {
        call.args[0].value
        for call in calls
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in MARKS and isinstance(call.args[0], ast.Constant)
    }


def blanks(sentence: str) -> list[str]:
    """Return what is filled in, with the way it is written: `{sure:.0%}` is a share in every language."""
    return sorted(re.findall(r"{[^}]+}", sentence))


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_translated_and_nothing_else_is(language: str) -> None:
    with (LOCALES / language / "LC_MESSAGES" / "kinfolk.po").open("rb") as file:
        catalogue = read_po(file)
    said = {message.id: message.string for message in catalogue if message.id}
    assert set(said) == marked()
    for source, words in said.items():
        assert words, source
        assert blanks(source) == blanks(words), source


def test_a_language_speaks_and_english_is_the_source() -> None:
    sentence = "People there talk about {terms}."
    assert translator("zh_CN")(sentence) == "那里常聊：{terms}。"
    assert translator("en")(sentence) == sentence
    assert translator("zh_CN")("not a sentence of ours") == "not a sentence of ours"
