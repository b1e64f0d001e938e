"""Offers for what somebody said: by the vector that was made when they said it, where there is one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.core.policies import Policy
from bot.core.ports import Vector
from bot.core.things import Rank
from brains.skills import offers
from brains.skills.skill import Context, Faculties
from tests.hashing import HashingEncoder
from tests.unit.test_closed import BREAD, ENGLISH, Town, talking
from tests.words import MONDAY, named, said

RIDER = named("rider0")
STARS = "which telescope shows the rings of saturn, and what of the nebula tonight"


async def context_of(town: Town, vector: Callable[[], Awaitable[Vector | None]]) -> Context:
    async def matchmaker(_language: str) -> object:
        return town.matchmaker

    async def nothing() -> object:
        raise AssertionError("nobody needs it here")

    return Context(
        event=said(BREAD, by=RIDER.name),
        space=named("harbour").ref,
        community=town.community,
        policy=Policy(),
        modes={},
        member=await town.member(RIDER),
        rank=Rank.MEMBER,
        language="en",
        translate=ENGLISH,
        now=MONDAY,
        faculties=Faculties(database=town.database, encoder=nothing, vectors=nothing, matchmaker=matchmaker),
        vector=vector,
        stream=lambda _pieces: "",
    )


async def test_what_was_just_said_is_matched_by_the_vector_it_got(home: Path) -> None:
    inner = HashingEncoder()
    async with talking(home, inner) as town:
        [vector] = await HashingEncoder().encode([BREAD])

        async def there() -> Vector:
            return vector

        context = await context_of(town, there)
        inner.asked.clear()
        first, *_ = await offers.for_text(context, BREAD, 3)
        assert first.channel.name == "baking"
        assert BREAD not in inner.asked
        await offers.for_text(context, STARS, 3)
        assert STARS in inner.asked, "these are not the words of the event"


async def test_without_a_vector_the_text_is_encoded(home: Path) -> None:
    inner = HashingEncoder()
    async with talking(home, inner) as town:

        async def missing() -> None:
            return None

        inner.asked.clear()
        first, *_ = await offers.for_text(await context_of(town, missing), BREAD, 3)
        assert first.channel.name == "baking"
        assert BREAD in inner.asked
