"""`eval threads`: whether conversations that run through each other in one channel are told apart.

Two formats of JSON lines, gzip allowed. Logs with reply links (Kummerfeld et al. 2019): rows `split, file, lines,
links`, where a link [a, b] says that line b answers line a and [b, b] that it begins something; the first 1,000 lines
of a longer file are context. Dialogues separated by hand (Shi et al. 2021): rows `ts, room, conv, user, text`.
"""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals.clusters import scores
from brains.evals.evaluation import report
from brains.knowledge.untangle_features import Said, Stretch
from brains.training.untangle import examples, fit_linear
from brains.training.untangle_irc import joined, logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from brains.evals.evaluation import Evaluation
    from brains.evals.metrics import Values
    from brains.knowledge.untangle import Untangler
    from brains.training.untangle import Linear
    from brains.training.untangle_irc import Log

TAUGHT = 40
"""Files of the training split that the linear baseline learns from; it has few weights."""
GAPS = {"a gap of 10 minutes": 600.0, "a gap of an hour": 3600.0}
Answered = list[int]


def threads(path: Path, *, split: str, untangler: Untangler, tell: Callable[[str], None]) -> Evaluation:
    """Judge one file of either format. Raises Mistake for a file without messages, or that lacks a column."""
    first = _first_row(path)
    if "lines" in first:
        return _logs(path, split, untangler, tell)
    for column in ("ts", "room", "conv", "user", "text"):
        if column not in first:
            raise Mistake(f"{path}, line 1: the column {column} is missing.")
    return _dialogues(path, untangler)


