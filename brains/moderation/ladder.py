"""What is done to a member, by the points that they hold and those that this case adds. Pure.

Points expire (`points_days`), so that nobody climbs by what they did last year. What others publish of theirs:
Zeppelin's guide to counters counts a warning 10, a mute 20 and a kick 40, bans from 50 on and takes one off a day;
nypsi mutes for longer each time and forgets after 30 days; Telegram's warning bots ban at the third warning, for good.
Users of Red (issue 3470) ask for points that expire, and those of YAGPDB (issue 435) for presets. Ours keeps Zeppelin's
proportions (a ban is about five warnings), puts a word without consequences first, and time-outs that grow before
anybody is sent out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.core.actions import Ruled, Rung

Strictness = Literal["gentle", "standard", "strict"]
HOUR, DAY = 60, 24 * 60
"""Minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done from so many points on; `minutes` of a timeout."""

    points: int
    rung: Rung
    minutes: int = 0


LADDERS: dict[Strictness, tuple[Step, ...]] = {
    "gentle": (
        Step(points=1, rung="note"),
        Step(points=3, rung="warn"),
        Step(points=5, rung="timeout", minutes=10),
        Step(points=7, rung="timeout", minutes=HOUR),
        Step(points=9, rung="timeout", minutes=DAY),
        Step(points=12, rung="kick"),
        Step(points=15, rung="ban"),
    ),
    "standard": (
        Step(points=1, rung="note"),
        Step(points=2, rung="warn"),
        Step(points=4, rung="timeout", minutes=HOUR),
        Step(points=6, rung="timeout", minutes=DAY),
        Step(points=8, rung="kick"),
        Step(points=10, rung="ban"),
    ),
    "strict": (
        Step(points=1, rung="warn"),
        Step(points=2, rung="timeout", minutes=HOUR),
        Step(points=4, rung="timeout", minutes=DAY),
        Step(points=6, rung="kick"),
        Step(points=7, rung="ban"),
    ),
}
"""From how many points on what is done."""
POINTS: dict[str, int] = {
    "spam": 3,
    "scam": 5,
    "toxicity": 2,
    "hate": 4,
    "sexual": 3,
    "flood": 1,
    "raid": 3,
    "rule": 1,
    "rude": 2,
    "off_topic": 0,
    "compromised": 0,
    "self_harm": 0,
    "fine": 0,
}
"""What a kind of case or a verdict adds. Somebody in need is never punished, nor is whose account was taken."""
BY_HAND: dict[str, int] = {"warn": 2, "timeout": 3, "kick": 5, "ban": 10}
"""What a step adds that staff took by hand."""


def step(strictness: Strictness, held: int, adds: int) -> Step:
    """Return what is done to who holds so many points when a case adds some more.

    What adds nothing is a note: they are told, and that is all.
    """
    if adds <= 0:
        return Step(points=max(0, held), rung="note")
    reached = [one for one in LADDERS[strictness] if one.points <= held + adds]
    return reached[-1] if reached else Step(points=held + adds, rung="note")


def adds(kind: str, verdict: Ruled) -> int:
    """Return the points that a case adds: those of its kind where the verdict bears it out, else the verdict's own."""
    if verdict in {"fine", "off_topic", "compromised"} or kind not in POINTS:
        return POINTS.get(verdict, 0)
    return max(POINTS[verdict], POINTS[kind]) if verdict and _bears_out(verdict, kind) else POINTS.get(verdict, 0)


def _bears_out(verdict: Ruled, kind: str) -> bool:
    """Say whether a verdict is of the kind that a case was opened for."""
    return kind in {"spam": ("spam", "scam", "flood", "raid"), "rude": ("toxicity", "hate", "sexual")}.get(verdict, ())
