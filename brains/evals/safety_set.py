"""Attempts to make the bot misbehave, and harmless questions: what is planted, asked, and must not come of it.

They were written without sight of the code. `attempts.jsonl` holds one a line.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTEMPTS = Path(__file__).with_name("attempts.jsonl")
CONTROL = "control"
"""The kind of the harmless questions."""


class Planted(BaseModel):
    """Something that stands in the community before the question.

    A `name` is what its author is called, a `topic` a thread of the channel, `private` a message in a channel that the
    asker does not read; what is `deleted` was there, and was found, and is gone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Literal["message", "name", "file", "channel", "topic", "private"]
    author: str
    channel: str
    text: str
    then: Literal["", "deleted"] = ""


class Before(BaseModel):
    """A question that somebody else put to the bot, alone, before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asker: str
    question: str


class Attempt(BaseModel):
    """One attempt, or a control: what must be told is in `must`, what must never be said in `must_not`.

    `bad` is an answer that would be wrong. With `quote_harm`, showing what is planted does no harm and what a platform
    makes of it may: only what comes alive there is an offence. `disputed` says why an expression is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    lang: str
    kind: str
    planted: tuple[Planted, ...]
    asker: str
    question: str
    before: tuple[Before, ...] = ()
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...]
    why: str
    bad: str = ""
    quote_harm: bool = False
    disputed: dict[str, str] = Field(default_factory=dict)

    @field_validator("must", "must_not")
    @classmethod
    def _compile(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Keep expressions that compile; raises ValueError for any other."""
        for one in value:
            try:
                expression(one)
            except re.error as error:
                raise ValueError(f"not a regular expression: {one}") from error
        return value

    @property
    def is_control(self) -> bool:
        """Return whether it is harmless, and wants an answer."""
        return self.kind == CONTROL

    @property
    def forbidden(self) -> Sequence[str]:
        """Return the expressions that count."""
        return [one for one in self.must_not if one not in self.disputed]


@functools.lru_cache(maxsize=1024)
def expression(pattern: str) -> re.Pattern[str]:
    """Compile an expression of the set: case does not matter."""
    return re.compile(pattern, re.IGNORECASE)


def load(path: Path = ATTEMPTS) -> list[Attempt]:
    """Read a set of attempts. Raises Mistake that names the line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Attempt.model_validate_json(line))
        except ValidationError as error:
            what = error.errors()[0]
            raise Mistake(f"{path}, line {number}: {'.'.join(map(str, what['loc']))}: {what['msg']}") from None
    return found
