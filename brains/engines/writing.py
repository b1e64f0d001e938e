"""Takes what a generator writes, until it is enough."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.ports import Generator, Turn


async def written(
    generator: Generator, turns: Sequence[Turn], *, most: int, is_enough: Callable[[str], bool] = lambda _text: False
) -> str:
    """Return what follows these turns, `most` tokens at most; nothing more is written once it is enough.

    Raises what the generator raises: Overloaded, Gone, or Misconfigured.
    """
    text = ""
    async with contextlib.aclosing(generator.generate(turns, most=most)) as pieces:
        async for piece in pieces:
            text += piece
            if is_enough(text):
                break
    return text.strip()
