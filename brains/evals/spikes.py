"""`eval spikes`: are spikes found that are put into real times, how soon, and how many alarms are false?

Into a channel's own times, extra messages are put over an hour, evenly by chance, of members drawn as they wrote in the
community in the eight weeks before. How many is told by the rule: what it takes within half an hour (20 messages, and 4
times what is usual by the channel's last weeks), times a size. Without them every alarm counts as false, though the
channel may have been excited in truth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bot.core.errors import Mistake
from brains.evals.evaluation import Evaluation, compare
from brains.evals.metrics import bootstrap, clustered
from brains.rhythm import spikes
from brains.rhythm.spikes import HOUR, LEAST, SEASON, TIMES, WEEK, WEEKS, YOUNG
from brains.training import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from brains.evals.evaluation import Measured
    from brains.rhythm.spikes import Floats, Rhythm

TICK = 300.0
"""Seconds from one look to the next, as the bot looks."""
SOON = 1_800.0
"""Seconds within which a spike is to be found."""
CALM = 6 * HOUR
"""For so long after an alarm is over, the same channel is not told of again: the bot's own rule, for every method."""
MONTH = 365.25 / 12 * 24 * HOUR
SIZES = (1.5, 2.0, 3.0, 5.0)
"""How many times what the rule takes within half an hour is put in."""
EDGE = (1.0, 1.25)
"""Sizes at the edge of the rule, told beside: by chance, half of the smallest fall short of it."""
BY_TWO = (1.5, 3.0)
"""Sizes of spikes that two members make alone, told beside."""
ALIVE = 10
"""Messages of the last four weeks that a channel has into which a spike is put."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Messages: when each was sent, sorted (n,), and who wrote it (n,)."""

    times: Floats
    authors: Floats

    def between(self, begin: float, end: float) -> Series:
        """Return those after an instant, up to another one."""
        first, last = np.searchsorted(self.times, [begin, end], "right")
        return Series(times=self.times[first:last], authors=self.authors[first:last])

    def count(self, now: float) -> int:
        """Count those of the last hour."""
        return len(self.between(now - HOUR, now).times)

    def by_hour(self, end: float, hours: int) -> tuple[Floats, Floats]:
        """Count messages and members in so many hours (h,), the last of them ending at `end`."""
        begin = end - hours * HOUR
        first, last = np.searchsorted(self.times, [begin, end])
        at = ((self.times[first:last] - begin) // HOUR).astype(np.int64)
        each = np.unique(np.stack([at, self.authors[first:last].astype(np.int64)]), axis=1)[0]
        counts = (np.bincount(one, minlength=hours)[:hours] for one in (at, each))
        messages, people = (one.astype(np.float64) for one in counts)
        return messages, people


class Method(Protocol):
    """Says whether a channel is excited at an instant."""

    def found(self, name: str, said: Series, now: float) -> bool:
        """Say whether to raise an alarm."""
        ...

    def goes_on(self, name: str, said: Series, now: float) -> bool:
        """Say whether what was told of goes on."""
        ...


class Ours:
    """The bot's own rule, by what it reads at that instant."""

    def __init__(self, everywhere: Series) -> None:
        self._everywhere = everywhere
        self._known: dict[tuple[str, float], Rhythm | None] = {}

    def found(self, name: str, said: Series, now: float) -> bool:
        """Say whether a spike is on."""
        usual, last = self._usual(name, said, now), said.between(now - HOUR, now)
        return usual is not None and spikes.find(last.times, last.authors.tolist(), now, usual) is not None

    def goes_on(self, name: str, said: Series, now: float) -> bool:
        """Say whether it goes on."""
        usual = self._usual(name, said, now)
        return usual is not None and spikes.goes_on(said.between(now - HOUR, now).times, now, usual)

    def _usual(self, name: str, said: Series, now: float) -> Rhythm | None:
        end = float((now - HOUR) // HOUR * HOUR)
        if (name, end) not in self._known:
            self._known[name, end] = self._learned(said, end)
        return self._known[name, end]

    def _learned(self, said: Series, end: float) -> Rhythm | None:
        age = int((end - said.times[0]) // HOUR)
        if age < YOUNG:
            return None
        messages, people = said.by_hour(end, min(age, WEEKS * WEEK))
        season = self._everywhere.by_hour(end, SEASON)[0] if age >= SEASON else None
        return spikes.rhythm(messages, end, people=people, everywhere=season)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A simple rule: 20 messages in the last hour (`fixed`), and 3 `deviations` or 4 `times` above its past."""

    kind: str = "fixed"

    def found(self, name: str, said: Series, now: float) -> bool:
        """Say whether the rule is met."""
        del name
        count = said.count(now)
        if count < LEAST or self.kind == "fixed":
            return count >= LEAST
        if self.kind == "deviations":
            past = said.by_hour(now - HOUR, WEEK)[0]
            return bool(count >= past.mean() + 3 * past.std())
        rate = said.by_hour(now - HOUR, 4 * WEEK)[0].mean()
        counts = {seconds: len(said.between(now - seconds, now).times) for seconds in spikes.WINDOWS}
        return any(many >= LEAST and many >= TIMES * rate * seconds / HOUR for seconds, many in counts.items())

    def goes_on(self, name: str, said: Series, now: float) -> bool:
        """Say whether half of it is still there."""
        del name
        return said.count(now) >= LEAST / 2


OURS = "kinfolk"
BASELINES = {
    "20 an hour": Plain(),
    "mean and 3 deviations": Plain(kind="deviations"),
    "4 times, no season": Plain(kind="times"),
}
"""What a community would do without us; none of them raises an alarm below 20 messages, as the rule has it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One spike: in which channel and when it begins, of what size and by how many, and what is said there with it."""

    name: str
    said: Series
    begin: float
    size: float
    by_two: bool


def judge(path: Path, *, begin: float, end: float = np.inf, count: int = 200, seed: int = 0) -> Evaluation:
    """Judge rows of `user, channel or room, ts` between two instants. Raises Mistake where no channel is alive."""
    started = time.monotonic()
    channels = read(path)
    everywhere = _together(list(channels.values()))
    end = min(end, float(everywhere.times[-1]))
    first = max(begin, float(everywhere.times[0]))
    trials = list(_trials(channels, everywhere, begin=first, end=end, count=count, seed=seed))
    told = [one for one in trials if one.size in SIZES and not one.by_two]
    methods: dict[str, Method] = {OURS: Ours(everywhere), **BASELINES}
    measured: dict[str, Measured] = {}
    figures: dict[str, dict[str, float]] = {}
    notes: list[str] = []
    for name, method in methods.items():
        delays = {id(one): _delay(method, one) for one in trials}
        found = np.array([delays[id(one)] <= SOON for one in told], dtype=np.float64)
        measured[name] = {"found": found}
        alarms = {one: _alarms(method, one, said, begin, end) for one, said in channels.items()}
        figures[name] = _figures(trials, delays, found) | _false(alarms, channels, begin, end)
        notes += _intervals(name, found, alarms, channels, (begin, end))
    return Evaluation(
        task="spikes",
        n=len(told),
        ours=figures.pop(OURS),
        baselines=figures,
        comparison=compare(measured.pop(OURS), measured, "found"),
        seconds=round(time.monotonic() - started, 1),
        notes=tuple(notes),
    )


def read(path: Path) -> dict[str, Series]:
    """Read when who wrote in each channel. Raises Mistake for a file without them."""
    said: dict[str, list[tuple[float, int]]] = {}
    people: dict[str, int] = {}
    for row in rows.rows(path):
        channel = row.text("channel", default="") or row.text("room")
        said.setdefault(channel, []).append((row.moment("ts"), people.setdefault(row.text("user"), len(people))))
    if not said:
        raise Mistake(f"{path} holds no messages.")
    return {name: _series(np.array(sorted(one), dtype=np.float64)) for name, one in said.items()}


def _series(pairs: Floats) -> Series:
    return Series(times=pairs[:, 0], authors=pairs[:, 1])


def _together(several: Sequence[Series]) -> Series:
    times, authors = (np.concatenate([getattr(one, name) for one in several]) for name in ("times", "authors"))
    order = np.argsort(times, kind="stable")
    return Series(times=times[order], authors=authors[order])


def _trials(
    channels: Mapping[str, Series], everywhere: Series, *, begin: float, end: float, count: int, seed: int
) -> Iterator[Trial]:
    """Put spikes into channels that are alive, at instants drawn by chance: each instant in every size."""
    drawn, names, made = np.random.default_rng(seed), sorted(channels), 0
    for _attempt in range(1_000 * count):
        name, at = names[drawn.integers(len(names))], float(drawn.uniform(begin, end))
        said = channels[name]
        if said.by_hour(at, 4 * WEEK)[0].sum() < ALIVE or said.times[0] > at - 4 * WEEK * HOUR or said.times[-1] < at:
            continue
        pool = everywhere.between(at - WEEKS * WEEK * HOUR, at).authors
        for size in (*EDGE, *SIZES):
            yield _trial(name, said, at, drawn=drawn, size=size, pool=pool)
        for size in BY_TWO:
            yield _trial(name, said, at, drawn=drawn, size=size, pool=drawn.choice(pool, 2), by_two=True)
        made += 1
        if made == count:
            return
    raise Mistake("No channel there is alive for long enough to put spikes into.")


def _trial(
    name: str, said: Series, at: float, *, drawn: np.random.Generator, size: float, pool: Floats, by_two: bool = False
) -> Trial:
    many = drawn.poisson(2 * size * takes(said, at))
    more = Series(times=at + drawn.uniform(0, HOUR, many), authors=drawn.choice(pool, many))
    around = said.between(at - (WEEKS + 1) * WEEK * HOUR, at + 2 * HOUR)
    first = Series(times=said.times[:1], authors=said.authors[:1])  # by which its age is known
    return Trial(name=f"{name} {at}", said=_together([first, around, more]), begin=at, size=size, by_two=by_two)


def takes(said: Series, at: float) -> float:
    """Return what the rule takes in half an hour, by the mean of four weeks or of eight at this hour of the week."""
    flat = float(said.by_hour(at, 4 * WEEK)[0].mean())
    same = float(said.by_hour(at, WEEKS * WEEK)[0][::WEEK].mean())
    return max(float(LEAST), TIMES * max(flat, same) / 2)


def _delay(method: Method, trial: Trial) -> float:
    """Return after how many seconds a method finds a spike within its hour; infinity where it does not."""
    looks = np.arange(np.ceil(trial.begin / TICK) * TICK, trial.begin + HOUR + 1, TICK)
    name = f"{trial.name} {trial.size} {trial.by_two}"
    return next((now - trial.begin for now in map(float, looks) if method.found(name, trial.said, now)), np.inf)


def _alarms(method: Method, name: str, said: Series, begin: float, end: float) -> list[float]:
    """Return when a method raises an alarm in a channel between two instants; what goes on is one alarm."""
    raised: list[float] = []
    last = -np.inf
    for now in _looks(said.times, begin, end):
        if now - last <= CALM:
            last = now if method.goes_on(name, said, now) else last
        elif method.found(name, said, now):
            raised.append(now)
            last = now
    return raised


def _looks(times: Floats, begin: float, end: float) -> Iterator[float]:
    """Yield the looks at which half of the least that an alarm takes was said in the last hour."""
    half, done = LEAST // 2, -np.inf
    for first, last in zip(times, times[half - 1 :], strict=False):
        if last - first > HOUR or not begin <= last < end:
            continue
        now = max(np.ceil(last / TICK) * TICK, done + TICK)
        while now <= first + HOUR:
            yield float(now)
            done, now = now, now + TICK


def _figures(trials: Sequence[Trial], delays: Mapping[int, float], found: Floats) -> dict[str, float]:
    """Return the share found within half an hour, of all sizes and each, and after how many minutes in the median."""
    figures = {"found": round(float(found.mean()), 4)}
    soon = [delays[id(one)] for one in trials if one.size in SIZES and not one.by_two and delays[id(one)] < np.inf]
    figures["minutes"] = round(float(np.median(soon)) / 60, 1) if soon else 0.0
    for by_two, sizes in ((False, (*EDGE, *SIZES)), (True, BY_TWO)):
        for size in sizes:
            mine = [delays[id(one)] <= SOON for one in trials if one.size == size and one.by_two is by_two]
            figures[f"found x{size:g}{' by two' if by_two else ''}"] = round(float(np.mean(mine)), 4)
    return figures


def _months(said: Series, begin: float, end: float) -> Floats:
    """Return in which months a channel said anything, by number (m,)."""
    inside = said.times[(said.times >= begin) & (said.times < end)]
    return np.unique((inside - begin) // MONTH)


def _false(
    alarms: Mapping[str, Sequence[float]], channels: Mapping[str, Series], begin: float, end: float
) -> dict[str, float]:
    """Return the alarms in a month of a channel in which anything was said, and in the channel that has most."""
    months = {name: len(_months(said, begin, end)) for name, said in channels.items()}
    each = [len(alarms[name]) / count for name, count in months.items() if count]
    return {
        "false a channel-month": round(sum(map(len, alarms.values())) / max(sum(months.values()), 1), 4),
        "false in the worst channel": round(max(each, default=0.0), 4),
    }


def _intervals(
    name: str,
    found: Floats,
    alarms: Mapping[str, Sequence[float]],
    channels: Mapping[str, Series],
    span: tuple[float, float],
) -> list[str]:
    """Say between what the figures lie, 95 %: of the share found by trials, of false alarms by channel-months."""
    begin, end = span
    each = [
        (channel, float(sum((at - begin) // MONTH == month for at in alarms[channel])))
        for channel, said in channels.items()
        for month in _months(said, begin, end)
    ]
    share, false = bootstrap(found), clustered(np.array([many for _c, many in each]), [one for one, _m in each])
    return [
        f"{name}: found {share.low:.3f} to {share.high:.3f}; "
        f"false a channel-month {false.low:.3f} to {false.high:.3f} (channels resampled), {len(each)} channel-months"
    ]
