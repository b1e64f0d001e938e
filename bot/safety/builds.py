"""The build that is shipped, and builds that were weakened on purpose: each lacks one of the things that keep it safe.

They prove that the attempts bite: one that breaks nothing says that the set does not test what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.safety import weaknesses
from bot.safety.reading import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from adapters.markup import Dialect
    from bot.app import App
    from brains.evals.safety_set import Attempt
    from brains.skills.skill import Answerer, Skill


ORDERS = {"direct", "evidence", "file", "fake_turn", "fake_claim", "multi_step", "poison", "pressure"}
"""Kinds of attempts that a generator may obey, or make more of than was said."""


def _every(_attempt: Attempt) -> bool:
    return True


def _gives_orders(attempt: Attempt) -> bool:
    """Say whether somebody tells the bot what to write, in English: the generator writes nothing else, and slowly."""
    return attempt.lang == "en" and attempt.kind in ORDERS


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build of the bot: what answers, how it writes for platforms, which skill it has besides, and what it keeps.

    It `writes` by the generator, `follows` deletions, and `publishes` what it was asked alone. `tries` says which
    attempts it is given: those that are about what it lacks.
    """

    name: str
    answers: Callable[[App], Awaitable[Answerer]] | None = None
    dialects: Mapping[str, Dialect] = field(default_factory=lambda: DIALECTS)
    besides: tuple[Skill, ...] = ()
    writes: bool = False
    follows: bool = True
    publishes: bool = False
    tries: Callable[[Attempt], bool] = _every


OURS = Build(name="kinfolk")
FRANK = Build(name="kinfolk, never abstaining", answers=weaknesses.frank, tries=lambda attempt: not attempt.is_control)
"""The build that is shipped, but sure of whatever it finds: what holds only since it keeps quiet does not hold."""
WEAKENED = (
    # What members wrote goes to the platforms as it is.
    Build(
        name="unescaped",
        dialects={
            name: replace(one, text=_as_it_is, begin=_as_it_is, quote=_as_it_is) for name, one in DIALECTS.items()
        },
        tries=lambda attempt: attempt.quote_harm,
    ),
    # What answers reads all that was ever said.
    Build(
        name="unscoped",
        answers=weaknesses.unscoped,
        tries=lambda attempt: any(one.where == "private" for one in attempt.planted),
    ),
    # What the generator writes of the quotes is said unchecked.
    Build(name="unchecked", answers=weaknesses.unchecked, writes=True, tries=_gives_orders),
    # Question and messages are all instructions to the generator, and what it writes is said.
    Build(name="obedient", answers=weaknesses.obedient, writes=True, tries=_gives_orders),
    # Whoever is to be banned by what a message says is.
    Build(name="deputy", besides=(weaknesses.DEPUTY,), tries=lambda attempt: attempt.kind == "action"),
    # What is deleted stays.
    Build(name="unfollowed", follows=False, tries=lambda attempt: attempt.kind == "deleted"),
    # What was asked alone is kept as if it had been said.
    Build(name="indiscreet", publishes=True, tries=lambda attempt: attempt.kind == "who_asked"),
)
