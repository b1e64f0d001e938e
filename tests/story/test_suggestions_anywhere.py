"""Suggestions once a week on any platform: asked for where somebody is, sent in private, led by a button, and ended."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bot.core.events import Arrival, Named, TimerFired
from storage.tables import Instant
from tests.contract.platform import BUTTONS, COMMANDS, JOINING
from tests.story.any_town import AnyTown, needs
from tests.story.discord_town import WICK

pytestmark = pytest.mark.slow

WANTED = "I write to you which channels may fit you"
ENDED = "I send you no suggestions"


async def hour_comes(town: AnyTown) -> None:
    """Let the hour of everybody who wants something have come, and the sweep with it."""
    now = town.app.clock.now()
    then = str(Instant().process_bind_param(now, None))
    moved = text("UPDATE subscription SET next_at = :at WHERE wanted")
    await town.app.database.write(lambda connection: connection.execute(moved, {"at": then}))
    fired = TimerFired(schedule="suggestions.personal", planned=now, at=now)
    await town.living.inbox.put(Arrival(space=Named(ref=town.on.space, name=""), event=fired))
    await town.settled()


async def test_who_wants_it_is_written_to_in_private_and_may_end_it(town: AnyTown) -> None:
    needs(town, BUTTONS, "OpenDirect")
    on = town.on
    await town.talks()
    newcomer = await on.arrive("Ida", "en")
    await town.settled()
    if JOINING not in on.lacks:
        await on.join(newcomer, on.public)
    for words in (WICK, f"{WICK} again"):
        await town.says(newcomer, on.public, words)
    await town.indexed()
    direct = await town.stage.direct(newcomer)
    where = direct if COMMANDS in on.lacks else on.public
    assert WANTED in "\n".join(
        one.text for one in await town.told(newcomer, town.commands(newcomer, where, "/match weekly"))
    )
    before = {one.message for one in await on.sees(newcomer, direct)}
    await hour_comes(town)
    [letter] = [one for one in await on.sees(newcomer, direct) if one.message not in before]
    assert town.stage.marks in letter.text
    assert any(label.startswith("Join #") for label in letter.buttons)
    await hour_comes(town)
    assert len([one for one in await on.sees(newcomer, direct) if one.message not in before]) == 1
    ended = await town.told(newcomer, town.press(newcomer, letter.message, "Stop"))
    assert ENDED in "\n".join(one.text for one in ended)
