"""All platforms in one process: one dies, hangs or floods, and the others do not notice. Linked, they are one."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.core.ports import Scope
from bot.core.things import Ref
from tests.platforms.line import Line, line_to
from tests.story.any_town import AnyTown, living_on
from tests.story.discord_town import WICK
from tests.story.stages import STAGES

pytestmark = pytest.mark.slow

TOGETHER = [name for name in STAGES if name != "wire"]
"""The platforms of others, which a setting points elsewhere."""
SOON = 5.0
"""Seconds in which an answer is there, however loaded this machine is; a platform that hangs takes far longer."""
BACK = 60.0
"""Seconds in which a platform that was away answers again."""
FLOOD = 150
CODE = re.compile(r"\b[A-Z2-9]{8}\b")


@dataclass(frozen=True, kw_only=True)
class Street:
    """The towns, and the line to each."""

    towns: Mapping[str, AnyTown]
    lines: Mapping[str, Line]

    def others(self, name: str) -> list[AnyTown]:
        return [town for other, town in self.towns.items() if other != name]


@pytest.fixture
async def street(home: Path, ending: None) -> AsyncIterator[Street]:
    async with contextlib.AsyncExitStack() as stack:
        stages, lines = [], {}
        for name in TOGETHER:
            stage = await stack.enter_async_context(STAGES[name]())
            address = urlsplit(next(value for value in stage.settings.values() if "://" in value))
            line = lines[name] = await stack.enter_async_context(line_to(address.geturl()))
            stage.found_at(line.address)
            told = {key: value.replace(address.netloc, line.address) for key, value in stage.settings.items()}
            stages.append(replace(stage, settings=told))
        towns = await stack.enter_async_context(living_on(stages, home))
        for town in towns:
            await town.talks()
        yield Street(towns=dict(zip(TOGETHER, towns, strict=True)), lines=lines)
        for line in lines.values():
            line.mend()


async def answered(town: AnyTown, within: float) -> float:
    """Ask a question in words; return the seconds until its answer is seen, and fail when it takes too long."""
    on, began = town.on, time.monotonic()
    asked = await on.post(on.member, on.public, on.to_bot(f"who else has {WICK}?"))
    async with asyncio.timeout(within):
        while not any(one.reply_to == asked for one in await on.sees(on.owner, on.public)):  # noqa: ASYNC110 - nothing tells when a client shows it
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def back(town: AnyTown) -> None:
    """Ask until somebody answers: what was asked before it was back is read, and not answered late."""
    async with asyncio.timeout(BACK):
        while True:
            with contextlib.suppress(TimeoutError):
                await answered(town, SOON)
                return


@pytest.mark.parametrize("trouble", ["cut", "hush"])
async def test_one_that_dies_or_hangs_is_not_noticed_by_the_others_and_comes_back(street: Street, trouble: str) -> None:
    for name, town in street.towns.items():
        getattr(street.lines[name], trouble)()
        lost = await town.on.post(town.on.member, town.on.public, "said into the silence")
        for other in street.others(name):
            await answered(other, SOON)
        street.lines[name].mend()
        await back(town)
        assert str(lost) in await town.stored(), "what was said meanwhile is there as well"


async def test_one_that_floods_is_not_noticed_by_the_others_and_nothing_of_it_is_lost(street: Street) -> None:
    for name, town in street.towns.items():
        posted = [await town.on.post(town.on.member, town.on.public, f"{name} {number}") for number in range(FLOOD)]
        for other in street.others(name):
            await answered(other, SOON)
        await answered(town, BACK)
        await town.settled()
        stored = await town.stored()
        assert [stored.get(str(one)) for one in posted] == [f"{name} {number}" for number in range(FLOOD)]


async def link(first: AnyTown, by: Ref, second: AnyTown, other: Ref, command: str) -> None:
    """Link two sides by a code: both say yes, each on their own platform, alone with the bot."""
    here, there = await first.stage.direct(by), await second.stage.direct(other)
    code = CODE.search(await told(first, by, here, command))
    assert code is not None
    await told(second, other, there, f"{command} {code[0]}")
    await told(second, other, there, f"{command} {code[0]} yes")
    await told(first, by, here, f"{command} {code[0]} yes")


async def told(town: AnyTown, who: Ref, where: Ref, words: str) -> str:
    """Return what somebody is told who writes a command to the bot alone."""
    return "\n".join(one.text for one in await town.told(who, town.says(who, where, words)))


async def test_three_platforms_become_one_community_and_accounts_on_all_of_them_one_person(street: Street) -> None:
    first, *others = street.towns.values()
    mine = await first.community()
    for town in others:
        await link(first, first.on.owner, town, town.on.owner, "setup link")
        assert await town.community() == mine
        await link(first, first.on.member, town, town.on.member, "privacy link")
    await first.indexed()
    members = [await town.member(town.on.member) for town in street.towns.values()]
    assert len({one.person for one in members}) == 1
    count = await (await first.app.vectors()).count(Scope(community=mine.id))
    assert count == len(await first.stored()), "each message is there once, for the one community"
    for town in street.towns.values():
        assert await answered(town, SOON)
    last = others[-1]
    await first.says(first.on.member, first.on.public, "saffron on the one")
    await last.says(last.on.member, last.on.public, "saffron on the other")
    done = await told(last, last.on.member, await last.stage.direct(last.on.member), "privacy forget yes")
    assert "0 left" in done or "0 条" in done or "剩余 0" in done, done
    assert not any("saffron" in text for text in (await first.stored()).values())
    await first.says(first.on.member, first.on.public, "saffron once more")
    assert not any("saffron" in text for text in (await first.stored()).values()), "one forget is one refusal"
