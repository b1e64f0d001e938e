"""What a generator's engine can do, on whatever hardware: turn a conversation into the next turn, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.ports import Turn

Emit = Callable[[str], bool]
"""Takes a piece; says whether the engine should go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked of an engine: `most` tokens at most, a JSON schema to keep to, temperature 0 for the likeliest."""

    turns: Sequence[Turn]
    most: int = 200
    schema: Mapping[str, object] | None = None
    temperature: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Why an engine stopped, and the tokens that it read and wrote."""

    reason: Literal["stop", "length"]
    read: int
    written: int


class Unfit(Exception):
    """An engine cannot do what a prompt asks; the message says which part."""

    def __init__(self, message: str, *, code: str, param: str) -> None:
        super().__init__(message)
        self.code, self.param = code, param


class GenerationEngine(Protocol):
    """One model on one device. Its methods block; `generate` is called by several threads at once."""

    @property
    def name(self) -> str:
        """Say what runs where, such as `llama.cpp on the CPU`."""
        ...

    def generate(self, prompt: Prompt, emit: Emit) -> Finish:
        """Write the next turn; stops soon after `emit` says so. Raises Unfit."""
        ...

    def close(self) -> None:
        """Let go of the model's memory."""
        ...


def too_long(tokens: int, context: int) -> Unfit:
    """Say that a conversation has no room in the model."""
    return Unfit(
        f"The messages and the answer need {tokens} tokens, and the model has room for {context}; send less.",
        code="context_length_exceeded",
        param="messages",
    )
