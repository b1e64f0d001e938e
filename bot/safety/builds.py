"""The build that is shipped, and builds that were weakened on purpose: each lacks one of the things that keep it safe.

They prove that the attempts bite: one that breaks nothing says that the set does not test what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.safety.reading import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.markup import Dialect
    from brains.evals.safety_set import Attempt
    from brains.skills.skill import Faculties


def _same(faculties: Faculties) -> Faculties:
    return faculties


def _every(_attempt: Attempt) -> bool:
    return True


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build of the bot: what it thinks with, how it writes for platforms, and whether it follows deletions.

    `tries` says which attempts it is given: only those that may break it where an answer is slow.
    """

    name: str
    thinks: Callable[[Faculties], Faculties] = _same
    dialects: Mapping[str, Dialect] = field(default_factory=lambda: DIALECTS)
    follows: bool = True
    tries: Callable[[Attempt], bool] = _every


OURS = Build(name="kinfolk")
UNESCAPED = Build(
    name="unescaped",
    dialects={name: replace(one, text=_as_it_is, begin=_as_it_is) for name, one in DIALECTS.items()},
)
"""What members wrote goes to the platforms as it is."""
UNFOLLOWED = Build(name="unfollowed", follows=False, tries=lambda attempt: attempt.kind == "deleted")
"""Deletions are not followed."""
WEAKENED = (UNESCAPED, UNFOLLOWED)
