"""`eval recommend --rolling`: the same question at many cuts, pooled, beside every peer.

At each cut all learn from what is before it, and are tried on the channels that known members first use before the
window closes. A member may occur at several cuts, so that intervals resample members with all their cases.
"""

from __future__ import annotations

import asyncio
import calendar
import itertools
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals.metrics import clustered, means
from brains.evals.recommend import METRIC, first_uses, measure, read_uses, split
from brains.evals.recommend_chances import calibration, foretell
from brains.evals.recommend_ours import learned, suggested
from brains.evals.recommend_peers import PEERS, Known
from brains.evals.recommend_report import Rolling, versus
from brains.evals.recommend_trials import Window, pooled, steps, tried
from brains.matching.rehearsal import HORIZON
from brains.training.encoding import Progress, passages, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.evaluation import Measured
    from brains.evals.recommend import Use
    from brains.evals.recommend_ours import Told
    from brains.evals.recommend_peers import Peer
    from brains.evals.recommend_report import Versus
    from brains.matching.corpus import Floats

REHEARSALS = 4
"""Windows before the first cut, at most, on which settings are chosen for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Cuts from `first` to `last`, `every` so many months; a window closes at the next cut, or `within` days."""

    first: datetime
    last: datetime
    every: int = 6
    within: int | None = None

    def cuts(self) -> list[datetime]:
        """Return the cuts that count."""
        every = (months_after(self.first, self.every * step) for step in itertools.count())
        return list(itertools.takewhile(lambda cut: cut <= self.last, every))

    def rehearsals(self) -> list[datetime]:
        """Return the cuts before the first, in order of time."""
        return [months_after(self.first, -self.every * step) for step in range(REHEARSALS, 0, -1)]

    def closes(self, cut: datetime) -> float:
        """Say when the window of a cut closes, in seconds since the epoch."""
        if self.within is not None:
            return (cut + timedelta(days=self.within)).timestamp()
        return months_after(cut, self.every).timestamp()


async def rolling(
    path: Path,
    span: Span,
    *,
    encoder: Encoder,
    seeds: int = 5,
    ablation: bool = False,
    encoding: Progress = silent,
    judging: Progress = silent,
) -> Rolling:
    """Judge ours and every peer at each cut on rows of `user, channel, ts[, n, text]`.

    Raises Mistake for a file that is not what it should be, or cuts without a test member.
    """
    uses = await asyncio.to_thread(read_uses, path)
    needed = [use.text for use in uses if use.at < span.cuts()[-1].timestamp()]
    windows = list(_windows(uses, await passages(encoder, needed, progress=encoding), span))
    if not any(window.counts for window in windows):
        raise Mistake(f"{path}: no known member first uses a known channel in any of these windows. Choose other cuts.")
    return await asyncio.to_thread(
        _judge, windows, span, encoder=encoder.fingerprint, seeds=seeds, ablation=ablation, progress=judging
    )


