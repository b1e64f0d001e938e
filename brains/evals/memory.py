"""`eval memory`: once staff confirmed one message of a spam campaign, are its later ones recognised, and nothing else?

A folder with moderation/ruen_telegram_spam, moderation/zh_chat_spam, gitter_livechat/messages and
zulip_bytecodealliance/messages (.jsonl.gz). Half of the campaigns and Gitter choose what each method takes for alike;
the other half and Bytecode judge it.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bot.core.things import Ref
from brains.evals.campaigns import campaigns
from brains.evals.disguise import WAYS, disguise
from brains.evals.metrics import bootstrap
from brains.moderation.memory import FLAG, GRAMS, MOST, NARROW, SpamMemory, memento
from brains.moderation.signature import skeleton, width
from brains.training import rows
from brains.training.encoding import Progress, silent
from brains.training.texts import encode, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder, Vector

SETS = {"telegram": "moderation/ruen_telegram_spam.jsonl", "chinese": "moderation/zh_chat_spam.jsonl"}
CHAT = {"Gitter": "gitter_livechat/messages.jsonl", "Bytecode": "zulip_bytecodealliance/messages.jsonl"}
CALIBRATION, TEST = "Gitter", "Bytecode"
ALARMS = 0.0005
"""Share of Gitter's messages that a method may take for spam: the threshold of each is chosen so."""
LATER = 25
"""Later messages of one campaign that count at most, so that no large one decides."""
SOMEWHERE = Ref(platform="eval", id="1")
METHODS = ("ours", "cosine", "exact")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The plain forms of texts, and vectors (n, d) of what their readers take them for."""

    plains: Sequence[str]
    vectors: Vector

    def of(self, numbers: Sequence[int]) -> Texts:
        """Return some of them."""
        return Texts(plains=[self.plains[one] for one in numbers], vectors=self.vectors[list(numbers)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The campaigns of one half: the numbers of the texts that are confirmed, and of those that come later."""

    first: Sequence[int]
    later: Sequence[int]
    sets: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEvaluation:
    """The result of one run: shares by method and set, with 95 % intervals, false alarms per 1,000 messages."""

    n: int
    recall: Mapping[str, Mapping[str, Mapping[str, float]]]
    alarms: Mapping[str, Mapping[str, float]]
    thresholds: Mapping[str, float]
    seconds: float
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval memory --json` prints."""
        baselines = {
            method: {"recall": self.recall[method], "false_alarms_per_1000": self.alarms[method]}
            for method in METHODS
            if method != "ours"
        }
        ours = {"recall": self.recall["ours"], "false_alarms_per_1000": self.alarms["ours"]}
        return {
            "task": "memory",
            "n": self.n,
            "ours": ours,
            "baselines": baselines,
            "thresholds": dict(self.thresholds),
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


async def judge(folder: Path, *, encoder: Encoder, progress: Progress = silent) -> MemoryEvaluation:
    """Measure the memory beside exact hashes and the cosine alone."""
    started = time.perf_counter()
    spam = {name: [text for text, label in _labelled(folder, path) if label == 1] for name, path in SETS.items()}
    written = [text for some in spam.values() for text in some]
    names = [name for name, some in spam.items() for _ in some]
    texts = await _read(encoder, written, progress)
    calibration, test = _halves(spam, texts.plains)
    chat = {
        name: await _read(encoder, [row.text("text") for row in rows.rows(rows.needed(folder, path))], progress)
        for name, path in CHAT.items()
    }
    chosen = _thresholds(texts.of(calibration.first), chat[CALIBRATION])
    thresholds = {**chosen, "ours": FLAG}
    known = texts.of(test.first)
    recall = {
        method: {"as written": _recall(test, _amounts(method, known, texts.of(test.later)), thresholds[method])}
        for method in METHODS
    }
    for how in WAYS:
        disguised = [disguise(written[one], how, seed) for seed, one in enumerate(test.later)]
        changed = await _read(encoder, disguised, progress)
        for method in METHODS:
            recall[method][how] = _recall(test, _amounts(method, known, changed), thresholds[method])
    alarms = {
        method: {
            name: round(1000 * float((_amounts(method, known, some) >= thresholds[method]).mean()), 3)
            for name, some in chat.items()
        }
        for method in METHODS
    }
    return MemoryEvaluation(
        n=len(test.later),
        recall=recall,
        alarms=alarms,
        thresholds={"ours chosen anew": round(chosen["ours"], 3), **{k: round(v, 3) for k, v in thresholds.items()}},
        seconds=round(time.perf_counter() - started, 1),
        notes=(
            f"{len(test.first)} messages confirmed, {len(test.later)} later ones of their campaigns; of narrow texts "
            f"(under {NARROW} letters) only the very same is recognised. {len(names)} spam messages in all.",
        ),
    )


def _labelled(folder: Path, path: str) -> list[tuple[str, int]]:
    found = rows.rows(rows.needed(folder, path))
    return [(row.text("text"), int(row.text("label"))) for row in found if row.text("dup_in_train", default="0") == "0"]


async def _read(encoder: Encoder, texts: Sequence[str], progress: Progress) -> Texts:
    seen = read(texts)
    return Texts(plains=seen.plains, vectors=await encode(encoder, seen, progress=progress))


def _halves(spam: Mapping[str, Sequence[str]], plains: Sequence[str]) -> tuple[Half, Half]:
    """Put each campaign into one of two halves, by its first text: what is confirmed, and what comes later."""
    halves: tuple[tuple[list[int], list[int], list[str]], ...] = (([], [], []), ([], [], []))
    start = 0
    for name, texts in spam.items():
        for campaign in campaigns(texts):
            first, *later = campaign
            side = hashlib.blake2b(texts[first].encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] % 2
            halves[side][0].append(start + first)
            halves[side][1].extend(start + one for one in later[:LATER])
            halves[side][2].extend(name for _ in later[:LATER])
        start += len(texts)
    calibration, test = (Half(first=first[-MOST:], later=later, sets=sets) for first, later, sets in halves)
    return calibration, test


def _amounts(method: str, known: Texts, asked: Texts) -> Floats:
    """Return how much each text resembles what is known (n,), as a method sees it."""
    bones = [skeleton(plain) for plain in known.plains]
    if method == "exact":
        every = set(bones)
        return np.array([float(skeleton(plain) in every) for plain in asked.plains], dtype=np.float32)
    if method == "cosine":
        return _by_cosine(known.vectors, asked.vectors)
    memory = SpamMemory(
        [
            memento(plain, label=1, case="", message=SOMEWHERE, vector=vector)
            for plain, vector in zip(known.plains, known.vectors, strict=True)
        ]
    )
    narrow = {one for one in bones if width(one) < NARROW}
    return np.array(
        [_ours(memory, narrow, plain, vector) for plain, vector in zip(asked.plains, asked.vectors, strict=True)],
        dtype=np.float32,
    )


def _ours(memory: SpamMemory, narrow: set[str], plain: str, vector: Vector) -> float:
    bones = skeleton(plain)
    if width(bones) < NARROW:
        return 1.0 + GRAMS if bones in narrow else 0.0
    spam, _fine = memory.nearest(bones, [vector])
    return spam.amount if spam else 0.0


def _by_cosine(known: Vector, asked: Vector) -> Floats:
    nearest = np.zeros(len(asked), dtype=np.float32)
    for start in range(0, len(asked), 1000):
        nearest[start : start + 1000] = (asked[start : start + 1000] @ known.T).max(axis=1)
    return nearest


def _thresholds(known: Texts, chat: Texts) -> dict[str, float]:
    """Return from which resemblance on at most `ALARMS` of the calibration's messages are taken for spam."""
    return {
        method: 1.0 if method == "exact" else float(np.quantile(_amounts(method, known, chat), 1 - ALARMS))
        for method in METHODS
    }


def _recall(half: Half, amounts: Floats, threshold: float) -> dict[str, float]:
    """Return the share of later messages that are recognised, by set, with its interval."""
    found = (amounts >= threshold).astype(np.float64)
    sets = np.array(half.sets)
    measured: dict[str, float] = {}
    for name in SETS:
        if len(mine := found[sets == name]):
            interval = bootstrap(mine)
            measured |= {name: round(float(mine.mean()), 4), f"{name} low": round(interval.low, 4)}
            measured[f"{name} high"] = round(interval.high, 4)
    return measured
