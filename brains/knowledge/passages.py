"""What may be cited: messages and notes as they read now, and the conversations that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.things import Channel, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A message, a piece of a file, or an entry of the FAQ, read within its reader's reach.

    `source` names it: the reference of a message, or `note:NUMBER`. `author` is 0 for notes, and `heading` is what
    stands above a piece of a file, or the question of an entry. `url` is where a note is found, if anywhere.
    """

    source: Ref
    number: int
    channel: Channel
    author: int
    text: str
    at: datetime
    heading: str = ""
    url: str = ""
    reply_to: Ref | None = None

    @property
    def is_note(self) -> bool:
        """Return whether it is no message."""
        return self.source.platform == NOTE


NOTE = "note"
"""What stands where a platform does in the reference of a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What belongs together, oldest first, and the passages of it that were found, best first.

    `score` compares within one search only. `answered` says that somebody else replied to who began it. `also` are
    passages elsewhere that say the same as the best one.
    """

    passages: Sequence[Passage]
    found: Sequence[Passage]
    score: float
    answered: bool = False
    also: Sequence[Passage] = ()

    @property
    def best(self) -> Passage:
        """Return the passage that was found first."""
        return self.found[0]
