"""The pulse of a place, on every platform and in both languages: three sentences and a picture, for the staff alone."""

from __future__ import annotations

import contextlib

import pytest

from bot.core.i18n import catalogue
from bot.core.wording import unmarked
from bot.policy import FILES
from tests.contract.platform import Refused
from tests.story.any_town import AnyTown, wants

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"
MOOD = "I cannot tell the mood: I learned it with another encoder than the one in use."
"""What the second sentence is in a story, whose encoder counts words."""


async def test_staff_ask_for_the_pulse_and_see_it(town: AnyTown) -> None:
    on, chinese = town.on, await catalogue("zh_CN")
    await town.talks()
    await wants(town, language="zh_CN")
    moods = (MOOD, chinese(MOOD))  # the community's language, or their own where the platform tells it
    told = await town.told(on.owner, town.commands(on.owner, on.private, "/pulse days:7"))
    assert any(mood in unmarked(one.text) for one in told for mood in moods), [one.text for one in told]
    if FILES in on.adapter.can:
        files = {name: data[:8] for one in told for name, data in one.files.items()}
        assert files == {"pulse.png": PNG}
    else:
        assert any("pulse --png" in one.text for one in told)
    refused = await town.told(on.member, _refused(town))
    assert not any(mood in unmarked(one.text) or one.files for one in refused for mood in moods)


async def _refused(town: AnyTown) -> None:
    """Ask as a member; some platforms do not even show them the command."""
    with contextlib.suppress(Refused):
        await town.commands(town.on.member, town.on.public, "/pulse")