def months_after(moment: datetime, months: int) -> datetime:
    """Return the same day some months later or earlier, or the last of that month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def _windows(uses: Sequence[Use], vectors: Floats, span: Span) -> Iterator[Window]:
    """Lay out the cuts that have somebody to test, in order of time."""
    times, judged = np.array([use.at for use in uses]), span.cuts()
    for cut in [*span.rehearsals(), *judged]:
        ends = np.searchsorted(times, [cut.timestamp(), span.closes(cut), cut.timestamp() + HORIZON])
        start, end, soonest = ends.tolist()
        parts = split(uses[:start], uses[start:end], vectors[:start], cut=cut.timestamp())
        if parts.coming:
            soon = first_uses(uses[:start], uses[start:soonest], users=parts.users, channels=parts.channels)
            known, counts = Known(split=parts), cut in judged
            yield Window(cut=cut, closes=span.closes(cut), known=known, counts=counts, soon=soon)


def _judge(
    windows: Sequence[Window], span: Span, *, encoder: str, seeds: int, ablation: bool, progress: Progress
) -> Rolling:
    started = time.perf_counter()
    judged = [window for window in windows if window.counts]
    texts = any(any(window.parts.corpus.texts) for window in judged)
    peers = [peer for peer in PEERS if peer.packages() and (texts or not peer.reads)]
    done, total = itertools.count(1), steps(peers, windows, seeds) + len(judged)

    def step() -> None:
        progress(next(done), total)

    told, foretold = [], []
    for window in judged:
        profiles = learned(window.parts, encoder=encoder)
        told.append(suggested(window.parts, profiles, list(window.parts.coming)))
        foretold.append(foretell(window, profiles))
        step()
    trials = {peer.name: tried(peer, windows, seeds, step) for peer in peers}
    members = [window.parts.users[user] for window in judged for user in window.parts.coming]
    ours = _measured(judged, [one.orders for one in told])
    without, alone = _ablation(judged, told, ours, members) if ablation else ({}, {})
    return Rolling(
        task="recommend",
        n=len(members),
        members=len(set(members)),
        cuts=[f"{window.cut:%Y-%m-%d}" for window in judged],
        ours=means(ours),
        intervals={name: clustered(values, members) for name, values in ours.items()},
        baselines={name: means(trial.measured) for name, trial in trials.items()},
        spread={name: trial.spread for name, trial in trials.items() if trial.spread},
        versus={name: versus(ours, trial.measured, members) for name, trial in trials.items()},
        settings={name: trial.settings for name, trial in trials.items() if trial.settings},
        without=without,
        alone=alone,
        calibration=calibration(foretold),
        by_cut=_by_cut(judged, {"kinfolk": ours, **{name: trial.measured for name, trial in trials.items()}}),
        seconds=round(time.perf_counter() - started, 1),
        notes=_notes(span, windows, peers, seeds),
    )


def _measured(judged: Sequence[Window], orders: Sequence[Sequence[Sequence[int]]]) -> Measured:
    return pooled([measure(window.parts, order) for window, order in zip(judged, orders, strict=True)])


def _ablation(
    judged: Sequence[Window], told: Sequence[Told], ours: Measured, members: Sequence[str]
) -> tuple[Mapping[str, Mapping[str, Versus]], Mapping[str, Mapping[str, Versus]]]:
    """Set ours without each signal, and each signal alone, against ours."""
    without, alone = {}, {}
    for signal in told[0].signals:
        without[signal] = versus(_measured(judged, [one.without(signal) for one in told]), ours, members)
        alone[signal] = versus(_measured(judged, [one.alone(signal) for one in told]), ours, members)
    return without, alone


def _by_cut(judged: Sequence[Window], measured: Mapping[str, Measured]) -> dict[str, dict[str, float]]:
    """Average the measure that chooses over each cut's own cases."""
    ends = list(np.cumsum([len(window.parts.coming) for window in judged])[:-1])
    return {
        name: {
            f"{window.cut:%Y-%m-%d}": round(float(part.mean()), 4)
            for window, part in zip(judged, np.split(values[METRIC], ends), strict=True)
        }
        for name, values in measured.items()
    }


def _notes(span: Span, windows: Sequence[Window], peers: Sequence[Peer], seeds: int) -> tuple[str, ...]:
    judged = [window for window in windows if window.counts]
    until = f"{span.within} days" if span.within is not None else f"{span.every} months, to the next cut"
    notes = [
        f"{len(judged)} cuts, {sum(len(window.parts.coming) for window in judged)} cases: known members who first used "
        f"some known channel within {until}. Intervals resample members.",
        f"A peer uses, at each cut, the setting that was best by {METRIC} on the windows closed before it "
        f"({len(windows) - len(judged)} lie before the first cut); chance is averaged over {seeds} seeds.",
    ]
    if missing := [peer.name for peer in PEERS if peer not in peers]:
        notes.append(f"Left out, for want of a package or of texts: {', '.join(missing)}.")
    silent_rows = sum(not text.strip() for text in judged[-1].parts.corpus.texts)
    if silent_rows:
        notes.append(f"{silent_rows} rows have no text: content is silent on them.")
    return tuple(notes)
