"""Reads what stands written in a picture: PP-OCR, for Chinese and English, by the models in `rapidocr`'s wheel."""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1600
"""Pixels of the longer side of what is read; letters of a screenshot stay legible."""
LOOKED_AT = 960
"""Pixels of the longer side in which lines are looked for: 1280 takes 1.6 times as long and found no more."""
LONG = 2.5
"""Beyond this ratio of its sides a large picture is read in pieces, so that its letters stay legible."""
PIECES = 4
OVERLAP = 60
"""Pixels that two pieces have in common, so that a line between them is whole in one."""
LEAST = 12
"""Pixels of a side below which nothing can be read."""
LINES, LONGEST = 200, 4000
"""Lines that are returned, and characters of all of them."""
MODELS = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}


class Reader:
    """The models, loaded. They are named by their files, since the library would look on the network for others."""

    def __init__(self, *, threads: int) -> None:
        import cv2
        from rapidocr import RapidOCR

        cv2.setNumThreads(1)
        folder = files("rapidocr").joinpath("models")
        named = {f"{part}.model_path": str(folder.joinpath(name)) for part, name in MODELS.items()}
        self._engine = RapidOCR(
            params=named
            | {
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.limit_type": "max",
                "Det.limit_side_len": LOOKED_AT,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, image: Image.Image) -> list[tuple[str, float]]:
        """Return the lines of an RGB picture from top to bottom, each with its confidence from 0 to 1."""
        from rapidocr.utils.output import RapidOCROutput

        found: list[tuple[str, float]] = []
        left = LONGEST
        for piece in _pieces(image):
            told = self._engine(np.ascontiguousarray(np.asarray(piece)[:, :, ::-1]))
            if not isinstance(told, RapidOCROutput):
                continue  # no lines were found, or none of them could be read
            for text, confidence in zip(told.txts or (), told.scores or (), strict=True):
                found.append((text[:left], round(float(confidence), 3)))
                left -= len(text)
                if left <= 0 or len(found) == LINES:
                    return found
        return found


def _pieces(image: Image.Image) -> Iterator[Image.Image]:
    long, short = max(image.size), min(image.size)
    count = min(PIECES, math.ceil(long / LARGEST)) if long / short > LONG else 1
    for number in range(count):
        start, end = long * number // count, min(long, long * (number + 1) // count + OVERLAP)
        box = (0, start, short, end) if image.height == long else (start, 0, end, short)
        piece = image.crop(box)
        piece.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        if min(piece.size) >= LEAST:
            yield piece
