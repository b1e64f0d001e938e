"""`kinfolk moderate --picture`: has the worker look at a file, as at one that came with a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli.output import note
from bot.core.errors import Mistake
from brains.engines.pictures import MOST_BYTES, reads

if TYPE_CHECKING:
    from pathlib import Path

    from bot.app import App
    from bot.core.ports import Picture


def bytes_of(path: Path) -> bytes:
    """Read a picture, and of one that is too large no more than says so. Raises Mistake."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None


async def look(app: App, path: Path, data: bytes) -> Picture:
    """Look at the bytes of a file; a note says so where nobody reads it. Raises Mistake for what is no picture."""
    try:
        seen = await (await app.pictures()).look(data)
    except Mistake as error:
        raise Mistake(f"{path}: {error}") from None
    if not reads():
        note("Nobody reads pictures here: install rapidocr (pip install 'kinfolk[local]').")
    elif not seen.read:
        note("It could not be read; the worker's log in KINFOLK_HOME says why.")
    return seen
