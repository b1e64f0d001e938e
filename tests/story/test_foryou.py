"""What somebody missed, on every platform: named once, with its reason; more or less of it is kept."""

from __future__ import annotations

import re

import pytest

from bot.core.wording import unmarked
from tests.contract.platform import BUTTONS, Seen
from tests.story.any_town import AnyTown
from tests.story.town import Town

pytestmark = pytest.mark.slow

HEAD = {"en": "You may have missed this since", "zh_CN": "你可能错过了这些"}
NOTHING = {"en": "You missed nothing", "zh_CN": "你没有错过"}
LESS = {"en": "Less of this", "zh_CN": "少来一些"}
NOTED = {"en": "Noted: less of this.", "zh_CN": "记住了：少来一些。"}
ALIVE = {"en": "I know none of your words yet", "zh_CN": "我还不了解你说过的话"}
HOME = (
    "the wax drips on the wick of my lantern at home, trim it",
    "bamboo for the lantern frames, and cotton for the wick",
    "my lantern of paper and bamboo burns brighter with wax",
)


def words(told: list[Seen]) -> str:
    return unmarked("\n".join(one.text for one in told)).replace("\u200b", "")


def titles(answer: str) -> list[str]:
    return re.findall(r"^\*\*\[(.+)\]\(kinfolk:message", answer, re.MULTILINE)


async def test_what_was_missed_is_named_once_with_its_reason(town: AnyTown) -> None:
    await town.talks()
    on = town.on
    for line in HOME:
        await town.says(on.owner, on.public, line)
    await town.indexed()
    told = await town.told(on.owner, town.commands(on.owner, on.public, "/foryou"))
    assert HEAD["en"] in words(told), words(told)
    assert town.stage.marks in words(told)
    assert "You wrote about" in words(told)
    if BUTTONS not in on.lacks:
        [shown] = [one for one in told if LESS["en"] in one.buttons]
        assert NOTED["en"] in words(await town.told(on.owner, town.press(on.owner, shown.message, LESS["en"])))
    assert NOTHING["en"] in await town.answer(on.owner, on.public, "/foryou")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
async def test_in_their_language_and_to_a_newcomer_what_is_most_alive(harbour: Town, language: str) -> None:
    newcomer = await harbour.arrives("Mo", language)
    for who, text in (
        ("priya", "my sourdough starter doubles in four hours"),
        ("marta", "with rye flour? mine sleeps"),
    ):
        await harbour.says(who, "bread-and-ferments", text)
    await harbour.indexed()
    answer = await harbour.command(newcomer, "general", "/foryou")
    assert ALIVE[language] in answer
    assert "staff-room" not in answer
    assert "sourdough" in answer
    assert await harbour.press(newcomer, f"1: {LESS[language]}") == NOTED[language]
    again = await harbour.command(newcomer, "general", "/foryou")
    assert not set(titles(again)) & set(titles(answer)), "each is shown once"
