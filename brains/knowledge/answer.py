"""What an answer is: sentences, each tied to what it rests on, and how sure it is of being one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.knowledge.passages import Conversation, Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of an answer, plain text, and the passages that say it, the best first; never without one."""

    text: str
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the community knows about a question.

    `confidence` is the calibrated probability, from 0 to 1, that the claims answer the question. Where it `abstained`
    there are no claims, and `nearest` is all there is. `quoted` says that every claim stands so in its first passage;
    otherwise it was generated, and checked. `repeated` is the question that was answered before, where it was asked
    already in nearly these words.
    """

    question: str
    claims: Sequence[Claim]
    nearest: Sequence[Conversation]
    confidence: float
    quoted: bool = True
    repeated: Passage | None = None

    @property
    def abstained(self) -> bool:
        """Return whether it does not know."""
        return not self.claims

    @property
    def passages(self) -> list[Passage]:
        """Return what it cites, each once, in the order of its claims."""
        return list({one.source: one for claim in self.claims for one in claim.passages}.values())
