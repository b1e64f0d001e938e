"""What the heads read in a text beside its vector: hashed character n-grams of the plain form, and surface tokens."""

from __future__ import annotations

import functools
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BITS = 20
"""The table has 2**20 buckets. With 2**18, COLD lost .7 points of accuracy to collisions (decision 22)."""
SIZES = (1, 2, 3, 4)
LIMIT = 4_096
"""Characters read of one text: the longest that a platform delivers in one message."""
SURFACE = np.float32(0.12)
"""What one surface token weighs beside the n-grams of a text, whose squares sum to 1."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xFF51AFD7ED558CCD)
SECOND = np.uint64(0xC4CEB9FE1A85EC53)
HALF = np.uint64(33)
SPACES = re.compile(r"\s+")
MENTION = re.compile(r"@\w+")
DIGIT = re.compile(r"\d")
LINK = re.compile(
    r"https?://|www\.|\b[\w-]{1,63}\.(?:com|net|org|ru|io|xyz|top|cn|me|app|site|info|club|vip|link|gg)\b", re.I
)
MESSENGER = re.compile(r"\bt\.me\b|telegram|whats ?app|微信|薇信|加[vV]|\bdm\b|\bpm\b|телег|личк|\bлс\b", re.I)
MONEY = re.compile(r"[$€£¥₽₿]|\busdt?\b|\bbtc\b|元|руб", re.I)
NUMBER = re.compile(r"\d[\d\s.-]{4,}\d")
HAN = re.compile("[\u3400-\u9fff]")
HAN_SHARE = 1 / 3
"""Share of Han among a text's letters above which it is Chinese: a Chinese sentence with English terms has more, an
English one that quotes Chinese has less, and Japanese with its kana may fall on either side."""
EMOJI = re.compile("[\U0001f300-\U0001faff☀-➿⭐⬆]")

Script = Literal["han", "other"]
SCRIPTS: tuple[Script, ...] = ("han", "other")

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats = np.ndarray[tuple[int], np.dtype[np.float32]]
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """The features of `count` texts: rows (k,), buckets (k,) and values (k,), sorted by row."""

    rows: Ints
    buckets: Ints
    values: Floats
    count: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grams:
    """Every n-gram of texts where it stands: its row, its bucket, the character where it starts, and its length."""

    rows: Ints
    buckets: Ints
    starts: Ints
    sizes: Ints


def shown(plain: str) -> str:
    """Return the form that n-grams are cut from: no case, one space at a time, digits and mentions made alike."""
    text = SPACES.sub(" ", DIGIT.sub("0", MENTION.sub("@m", plain[:LIMIT].casefold()))).strip()
    return f" {text} "


def script(plain: str) -> Script:
    """Say in which script a plain form is written, as far as thresholds go: `han` where a third of its letters are."""
    plain = plain[:LIMIT]
    letters = sum(letter.isalpha() for letter in plain)
    return "han" if len(HAN.findall(plain)) > HAN_SHARE * letters else "other"


def grams(forms: Sequence[str]) -> Grams:
    """Cut the n-grams of texts in the form of `shown`, by one rolling hash over all of them."""
    lengths = np.array([len(form) for form in forms], dtype=np.int64)
    letters = np.frombuffer("".join(forms).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(forms)), lengths)
    ends = np.repeat(np.cumsum(lengths), lengths)
    scattered, places = _mix(letters + np.uint64(1)), np.arange(len(letters))
    rolling, found = np.zeros(len(letters), dtype=np.uint64), []
    for size in range(1, min(max(SIZES), len(letters)) + 1):
        left = len(letters) - size + 1
        rolling = rolling[:left] * MULTIPLIER + scattered[size - 1 :]
        whole = places[:left][places[:left] + size <= ends[:left]]
        found.append((owners[whole], _bucket(_mix(rolling[whole] + np.uint64(size))), whole, np.full(len(whole), size)))
    if not found:
        return Grams(**dict.fromkeys(("rows", "buckets", "starts", "sizes"), np.zeros(0, dtype=np.int64)))
    rows, buckets, starts, sizes = (np.concatenate(part) for part in zip(*found, strict=True))
    return Grams(rows=rows, buckets=buckets, starts=starts, sizes=sizes)


def surface(text: str, tricks: Iterable[str] = ()) -> list[str]:
    """Name what can be counted in a text as it was written: its links, digits, length and the tricks undone in it."""
    text = text[:LIMIT]
    letters = max(1, sum(letter.isalpha() for letter in text))
    names = [f"length {len(text).bit_length()}", f"links {min(3, len(LINK.findall(text)))}"]
    names += [f"digits {min(5, 10 * sum(map(str.isdigit, text)) // max(1, len(text)))}"]
    names += [f"capitals {min(4, 5 * sum(map(str.isupper, text)) // letters)}"]
    names += [f"emoji {min(4, len(EMOJI.findall(text)))}", f"lines {min(4, text.count(chr(10)))}"]
    names += [
        name for name, seen in (("messenger", MESSENGER), ("money", MONEY), ("number", NUMBER)) if seen.search(text)
    ]
    names += [f"shouts {min(3, text.count('!') + text.count('！'))}"]
    return names + [f"trick {trick}" for trick in sorted(tricks)]


def featurize(texts: Sequence[str], plains: Sequence[str], tricks: Sequence[Iterable[str]] | None = None) -> Features:
    """Return the features of texts (n,) with their plain forms (n,).

    An n-gram counts 1 + ln(times); a text's n-grams are then scaled to length 1, and each surface token adds SURFACE.
    """
    cut = grams([shown(plain) for plain in plains])
    keys, counts = np.unique((cut.rows << BITS) | cut.buckets, return_counts=True)
    rows, values = keys >> BITS, (1 + np.log(counts)).astype(np.float32)
    lengths = np.sqrt(np.bincount(rows, weights=values * values, minlength=len(texts)))
    values /= lengths[rows].astype(np.float32)
    names = [surface(text, tricks[at] if tricks else ()) for at, text in enumerate(texts)]
    owners = np.repeat(np.arange(len(texts)), [len(some) for some in names])
    tokens = np.array([_token(name) for some in names for name in some], dtype=np.int64)
    all_rows = np.concatenate([rows, owners])
    order = np.argsort(all_rows, kind="stable")
    return Features(
        rows=all_rows[order],
        buckets=np.concatenate([keys & ((1 << BITS) - 1), tokens])[order],
        values=np.concatenate([values, np.full(len(owners), SURFACE)])[order],
        count=len(texts),
    )


@functools.lru_cache(maxsize=1_024)
def _token(name: str) -> int:
    return zlib.crc32(f"surface {name}".encode()) >> (32 - BITS)


def _mix(hashes: Hashes) -> Hashes:
    """Scatter hashes, as the finish of MurmurHash3 does."""
    hashes = (hashes ^ (hashes >> HALF)) * FIRST
    hashes = (hashes ^ (hashes >> HALF)) * SECOND
    return hashes ^ (hashes >> HALF)


def _bucket(hashes: Hashes) -> Ints:
    return (hashes >> np.uint64(64 - BITS)).astype(np.int64)
