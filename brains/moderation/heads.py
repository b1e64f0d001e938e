"""The heads: how likely a text is toxic, hateful, sexual, spam or about harming oneself. NumPy alone."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from brains.moderation.features import BITS, SCRIPTS, featurize, grams, script, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from bot.core.ports import Vector
    from brains.moderation.features import Features, Ints, Script

Name = Literal["toxicity", "hate", "sexual", "spam", "self_harm"]
HEADS: tuple[Name, ...] = ("toxicity", "hate", "sexual", "spam", "self_harm")
SHIPPED = Path(__file__).parent / "shipped" / "heads.safetensors"
FORMAT = "3"
"""Raised when the same file would give other probabilities, as when features change, or is laid out otherwise."""

LARGEST = 127
PIECE = 512
"""Texts looked at in one go."""
SHARE = 0.08
"""What a word must carry of all that speaks for a head to be named."""
NAMED = 3
WORD = re.compile(r"[^\W_]+")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
SPAN = 4
"""Characters of Chinese or Japanese that are named together at most."""

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Scores = dict[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """One hidden layer over a vector (d,), standardised within: hidden (d, h), shift (h,), output (h,), bias."""

    hidden: Array
    shift: Array
    output: Array
    bias: float

    def logits(self, vectors: Vector) -> Array:
        """Return the logit (n,) of each vector (n, d)."""
        return np.asarray(np.maximum(vectors @ self.hidden + self.shift, 0) @ self.output + self.bias, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which probability a message is put before a human, and from which it may be taken away."""

    flag: float
    remove: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """The thresholds of many texts: from which probability each (n,) is flagged, and may be taken away."""

    flag: Array
    remove: Array


