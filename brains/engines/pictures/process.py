"""The process that opens pictures: it may take so much memory and no more, writes no file, and asks nobody anything.

`python -m brains.engines.pictures.process --threads N` says on standard output that it is ready, then reads pictures
from standard input and answers each with two documents: what it is, and what stands written in it. Everything is
preceded by its length. The first goes out before the second is begun: what breaks the reader is still recognised.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, BinaryIO

import orjson

from bot.core.errors import Mistake
from brains.engines.confinement import LENGTH, confine, seal, write
from brains.engines.pictures import reads
from brains.engines.pictures.hashing import perceptual_hashes
from brains.engines.pictures.opening import open_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from brains.engines.pictures.reading import Reader

TOO_MUCH = "That picture takes more memory than I give it."


class Looking:
    """Looks at one picture after another."""

    def __init__(self, reader: Reader | None) -> None:
        self._reader = reader

    def answer(self, data: bytes, out: BinaryIO) -> None:
        """Write what a picture is, and then what stands in it."""
        try:
            opened = open_picture(data)
            hashes = [one for frame in opened.frames for one in perceptual_hashes(frame)]
        except (Mistake, MemoryError) as error:
            write(out, orjson.dumps({"refused": str(error) or TOO_MUCH}))
            return
        known = {"width": opened.width, "height": opened.height, "hashes": list(dict.fromkeys(hashes))}
        write(out, orjson.dumps(known))
        write(out, orjson.dumps(self._read(opened.frames) if hashes else {"lines": []}))

    def _read(self, frames: Sequence[Image.Image]) -> dict[str, object]:
        """Return the lines of all frames, each once; none where nobody reads, and the trouble where it failed."""
        if self._reader is None:
            return {}
        read = self._reader.read
        try:
            return {"lines": list(dict(line for frame in frames for line in read(frame)).items())}
        except Exception as error:  # noqa: BLE001 - this process is the door; what breaks here breaks nothing else
            return {"trouble": type(error).__name__}


def load(threads: int) -> Reader | None:
    """Load the models; None where they are not installed."""
    if not reads():
        return None
    from brains.engines.pictures.reading import Reader

    return Reader(threads=threads)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at pictures until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m brains.engines.pictures.process", description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads: int = parser.parse_args(arguments).threads
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    confine()
    looking, given, out = Looking(load(threads)), sys.stdin.buffer, sys.stdout.buffer
    seal()
    write(out, b"{}")
    while head := given.read(LENGTH.size):
        (length,) = LENGTH.unpack(head)
        looking.answer(given.read(length), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
