"""Every error a user can meet. Anything else is a bug.

KinfolkError
├── Misconfigured   start-up: a setting is wrong; names the variable and the fix        exit 2
├── Mistake         the asker's: an unknown member, a file that is not what it says     exit 2
├── NotAllowed      says who may                                                        exit 2
└── Unavailable     a part is away; says which, and what goes on without it             exit 1
    ├── Overloaded  its queue is full: try again later
    └── Gone        it died or refuses connections; it is being started again
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


class KinfolkError(Exception):
    """Says what happened, to whom it matters and what to do next.

    With `values`, the message is a sentence with places for them, so that it can be said in the reader's language.
    """

    exit_code = 1

    def __init__(self, message: str = "", **values: object) -> None:
        super().__init__(message.format(**values) if values else message)
        self.message = message
        self.values = values

    def say(self, translate: Callable[[str], str]) -> str:
        """Say it in a language."""
        return translate(self.message).format(**self.values) if self.values else translate(self.message)


class Misconfigured(KinfolkError):
    """A setting is wrong; the message names the variable and the fix."""

    exit_code = 2


class Mistake(KinfolkError):
    """What was asked for cannot be done as it was asked."""

    exit_code = 2


class NotAllowed(KinfolkError):
    """The asker may not; the message says who may."""

    exit_code = 2


class Unavailable(KinfolkError):
    """A part of the bot is away for now."""


class Overloaded(Unavailable):
    """A bounded queue is full: back off for `after` seconds, or do without.

    `scope` says what must wait: one `route` (a kind of act in one chat), the `chat`, or `all`. With no seconds to wait,
    an act was begun and goes on in its next turn.
    """

    def __init__(
        self,
        message: str = "",
        *,
        after: float = 1.0,
        scope: Literal["route", "chat", "all"] = "chat",
        **values: object,
    ) -> None:
        super().__init__(message, **values)
        self.after = after
        self.scope = scope


class Gone(Unavailable):
    """A process cannot be reached; callers may try again."""