ANY = MappingProxyType(dict.fromkeys(SCRIPTS, Thresholds(flag=0.5, remove=0.9)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """One classifier.

    A bucket's weight is `largest` * w * |w| / 127**2 for its w in `weights` (2**BITS,) int8: squares, since a few weigh
    a thousand times as much as most. The probability is the logistic function of mix[0] * n-grams + mix[1] * network +
    mix[2]; without a vector, of alone[0] * n-grams + alone[1]. Each script has thresholds of its own: what is contested
    in one language is not in another.
    """

    weights: np.ndarray[tuple[int], np.dtype[np.int8]]
    largest: float
    bias: float
    mix: tuple[float, float, float]
    alone: tuple[float, float]
    network: Network | None = None
    thresholds: Mapping[Script, Thresholds] = field(default_factory=lambda: ANY)
    thresholds_alone: Mapping[Script, Thresholds] = field(default_factory=lambda: ANY)

    def linear(self, features: Features) -> Array:
        """Return the logit (n,) of the n-grams."""
        carried = features.values * self.weigh(features.buckets)
        sums = np.bincount(features.rows, weights=carried, minlength=features.count)
        return np.asarray(sums + self.bias, dtype=np.float32)

    def weigh(self, buckets: Ints) -> Array:
        """Return the weights (k,) of buckets (k,)."""
        small = self.weights[buckets].astype(np.float32)
        return np.asarray(small * np.abs(small) * np.float32(self.largest / LARGEST**2))

    def probabilities(self, features: Features, vectors: Vector | None) -> Array:
        """Return probabilities (n,); `vectors` (n, d) or None."""
        linear = self.linear(features)
        if vectors is None or self.network is None:
            return logistic(self.alone[0] * linear + self.alone[1])
        return logistic(self.mix[0] * linear + self.mix[1] * self.network.logits(vectors) + self.mix[2])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heads:
    """Several heads that read the same features; `encoder` is the fingerprint that their networks belong to."""

    heads: Mapping[str, Head]
    encoder: str
    made: str = ""

    def serves(self, encoder: str | None) -> bool:
        """Say whether vectors of an encoder can be read; with others, the n-grams judge alone."""
        return encoder is not None and encoder == self.encoder

    def scores(
        self,
        texts: Sequence[str],
        plains: Sequence[str],
        vectors: Vector | None = None,
        *,
        tricks: Sequence[Iterable[str]] | None = None,
    ) -> Scores:
        """Return each head's probabilities (n,) for texts (n,) and their plain forms (n,).

        `vectors` (n, d) are of the plain form where it differs, else of the text, by the encoder that `serves` names;
        None where there is no such encoder.
        """
        found: dict[str, list[Array]] = {name: [] for name in self.heads}
        for start in range(0, len(texts), PIECE):
            piece = slice(start, start + PIECE)
            features = featurize(texts[piece], plains[piece], tricks[piece] if tricks else None)
            for name, head in self.heads.items():
                found[name].append(head.probabilities(features, None if vectors is None else vectors[piece]))
        return {name: np.concatenate(parts) if parts else np.zeros(0, np.float32) for name, parts in found.items()}

    def thresholds(self, *, with_vector: bool, text: str) -> dict[str, Thresholds]:
        """Return every head's thresholds for the plain form of a text, as they are with or without a vector."""
        return self.of_script(script(text), with_vector=with_vector)

    def of_script(self, written: Script, *, with_vector: bool) -> dict[str, Thresholds]:
        """Return every head's thresholds for a script."""
        every = self.heads.items()
        return {name: (head.thresholds if with_vector else head.thresholds_alone)[written] for name, head in every}

    def limits(self, plains: Sequence[str], *, with_vector: bool) -> dict[str, Limits]:
        """Return every head's thresholds for each of many plain forms (n,)."""
        rows = np.array([SCRIPTS.index(script(plain)) for plain in plains], dtype=np.int64)
        tables = [self.of_script(one, with_vector=with_vector) for one in SCRIPTS]
        found = {}
        for name in self.heads:
            flag, remove = (
                np.array([getattr(table[name], which) for table in tables], np.float32) for which in ("flag", "remove")
            )
            found[name] = Limits(flag=flag[rows], remove=remove[rows])
        return found

    def lowest(self, *, with_vector: bool) -> dict[str, float]:
        """Return from which probability a head flags a text of the script that it is strictest with."""
        every = [self.of_script(one, with_vector=with_vector) for one in SCRIPTS]
        return {name: min(one[name].flag for one in every) for name in self.heads}

    def explain(self, plain: str, head: str) -> list[str]:
        """Return the words of a plain form that spoke most for a head, the strongest first; three at most."""
        form = shown(plain)
        carried = _by_character(self.heads[head], form)
        total = float(np.maximum(carried, 0).sum())
        until = np.concatenate([[0.0], np.cumsum(carried, dtype=np.float64)])
        weighed = ((float(until[end] - until[start]), start, end) for start, end in _spans(form))
        found: list[tuple[float, int, int]] = []
        for weight, start, end in sorted((one for one in weighed if one[0] >= SHARE * total), reverse=True):
            if all(end <= other or start >= last for _weight, other, last in found):
                found.append((weight, start, end))
            if len(found) == NAMED:
                break
        return [form[start:end] for _weight, start, end in found]


def load(path: Path = SHIPPED) -> Heads:
    """Read heads from a safetensors file. Raises ValueError for a file that is not one of this format."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        about = json.loads((file.metadata() or {}).get("kinfolk", "{}"))
        if about.get("format") != FORMAT:
            raise ValueError(f"{path} holds no heads of format {FORMAT}; make them anew with `kinfolk train heads`.")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a file is no mapping
    heads = {name: _head(name, tensors, numbers) for name, numbers in about["heads"].items()}
    return Heads(heads=heads, encoder=about["encoder"], made=about["made"])


@functools.lru_cache(maxsize=1)
def shipped() -> Heads:
    """Return the heads that come with Kinfolk, read once."""
    return load()


def save(heads: Heads, path: Path) -> None:
    """Write heads to a safetensors file, int8 and float16; the same heads give the same bytes."""
    from safetensors.numpy import save_file

    tensors: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for name, head in heads.heads.items():
        tensors[f"{name}.weights"] = head.weights
        if head.network is not None:
            for part in ("hidden", "shift", "output"):
                tensors[f"{name}.{part}"] = np.ascontiguousarray(getattr(head.network, part), dtype=np.float16)
    described = {name: _numbers(head) for name, head in heads.heads.items()}
    about = {"format": FORMAT, "encoder": heads.encoder, "made": heads.made, "heads": described}
    save_file(tensors, path, metadata={"kinfolk": json.dumps(about)})  # one entry: several are written in any order


def _numbers(head: Head) -> dict[str, list[float]]:
    return {
        "largest": [head.largest],
        "bias": [head.bias, head.network.bias if head.network else 0.0],
        "mix": list(head.mix),
        "alone": list(head.alone),
    } | {
        f"{kind} {one}": [limits[one].flag, limits[one].remove]
        for kind, limits in (("thresholds", head.thresholds), ("thresholds_alone", head.thresholds_alone))
        for one in SCRIPTS
    }


def _head(
    name: str,
    tensors: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]],
    numbers: Mapping[str, list[float]],
) -> Head:
    linear, bias = numbers["bias"]
    network = None
    if f"{name}.hidden" in tensors:
        hidden, shift, output = (tensors[f"{name}.{part}"].astype(np.float32) for part in ("hidden", "shift", "output"))
        network = Network(hidden=hidden, shift=shift, output=output, bias=bias)
    weights = tensors[f"{name}.weights"]
    if weights.shape != (1 << BITS,):
        raise ValueError(f"The head {name} has {weights.shape} weights instead of {1 << BITS}.")
    ngrams, vector, base = numbers["mix"]
    alone, base_alone = numbers["alone"]
    return Head(
        weights=cast("np.ndarray[tuple[int], np.dtype[np.int8]]", weights),
        largest=numbers["largest"][0],
        bias=linear,
        mix=(ngrams, vector, base),
        alone=(alone, base_alone),
        network=network,
        thresholds=_thresholds(numbers, "thresholds"),
        thresholds_alone=_thresholds(numbers, "thresholds_alone"),
    )


def _thresholds(numbers: Mapping[str, list[float]], kind: str) -> dict[Script, Thresholds]:
    return {one: Thresholds(flag=numbers[f"{kind} {one}"][0], remove=numbers[f"{kind} {one}"][1]) for one in SCRIPTS}


def logistic(logits: npt.NDArray[np.floating]) -> Array:
    """Return the probabilities of logits."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def _by_character(head: Head, form: str) -> Array:
    """Share every n-gram's weight among its characters (len(form),)."""
    cut = grams([form])
    shares = head.weigh(cut.buckets) / cut.sizes
    carried = np.zeros(len(form) + max(cut.sizes, default=0), dtype=np.float32)
    for size in np.unique(cut.sizes):
        of = cut.sizes == size
        for offset in range(size):
            np.add.at(carried, cut.starts[of] + offset, shares[of])
    return carried[: len(form)]


def _spans(form: str) -> list[tuple[int, int]]:
    """Return what can be named: words, and short pieces of Chinese or Japanese."""
    found: list[tuple[int, int]] = []
    for word in WORD.finditer(form):
        start, end = word.span()
        if not word.group().strip("0"):  # digits, all made alike: they name nothing
            continue
        if not CJK.search(word.group()):
            found.append((start, end))
            continue
        found += [(at, at + size) for size in range(1, SPAN + 1) for at in range(start, end - size + 1)]
    return found
