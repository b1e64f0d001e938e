"""`eval memory`: once staff confirmed one message of a spam campaign, are its later ones recognised, and nothing else?

A folder with moderation/ruen_telegram_spam, moderation/zh_chat_spam, gitter_livechat/messages and
zulip_bytecodealliance/messages (.jsonl.gz). Half of the campaigns, Gitter and the good messages of the Chinese training
split choose what each method takes for alike; the other half, Bytecode and the other good messages judge it.
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
from brains.moderation.memory import FLAG, MOST, NARROW, SpamMemory, memento
from brains.moderation.signature import skeleton, width
from brains.training import rows
from brains.training.encoding import Progress, silent
from brains.training.texts import encode, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder, Vector
    from brains.training.rows import Row

SETS = {"telegram": "moderation/ruen_telegram_spam.jsonl", "chinese": "moderation/zh_chat_spam.jsonl"}
CHAT = {"Gitter": "gitter_livechat/messages.jsonl", "Bytecode": "zulip_bytecodealliance/messages.jsonl"}
ALARMS = {"Gitter": 0.0005, "chinese rooms, train": 0.005}
"""Share of messages that a method may take for spam, of ordinary chat and of good ones in rooms full of spam.

The threshold of each method is the lowest that keeps both."""
LATER = 25
"""Later messages of one campaign that count at most, so that no large one decides."""
TIMED = 500
"""Messages that are timed."""
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
    spam = {name: _wide([row.text("text") for row in _labelled(folder, path, "1")]) for name, path in SETS.items()}
    written = [text for some in spam.values() for text in some]
    texts = await _read(encoder, written, progress)
    calibration, test = _halves(spam)
    chat = {name: await _read(encoder, some, progress) for name, some in _good(folder).items()}
    thresholds = _thresholds(texts.of(calibration.first), {name: chat[name] for name in ALARMS})
    shipped = {**thresholds, "ours": FLAG}
    known = texts.of(test.first)
    asked = {"as written": texts.of(test.later)}
    for how in WAYS:
        disguised = [disguise(written[one], how, seed) for seed, one in enumerate(test.later)]
        asked[how] = await _read(encoder, disguised, progress)
    return MemoryEvaluation(
        n=len(test.later),
        recall={
            method: {how: _recall(test, _amounts(method, known, some), shipped[method]) for how, some in asked.items()}
            for method in METHODS
        },
        alarms={
            method: {name: _alarms(_amounts(method, known, some), shipped[method]) for name, some in chat.items()}
            for method in METHODS
        },
        thresholds={
            **{name: round(one, 3) for name, one in shipped.items()},
            "ours anew": round(thresholds["ours"], 3),
        },
        seconds=round(time.perf_counter() - started, 1),
        notes=(
            f"{len(test.first)} messages confirmed, {len(test.later)} later ones of their campaigns; texts under "
            f"{NARROW} letters, of which the very same alone is recognised, are left out.",
            f"{_milliseconds(known, chat['Bytecode']):.2f} ms a message (median) at {MOST:,} lessons.",
        ),
    )


def _good(folder: Path) -> dict[str, list[str]]:
    """Return ordinary chat, and the good messages of the rooms that the spam is of."""
    found = {name: [row.text("text") for row in rows.rows(rows.needed(folder, path))] for name, path in CHAT.items()}
    chinese = _labelled(folder, SETS["chinese"], "0")
    for split in ("train", "test"):
        found[f"chinese rooms, {split}"] = [row.text("text") for row in chinese if row.text("split") == split]
    found["telegram rooms"] = [row.text("text") for row in _labelled(folder, SETS["telegram"], "0")]
    return found


def _wide(written: Sequence[str]) -> list[str]:
    return [text for text in written if width(skeleton(text)) >= NARROW]


def _labelled(folder: Path, path: str, label: str) -> list[Row]:
    found = rows.rows(rows.needed(folder, path))
    return [row for row in found if row.text("label") == label and row.text("dup_in_train", default="0") == "0"]


def _alarms(amounts: Floats, threshold: float) -> float:
    """Return how many of 1,000 messages are taken for spam."""
    return round(1000 * float((amounts >= threshold).mean()), 3)


async def _read(encoder: Encoder, texts: Sequence[str], progress: Progress) -> Texts:
    seen = read(texts)
    return Texts(plains=seen.plains, vectors=await encode(encoder, seen, progress=progress))


def _halves(spam: Mapping[str, Sequence[str]]) -> tuple[Half, Half]:
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
        wide = np.array([width(skeleton(plain)) >= NARROW for plain in asked.plains])
        return np.where(wide, _by_cosine(known.vectors, asked.vectors), 0).astype(np.float32)
    memory = SpamMemory(
        [
            memento(plain, label=1, case="", message=SOMEWHERE, vector=vector)
            for plain, vector in zip(known.plains, known.vectors, strict=True)
        ]
    )
    return np.array(
        [_ours(memory, plain, vector) for plain, vector in zip(asked.plains, asked.vectors, strict=True)],
        dtype=np.float32,
    )


def _ours(memory: SpamMemory, plain: str, vector: Vector) -> float:
    bones = skeleton(plain)
    spam, _fine = memory.nearest(bones, [vector]) if width(bones) >= NARROW else (None, None)
    return spam.amount if spam else 0.0


def _milliseconds(known: Texts, chat: Texts) -> float:
    """Measure how long the memory takes for a message when it is full."""
    lessons = [
        memento(
            known.plains[at % len(known.plains)],
            label=1,
            case="",
            message=SOMEWHERE,
            vector=known.vectors[at % len(known.plains)],
        )
        for at in range(MOST)
    ]
    memory, took = SpamMemory(lessons), []
    for plain, vector in zip(chat.plains[:TIMED], chat.vectors[:TIMED], strict=True):
        started = time.perf_counter()
        memory.nearest(skeleton(plain), [vector])
        took.append(time.perf_counter() - started)
    return float(np.median(took)) * 1000


def _by_cosine(known: Vector, asked: Vector) -> Floats:
    nearest = np.zeros(len(asked), dtype=np.float32)
    for start in range(0, len(asked), 1000):
        nearest[start : start + 1000] = (asked[start : start + 1000] @ known.T).max(axis=1)
    return nearest


def _thresholds(known: Texts, chat: Mapping[str, Texts]) -> dict[str, float]:
    """Return the lowest resemblance that at most `ALARMS` of each chat's messages reach, by method."""
    chosen = {"exact": 1.0}
    for method in ("ours", "cosine"):
        reached = [np.quantile(_amounts(method, known, chat[name]), 1 - share) for name, share in ALARMS.items()]
        chosen[method] = float(max(reached))
    return chosen


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
