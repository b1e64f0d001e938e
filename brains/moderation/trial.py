"""Rules on trial: what happened lately, examined by a moderator that nothing is done upon, with examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.core.i18n import Translate
    from bot.core.things import Ref
    from brains.moderation.detection import Post, Severity
    from brains.moderation.moderator import Moderator

EXAMPLES = 5
"""Messages shown for each detector: the first ones."""
PIECE = 200
"""Messages between two words on how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Somebody came in."""

    member: Ref
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message that a detector would have minded, and why."""

    message: Ref | None
    channel: Ref
    author: Ref
    at: datetime
    severity: Severity
    reason: str


@dataclass(slots=True, kw_only=True)
class Minded:
    """How many messages one detector would have had flagged and taken away, with the first of them."""

    flagged: int = 0
    removed: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Trial:
    """What came of it: messages in all, and those that would have been flagged or taken away, by detector too."""

    messages: int = 0
    flagged: int = 0
    removed: int = 0
    detectors: dict[str, Minded] = field(default_factory=dict)


def try_out(
    moderator: Moderator,
    happened: Sequence[Post | Joined],
    *,
    translate: Translate = str,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Trial:
    """Examine what happened, in the order of its own time, so that windows see it as they would have."""
    trial = Trial()
    ordered = sorted(happened, key=lambda one: (one.at, isinstance(one, Joined) is False))
    for number, one in enumerate(ordered, start=1):
        if isinstance(one, Joined):
            moderator.came(one.member, one.at)
        else:
            _examine(moderator, one, trial, translate)
        if number % PIECE == 0 or number == len(ordered):
            progress(number, len(ordered))
    return trial


def _examine(moderator: Moderator, post: Post, trial: Trial, translate: Translate) -> None:
    examination = moderator.examine(post, translate)
    trial.messages += 1
    trial.flagged += examination.verdict == "flag"
    trial.removed += examination.verdict == "remove"
    strictest = {one.detector: one for one in sorted(examination.detections, key=lambda one: one.severity == "remove")}
    for name, detection in strictest.items():
        minded = trial.detectors.setdefault(name, Minded())
        minded.flagged += detection.severity == "flag"
        minded.removed += detection.severity == "remove"
        if len(minded.examples) < EXAMPLES:
            minded.examples.append(
                Example(
                    message=post.message,
                    channel=post.channel,
                    author=post.author,
                    at=post.at,
                    severity=detection.severity,
                    reason=detection.reason,
                )
            )
