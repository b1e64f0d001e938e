"""`POST /v1/pictures`: the bytes of a picture in, what it is and what stands in it out; and the same for its client."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fastapi import Request, Response  # noqa: TC002 - FastAPI reads them when it runs

from bot.core.errors import Gone
from bot.core.ports import Line, Picture
from brains.engines.door import check_key, in_json, read_body
from brains.engines.pictures import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from brains.engines.pictures.service import Eyes


def add_pictures(app: FastAPI, eyes: Eyes, keys: Sequence[str]) -> None:
    """Serve pictures."""

    @app.post("/v1/pictures")
    async def pictures(request: Request) -> Response:
        check_key(request, keys)
        return in_json(asdict(await eyes.look(await read_body(request, most=MOST_BYTES))))


def read_picture(told: object) -> Picture:
    """Read an answer. Raises Gone for what is none."""
    match told:
        case {
            "width": int(width),
            "height": int(height),
            "hashes": list(hashes),
            "lines": list(lines),
            "read": bool(read),
        }:
            return Picture(
                width=width,
                height=height,
                hashes=tuple(map(str, hashes)),
                lines=tuple(map(_line, lines)),
                read=read,
            )
    raise Gone("The worker answered with something else than a picture.")


def _line(told: object) -> Line:
    match told:
        case {"text": str(text), "confidence": float(confidence) | int(confidence)}:
            return Line(text=text, confidence=confidence)
    raise Gone("The worker answered with something else than a line.")
