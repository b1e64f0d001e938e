"""Has a file read by a confined process of its own: a broken or hostile one harms nothing but itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import TYPE_CHECKING

import orjson

from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.engines.confinement import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

MOST_BYTES = 20 << 20
"""Bytes of a file; a guess at more than any handbook has."""
PATIENCE = 60.0
"""Seconds for a file; a guess."""
COMMAND = (sys.executable, "-P", "-m", "brains.knowledge.documents.process")
LARGER = _("This file is larger than the {most} MB that I read.")
TOO_LONG = _("This file takes longer than the {seconds} s that I give it.")
BREAKS = _("This file breaks what reads it. It may be damaged.")


async def read(
    name: str, data: bytes, *, patience: float = PATIENCE, command: Sequence[str] = COMMAND
) -> list[tuple[str, str]]:
    """Return the pieces of a file: the headings above each, and its text. Raises Mistake that says what is wrong."""
    if len(data) > MOST_BYTES:
        raise Mistake(LARGER, most=MOST_BYTES >> 20)
    told = await _ask(name, data, patience, command)
    match told:
        case {"pieces": list(pieces)}:
            return [(str(heading), str(text)) for heading, text in pieces]
        case {"refused": str(why), "values": dict(values)}:
            raise Mistake(why, **values)
    raise Mistake(BREAKS)


async def _ask(name: str, data: bytes, patience: float, command: Sequence[str]) -> object:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, name, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=environment()
    )
    try:
        async with asyncio.timeout(patience):
            out, _nothing = await process.communicate(data)
    except TimeoutError:
        raise Mistake(TOO_LONG, seconds=round(patience)) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        return orjson.loads(out)
    except orjson.JSONDecodeError:
        log.warning("a file ended what reads it: exit %s", process.returncode)
        return None
