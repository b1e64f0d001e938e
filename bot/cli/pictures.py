"""`kinfolk moderate --picture`: what is seen in a picture, for whoever wants to know why a message was judged so."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bot.cli.output import emit, note, out, run
from brains.engines.pictures import MOST_BYTES, reads

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.ports import Picture
    from bot.core.settings import Settings


def show(picture: Path, *, as_json: bool) -> None:
    """Print what is seen in a picture: its size, its hashes, and what stands written in it."""
    with picture.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    seen = run(lambda settings: look(settings, picture, data))
    if as_json:
        emit(asdict(seen) | {"text": seen.text})
    else:
        _show(seen)


async def look(settings: Settings, path: Path, data: bytes) -> Picture:
    """Have the worker look at a file. Raises Mistake for what is no picture."""
    from bot.core.errors import Mistake
    from bot.core.settings import prepare_home
    from brains.engines import open_pictures

    prepare_home(settings.home)
    async with open_pictures(settings) as pictures:
        try:
            return await pictures.look(data)
        except Mistake as error:
            raise Mistake(f"{path}: {error}") from None


def _show(seen: Picture) -> None:
    out.print(f"{seen.width} x {seen.height} pixels, hashes: {', '.join(seen.hashes) or 'none'}", markup=False)
    for line in seen.lines:
        out.print(f"{line.confidence:5.0%}  {line.text}", markup=False)
    if not reads():
        note("Nobody reads pictures here: install rapidocr (pip install 'kinfolk[local]').")
    elif not seen.read:
        note("It could not be read; the worker's log in KINFOLK_HOME says why.")
