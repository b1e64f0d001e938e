"""Commands in a message that names the bot: `@Kinfolk match boats`, where a platform has no other way for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.commands import Argument, Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command and what stands after it."""

    name: str
    line: str


def command_in(text: str, commands: Sequence[Command]) -> Line | None:
    """Return the command that a message to the bot gives, None for one that only says something.

    With a slash it is meant as one, whether there is such a command or not. Without, the first word must be a command
    and the next must suit it: `help me` and `why not` are said to the bot, `help match` is asked of it.
    """
    first, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if first.startswith("/") and first[1:].isidentifier():
        return Line(name=first[1:].lower(), line=rest)
    command = next((one for one in commands if one.name == first.lower()), None)
    if command is None or not _suits(command, rest):
        return None
    return Line(name=command.name, line=rest)


def _suits(command: Command, rest: str) -> bool:
    """Say whether what stands after a command may be meant for it."""
    if not rest:
        return True
    if not command.arguments:
        return False
    argument, word = command.arguments[0], rest.split(maxsplit=1)[0].casefold()
    return _takes(argument, word) or any(word.startswith(f"{one.name}:") for one in command.arguments)


def _takes(argument: Argument, word: str) -> bool:
    match argument.type:
        case "choice":
            return word in argument.choices
        case "text":
            return not argument.suggestions or word.lstrip("/") in argument.suggestions
        case "number":
            return word.isdecimal()
        case "message":
            return any(sign.isdigit() for sign in word)
        case _:
            return True
