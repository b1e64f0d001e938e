"""How likely a word is, and where words end in letters without spaces: a unigram model of pieces of words."""

from __future__ import annotations

import functools
import gzip
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("unigrams.txt.gz")
"""Written by `brains/training/unigrams.py`, which says what it is made of."""
LONGEST = 20
"""Letters of the longest unit that is looked for."""
UNKNOWN = 18.0
"""Cost in nats of a letter that no unit holds: dearer than any unit."""


@dataclass(frozen=True, slots=True)
class Unigrams:
    """The cost in nats (negative log-probability) of what begins a word, and of what goes on with one."""

    begins: dict[str, float]
    goes_on: dict[str, float]

    def split(self, letters: str) -> list[str]:
        """Split lower-case letters into the likeliest words (Viterbi; linear in the length)."""
        return self._search(letters, one=False)[0]

    def cost(self, word: str) -> float:
        """Return what one word costs in nats, as its likeliest pieces."""
        known = self.begins.get(word)
        return known if known is not None else self._search(word, one=True)[1]

    def _search(self, letters: str, *, one: bool) -> tuple[list[str], float]:
        """Return the words and their cost; with `one`, there is one word."""
        end = len(letters)
        cost = [0.0] + [float("inf")] * end
        came = [(0, False)] * (end + 1)
        begins, goes_on = self.begins.get, self.goes_on.get
        for start in range(end):
            so_far = cost[start]
            if so_far + UNKNOWN < cost[start + 1]:
                cost[start + 1], came[start + 1] = so_far + UNKNOWN, (start, start == 0)
            for stop in range(start + 1, min(end, start + LONGEST) + 1):
                unit = letters[start:stop]
                first = begins(unit) if start == 0 or not one else None
                if first is not None and so_far + first < cost[stop]:
                    cost[stop], came[stop] = so_far + first, (start, True)
                further = goes_on(unit) if start else None
                if further is not None and so_far + further < cost[stop]:
                    cost[stop], came[stop] = so_far + further, (start, False)
        words: list[str] = []
        stop = last = end
        while stop:
            start, begun = came[stop]
            if begun:
                words.append(letters[start:last])
                last = start
            stop = start
        return words[::-1], cost[end]


@functools.cache
def unigrams() -> Unigrams:
    """Read the model, once a process (about .2 s)."""
    begins: dict[str, float] = {}
    goes_on: dict[str, float] = {}
    for line in gzip.decompress(FILE.read_bytes()).decode().split("\n"):
        unit, _tab, cost = line.partition("\t")
        if unit[0] == "_":
            goes_on[unit[1:]] = int(cost) / 100
        else:
            begins[unit] = int(cost) / 100
    return Unigrams(begins, goes_on)
