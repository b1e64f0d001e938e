"""Texts made to be slow: as long as the longest message that a platform lets through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bot.core.sentences import parts
from brains.knowledge.asking import asks
from brains.knowledge.extract import plain
from brains.knowledge.highlights import highlight

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 40_000
SECONDS = 1.0
"""Of the processor; each took from ten seconds to minutes where the work grew with the square of the length."""


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (parts, "!" * LONGEST + "a"),
        (parts, "我" + "." * LONGEST + "a"),
        (asks, "?" * LONGEST + "a"),
        (asks, "? " * (LONGEST // 2) + "a"),
        (plain, "[" * LONGEST),
        (lambda text: highlight(text, "so far"), "so " * (LONGEST // 3)),
    ],
)
def test_no_text_takes_long_to_read(read: Callable[[str], object], text: str) -> None:
    began = time.process_time()
    read(text)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("sentence", "put"),
    [("really?!", True), ("吗？）", True), ("a? b", False), ("?", True), ("", False), ("so\u2026? \n", True)],
)
def test_a_mark_behind_the_last_word_asks(sentence: str, *, put: bool) -> None:
    assert asks(sentence) is put