def _rows(path: Path) -> Iterable[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError:
                raise Mistake(f"{path}, line {number}: not JSON.") from None


def _first_row(path: Path) -> dict[str, object]:
    for row in _rows(path):
        return row
    raise Mistake(f"{path} is empty.")


# Logs with reply links


def _logs(path: Path, split: str, untangler: Untangler, tell: Callable[[str], None]) -> Evaluation:
    tell(f"Fitting the linear baseline to {TAUGHT} files")
    taught = [log for log, _ in zip(logs(path, "train"), range(TAUGHT), strict=False)]
    linear = fit_linear(examples(taught)) if taught else None
    judged = list(logs(path, split))
    if not judged:
        raise Mistake(f"{path} has no file of the split {split}.")
    began = time.perf_counter()
    ours = [_judged(log, _ours(log, untangler)) for log in judged]
    seconds = time.perf_counter() - began
    rivals = {"previous message": _previous, "the one named, else previous": _named}
    others = {name: [_judged(log, answers(log)) for log in judged] for name, answers in rivals.items()}
    if linear is not None:
        others["linear"] = [_judged(log, _linear(log, linear)) for log in judged]
    messages = sum(log.size - log.start for log in judged)
    found = report(
        f"threads, {split}",
        ours=_columns(ours),
        baselines={name: _columns(rows) for name, rows in others.items()},
        metric="f1",
        seconds=seconds,
        also={"ms_a_message": round(1000 * seconds / sum(len(log.said) for log in judged), 3)},
        notes=(
            f"{len(judged)} files, {messages:,} lines judged; means over files, intervals by resampling them.",
            "Lines that the system wrote count as beginning something; `f1_said` leaves them out.",
        ),
    )
    return replace(found, n=messages)


def _judged(log: Log, answered: Answered) -> dict[str, float]:
    """Return the measures of one file from what each message answers, both as places among the messages."""
    links = {(log.lines[to], log.lines[at]) for at, to in enumerate(answered)}
    said = set(log.lines)
    links |= {(line, line) for line in range(log.size) if line not in said}
    ours = {link for link in links if link[1] >= log.start}
    gold = {link for link in log.links if link[1] >= log.start}
    spoken, right = ({one for one in some if one[1] in said} for some in (ours, gold))
    mine, theirs = joined(log.size, ours)[log.start :], joined(log.size, gold)[log.start :]
    return {
        "f1": _f1(ours, gold),
        "precision": len(ours & gold) / max(1, len(ours)),
        "recall": len(ours & gold) / max(1, len(gold)),
        "f1_said": _f1(spoken, right),
        **scores(mine, theirs),
    }


def _f1(ours: set[tuple[int, int]], gold: set[tuple[int, int]]) -> float:
    return 2 * len(ours & gold) / max(1, len(ours) + len(gold))


def _ours(log: Log, untangler: Untangler) -> Answered:
    """Ask for what is judged; context answers itself, which nobody looks at."""
    wanted = [at for at, line in enumerate(log.lines) if line >= log.start]
    found = dict(zip(wanted, untangler.answers(log.said, log.names, wanted), strict=True))
    return [found.get(at, at) for at in range(len(log.said))]


def _previous(log: Log) -> Answered:
    return [max(0, at - 1) for at in range(len(log.said))]


def _named(log: Log) -> Answered:
    """Answer the last message of whoever is named, else the last one."""
    stretch, last, found = Stretch(log.said, log.names), dict[int, int](), []
    for at, one in enumerate(log.said):
        whom = [last[who] for some in stretch.named[at] for who in some if who in last]
        found.append(max(whom, default=max(0, at - 1)))
        last[one.author] = at
    return found


def _linear(log: Log, linear: Linear) -> Answered:
    stretch = Stretch(log.said, log.names)
    return [
        at - int((stretch.features(at) @ linear).argmax()) if line >= log.start else at
        for at, line in enumerate(log.lines)
    ]


# Dialogues separated by hand


def _dialogues(path: Path, untangler: Untangler) -> Evaluation:
    rooms: dict[str, list[dict[str, object]]] = {}
    for row in _rows(path):
        rooms.setdefault(str(row["room"]), []).append(row)
    streams = [sorted(rows, key=lambda row: str(row["ts"])) for rows in rooms.values()]
    began = time.perf_counter()
    ours = [_room(stream, untangler) for stream in streams]
    seconds = time.perf_counter() - began
    others: dict[str, list[dict[str, float]]] = {"previous message": [_by_gap(stream, np.inf) for stream in streams]}
    others |= {name: [_by_gap(stream, gap) for stream in streams] for name, gap in GAPS.items()}
    messages = sum(map(len, streams))
    found = report(
        "threads, dialogues",
        ours=_columns(ours),
        baselines={name: _columns(rows) for name, rows in others.items()},
        metric="one_to_one",
        seconds=seconds,
        also={"ms_a_message": round(1000 * seconds / messages, 3)},
        notes=(f"{len(streams)} rooms, {messages:,} messages; means over rooms, intervals by resampling them.",),
    )
    return replace(found, n=messages)


def _room(stream: Sequence[Mapping[str, object]], untangler: Untangler) -> dict[str, float]:
    authors = {str(row["user"]): number for number, row in enumerate(stream)}
    said = [Said(author=authors[str(row["user"])], at=_instant(row), text=str(row["text"])) for row in stream]
    names = {number: name for name, number in authors.items()}
    answered = untangler.answers(said, names, range(len(said)))
    return scores(joined(len(said), enumerate(answered)), _gold(stream))


def _by_gap(stream: Sequence[Mapping[str, object]], gap: float) -> dict[str, float]:
    """Begin anew after a silence of so many seconds, else go on."""
    at = [_instant(row) for row in stream]
    links = [(n - 1, n) for n in range(1, len(at)) if at[n] - at[n - 1] <= gap]
    return scores(joined(len(at), links), _gold(stream))


def _gold(stream: Sequence[Mapping[str, object]]) -> list[int]:
    return [int(str(row["conv"])) for row in stream]


def _instant(row: Mapping[str, object]) -> float:
    return datetime.fromisoformat(str(row["ts"])).timestamp()


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, Values]:
    return {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}
