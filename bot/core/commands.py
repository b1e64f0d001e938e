"""Every command, once: each adapter registers from this table what has a skill, and `/help` prints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Rank

Type = Literal["text", "number", "choice", "member", "channel", "message"]

SHOWN = 40
"""Characters of a wrong value that are worth repeating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What a command may be given. `bounds` of a number are inclusive; a text swallows the rest of the line."""

    name: str
    type: Type
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    bounds: tuple[int, int] = (1, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command: who may use it, and what it is given."""

    name: str
    help: str
    rank: Rank = Rank.MEMBER
    arguments: tuple[Argument, ...] = ()


COMMANDS = (
    Command(
        name="help",
        help=_("What I can do"),
        arguments=(Argument(name="command", type="text", help=_("One command, to hear more of it")),),
    ),
    Command(
        name="match",
        help=_("Channels where you belong, and why"),
        arguments=(
            Argument(name="interests", type="text", help=_("What you like; without it, your own messages speak")),
        ),
    ),
    Command(
        name="privacy",
        help=_("What I hold about you: switch it off or on, see it, erase it"),
        arguments=(
            Argument(
                name="choice",
                type="choice",
                help=_("off, on, export or forget; without it, how things stand"),
                choices=("off", "on", "export", "forget"),
            ),
        ),
    ),
    Command(
        name="why",
        help=_("Why I did something, or did not"),
        rank=Rank.STAFF,
        arguments=(Argument(name="message", type="message", help=_("A message; without it, the latest here")),),
    ),
    Command(
        name="undo",
        help=_("Take back what I did"),
        rank=Rank.STAFF,
        arguments=(Argument(name="message", type="message", help=_("A message; without it, the latest here")),),
    ),
    Command(
        name="mode",
        help=_("What a skill may do unasked: off, watch, ask or act"),
        rank=Rank.STAFF,
        arguments=(
            Argument(name="skill", type="text", help=_("A skill; without it, how all stand")),
            Argument(name="mode", type="choice", help=_("The mode"), choices=("off", "watch", "ask", "act")),
            Argument(name="channel", type="channel", help=_("Only in this channel")),
        ),
    ),
    Command(
        name="setup",
        help=_("How this community wants me"),
        rank=Rank.OWNER,
        arguments=(
            Argument(name="setting", type="text", help=_("A setting; without it, all of them")),
            Argument(name="value", type="text", help=_("Its new value; `default` for the default")),
        ),
    ),
)


def find(name: str) -> Command | None:
    """Return the command called so."""
    return next((command for command in COMMANDS if command.name == name), None)


def read(command: Command, line: str) -> dict[str, str]:
    """Read arguments from the words after a command, as platforms need it that send a line. Raises Mistake.

    `name:value` names an argument; other words fill the arguments in order, the last text taking the rest.
    """
    given: dict[str, str] = {}
    words = line.split()
    free = list(command.arguments)
    while words:
        name, colon, value = words[0].partition(":")
        named = next((one for one in free if colon and one.name == name), None)
        if not free:
            raise _too_many(command)
        argument = named or free[0]
        words[0] = value if named else words[0]
        free.remove(argument)
        swallow = argument.type == "text" and not free
        given[argument.name] = " ".join(words) if swallow else words[0]
        words = [] if swallow else words[1:]
    return check(command, given)


def check(command: Command, given: dict[str, str]) -> dict[str, str]:
    """Return the arguments that were given, each of its type. Raises Mistake that names the first wrong one."""
    known = {argument.name: argument for argument in command.arguments}
    for name, value in given.items():
        if name not in known:
            takes = ", ".join(known) or "-"
            raise Mistake(
                _("/{command} knows no {name!r}. It takes: {takes}."), command=command.name, name=name, takes=takes
            )
        _check(command, known[name], value)
    for argument in command.arguments:
        if argument.required and not given.get(argument.name):
            raise Mistake(
                _("/{command} needs {argument}. /help {command} says more."),
                command=command.name,
                argument=argument.name,
            )
    return {name: value for name, value in given.items() if value}


def _check(command: Command, argument: Argument, value: str) -> None:
    if argument.type == "choice" and value and value not in argument.choices:
        sentence = _("/{command}: {argument} is one of {choices}, not {value!r}.")
        choices = ", ".join(argument.choices)
        raise Mistake(sentence, command=command.name, argument=argument.name, choices=choices, value=value[:SHOWN])
    least, most = argument.bounds
    if argument.type == "number" and value and not _is_within(value, least, most):
        sentence = _("/{command}: {argument} is a number from {least} to {most}, not {value!r}.")
        raise Mistake(
            sentence, command=command.name, argument=argument.name, least=least, most=most, value=value[:SHOWN]
        )


def _is_within(value: str, least: int, most: int) -> bool:
    """Say whether a value is a number in bounds; Python itself refuses to read one of thousands of digits."""
    return value.isdecimal() and len(value) <= SHOWN and least <= int(value) <= most


def _too_many(command: Command) -> Mistake:
    if not command.arguments:
        return Mistake(_("/{command} takes nothing after it."), command=command.name)
    return Mistake(_("/{command} takes {count} words at most."), command=command.name, count=len(command.arguments))
