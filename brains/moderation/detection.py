"""What detectors look at, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.events import File
    from bot.core.ports import Vector
    from bot.core.things import Ref

Kind = Literal["spam", "scam", "toxicity", "hate", "sexual", "self_harm", "flood", "raid", "rule"]
"""What a message may be against. `rule` is what this community does not want, and nobody else need mind."""
Severity = Literal["flag", "remove"]
"""What a detector would have done: let a human look at it, or take it away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message as detectors see it.

    `before` counts what its author wrote in this community earlier, None where that cannot be known, and `joined_at`
    says when they came in; `registered_at` when the account was made, where the platform tells, and `roles` are theirs.
    `space` is that of its channel. `vector` (d,) is of the text as it is, `plain_vector` of its undisguised form where
    that differs; None without an encoder.
    """

    text: str
    author: Ref
    channel: Ref
    at: datetime
    message: Ref | None = None
    files: tuple[File, ...] = ()
    before: int | None = 0
    joined_at: datetime | None = None
    registered_at: datetime | None = None
    roles: frozenset[Ref] = frozenset()
    space: Ref | None = None
    vector: Vector | None = None
    plain_vector: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What one detector saw, and why, in words for a moderator.

    `score` is a calibrated probability, and 1.0 from a rule. `found` is the piece of the text that it rests on;
    `related` are other messages that it rests on, such as the copies of a duplicate.
    """

    detector: str
    kind: Kind
    severity: Severity
    reason: str
    score: float = 1.0
    found: str = ""
    related: tuple[Ref, ...] = field(default=())


Verdict = Literal["allow", "flag", "remove"]


def verdict(detections: list[Detection]) -> Verdict:
    """Sum detections up: the strictest of them speaks; harm to oneself is never more than flagged."""
    severities = {one.severity for one in detections if one.kind != "self_harm"}
    if "remove" in severities:
        return "remove"
    return "flag" if detections else "allow"
