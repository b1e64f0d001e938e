"""One writer from the Markdown that skills write to each platform's dialect.

`write(text, dialect)` writes a text whole, `split(text, dialect, limit)` in pieces that the platform takes. A platform
adds a `Dialect` (`discord.py` is one) and nothing else. What members wrote is put into Markdown with
`bot.core.wording.escape`, and whatever is shown as text is escaped once more for the dialect.
"""

from __future__ import annotations

from adapters.markup.dialect import Dialect
from adapters.markup.discord import DISCORD, discord
from adapters.markup.parsing import read
from adapters.markup.plain import PLAIN
from adapters.markup.rendering import assemble, written
from adapters.markup.slack import SLACK, slack
from adapters.markup.splitting import LEAST, Cutter
from adapters.markup.telegram import TELEGRAM

__all__ = [
    "DISCORD",
    "LEAST",
    "PLAIN",
    "SLACK",
    "TELEGRAM",
    "Dialect",
    "discord",
    "plain",
    "slack",
    "split",
    "write",
]


def write(text: str, dialect: Dialect) -> str:
    """Write Markdown in a dialect, in one piece."""
    return assemble([(line, written(line, dialect)) for line in read(text)], dialect)


def split(text: str, dialect: Dialect, limit: int) -> list[str]:
    """Write Markdown in pieces of at most `limit`, in the platform's unit; none where there is nothing to say.

    Code goes on in the next piece, and so do quotes, lists and styles. `limit` is at least `LEAST`.
    """
    pieces = Cutter(lines=read(text), dialect=dialect, limit=max(limit, LEAST)).pieces()
    return [piece for piece in pieces if piece.strip()]


def plain(text: str) -> str:
    """Return what a text says, without marks."""
    return write(text, PLAIN)
