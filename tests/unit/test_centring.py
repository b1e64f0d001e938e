"""The mean of everyday questions is made once, however many ask at the start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

from brains.knowledge.centring import centre, everyday
from tests.hashing import HashingEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Kind, Vector


QUESTIONS = everyday()


class Slow(HashingEncoder):
    """Lets others ask before it answers, and counts what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0
        self.fingerprint = f"slow {uuid4()}"

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        self.encoded += len(texts)
        await asyncio.sleep(0)
        return await super().encode(texts, kind=kind)


async def test_ten_askers_at_once_have_everyday_questions_encoded_once() -> None:
    encoder = Slow()
    found = await asyncio.gather(*(centre(encoder, "latin") for _asker in range(10)))
    assert encoder.encoded == len(QUESTIONS["latin"]) > 0
    assert all(one is found[0] for one in found)


async def test_one_who_gives_up_leaves_it_to_the_others() -> None:
    encoder = Slow()
    first, second = (asyncio.ensure_future(centre(encoder, "han")) for _asker in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
    assert encoder.encoded == len(QUESTIONS["han"])
