"""Every command, once: each adapter registers from this table what has a skill, and `/help` prints it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bot.core import policies
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Type = Literal["text", "number", "choice", "member", "channel", "message"]

SHOWN = 40
"""Characters of a wrong value that are worth repeating."""
MONTH = 28 * 24 * 60
"""Minutes of the longest timeout that platforms know."""
CODE = 8
"""Characters of a code that links two accounts or communities."""
DAY = 10
"""Characters of a day, as in 2026-03-21."""
CASE = 6
"""Characters of the id of a case."""
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a case's id is made of: nothing that is taken for something else when it is read aloud or written down."""
SUGGESTED = 25
"""Suggestions at a time, which is what platforms show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What a command may be given. `bounds` of a number are inclusive; a text swallows the rest of the line.

    `suggestions` are offered while somebody types; other values are welcome too. In a line, a `named` one is given as
    `name:value` only. With `length`, a text is one word of so many characters, all of them of `letters` where there are
    some, and other words pass it over.
    """

    name: str
    type: Type
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    bounds: tuple[int, int] = (1, 10)
    suggestions: tuple[str, ...] = ()
    named: bool = False
    length: int = 0
    letters: str = ""

    @property
    def is_free(self) -> bool:
        """Return whether it is given in words of the member's own, which others may only quote."""
        return self.type == "text" and not (self.choices or self.suggestions or self.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command: who may use it, and what it is given.

    With `menu`, it also stands under these words in the menu of a message, which is then its argument of that type.
    """

    name: str
    help: str
    rank: Rank = Rank.MEMBER
    arguments: tuple[Argument, ...] = ()
    menu: str = ""


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
            Argument(
                name="interests",
                type="text",
                help=_("What you like; else your messages speak. Or: refused, forget, across on, across off"),
            ),
        ),
    ),
    Command(
        name="people",
        help=_("Members who share your interests, introduced where both want it"),
        arguments=(
            Argument(
                name="interests",
                type="text",
                help=_("What you like, or without it what you write about; on and off say whether you want it"),
            ),
        ),
    ),
    Command(
        name="foryou",
        help=_("Conversations that you missed and may care about, and why"),
    ),
    Command(
        name="ask",
        help=_("An answer from what this community knows, with its sources"),
        arguments=(Argument(name="question", type="text", help=_("Your question, in your own words"), required=True),),
    ),
    Command(
        name="search",
        help=_("What was said here, by meaning and by words"),
        arguments=(
            Argument(name="words", type="text", help=_("What to look for"), required=True),
            Argument(name="channel", type="channel", help=_("Only in this channel"), named=True),
            Argument(name="by", type="member", help=_("Only what this member said"), named=True),
            Argument(name="since", type="text", help=_("From this day on: 2026-03-21"), length=DAY, named=True),
            Argument(name="until", type="text", help=_("Up to this day, inclusive"), length=DAY, named=True),
        ),
    ),
    Command(
        name="privacy",
        help=_("What I hold about you: switch it off or on, see it, erase it"),
        arguments=(
            Argument(
                name="choice",
                type="choice",
                help=_("off, on, export, forget, link or unlink; notice, from the staff; else how things stand"),
                choices=("off", "on", "export", "forget", "link", "unlink", "notice"),
            ),
            Argument(
                name="code",
                type="text",
                help=_("With link: the code that your other account was given"),
                length=CODE,
            ),
            Argument(
                name="sure",
                type="choice",
                help=_("yes, with forget or a code: I do it at once and do not ask again"),
                choices=("yes",),
            ),
        ),
    ),
    Command(
        name="report",
        help=_("Tell the staff of a message, in confidence"),
        arguments=(
            Argument(name="message", type="message", help=_("The message"), required=True),
            Argument(name="reason", type="text", help=_("What is wrong with it")),
        ),
        menu=_("Report to staff"),
    ),
    Command(
        name="appeal",
        help=_("Tell the staff that what was done to you is wrong"),
        arguments=(
            Argument(
                name="case", type="text", help=_("The case; without it, your latest"), length=CASE, letters=LETTERS
            ),
            Argument(name="text", type="text", help=_("Why it is wrong, in your own words")),
        ),
    ),
    Command(
        name="mod",
        help=_("Warn a member, time them out, kick them, let them come back; the cases that wait"),
        rank=Rank.STAFF,
        arguments=(
            Argument(
                name="action",
                type="choice",
                help=_("warn, timeout, kick, ban, unban or untimeout; a case, or the queue of those that wait"),
                required=True,
                choices=("warn", "timeout", "kick", "ban", "unban", "untimeout", "case", "queue"),
            ),
            Argument(name="case", type="text", help=_("With case: which one"), length=CASE, letters=LETTERS),
            Argument(name="member", type="member", help=_("Whom; with case, whose cases")),
            Argument(
                name="minutes",
                type="number",
                help=_("How long a timeout lasts; an hour, if nothing is said"),
                bounds=(1, MONTH),
            ),
            Argument(name="reason", type="text", help=_("Why: for the record, and for whom a warning is for")),
        ),
    ),
    Command(
        name="draft",
        help=_("Entries of the FAQ, from what is asked often or by hand; and new channels"),
        rank=Rank.STAFF,
        arguments=(
            Argument(
                name="action",
                type="choice",
                help=_("faq, with a question or without; list; remove, with a number; or groups, for new channels"),
                required=True,
                choices=("faq", "list", "remove", "groups"),
            ),
            Argument(name="question", type="text", help=_("The question; with remove, the number of the entry")),
            Argument(name="answer", type="text", help=_("The answer to it"), named=True),
            Argument(
                name="channel", type="channel", help=_("Whoever may read this channel may read the entry"), named=True
            ),
        ),
    ),
    Command(
        name="pulse",
        help=_("How the community is doing: how much is said, in what mood, and about what"),
        rank=Rank.STAFF,
        arguments=(
            Argument(name="action", type="choice", help=_("watch, for the words that you watch"), choices=("watch",)),
            Argument(
                name="change",
                type="choice",
                help=_("With watch: add a word, remove it, or list them"),
                choices=("add", "remove", "list"),
            ),
            Argument(name="word", type="text", help=_("With watch: the word, or a few")),
            Argument(
                name="channel", type="channel", help=_("Only this channel; else all that you may read"), named=True
            ),
            Argument(
                name="days",
                type="number",
                help=_("How many days back; 30, if nothing is said"),
                bounds=(7, 90),
                named=True,
            ),
        ),
    ),
    Command(
        name="why",
        help=_("Why I did something, or did not"),
        rank=Rank.STAFF,
        arguments=(Argument(name="message", type="message", help=_("A message; without it, the latest here")),),
        menu=_("Why?"),
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
        name="schedule",
        help=_("What I do of my own accord, and when"),
        rank=Rank.STAFF,
        arguments=(
            Argument(
                name="action",
                type="choice",
                help=_("list; or set, pause, resume or run one of them"),
                choices=("list", "set", "pause", "resume", "run"),
            ),
            Argument(name="name", type="text", help=_("Which one")),
            Argument(
                name="when",
                type="text",
                help=_("With set: when it comes, or off, or default"),
                suggestions=("daily 09:00", "mon 09:00", "mon,thu 18:30", "mon-fri 08:00", "off", "default"),
            ),
        ),
    ),
    Command(
        name="setup",
        help=_("How this community wants me"),
        rank=Rank.OWNER,
        arguments=(
            Argument(
                name="setting",
                type="text",
                help=_("A setting; without it, how things stand and what comes next"),
                suggestions=(policies.PRESET, "link", *policies.FIELDS),
            ),
            Argument(name="value", type="text", help=_("Its new value; `default` for the default")),
            Argument(name="channel", type="channel", help=_("Only in this channel"), named=True),
        ),
    ),
)


def find(name: str) -> Command | None:
    """Return the command called so."""
    return next((command for command in COMMANDS if command.name == name), None)


def served(names: Collection[str], suggestions: Mapping[str, tuple[str, ...]]) -> list[Command]:
    """Return the commands of these names, with what to suggest for the arguments called `command.argument`."""
    return [
        replace(command, arguments=tuple(_suggesting(command, one, suggestions) for one in command.arguments))
        for command in COMMANDS
        if command.name in names
    ]


def _suggesting(command: Command, argument: Argument, suggestions: Mapping[str, tuple[str, ...]]) -> Argument:
    found = suggestions.get(f"{command.name}.{argument.name}", argument.suggestions)
    return replace(argument, suggestions=found)


def suggest(command: Command, name: str, typed: str, given: Mapping[str, str]) -> list[str]:
    """Return what an argument may become while it is typed, by what was `given` for the others; 25 at most."""
    argument = next((one for one in command.arguments if one.name == name), None)
    if argument is None:
        return []
    offered = argument.choices or argument.suggestions
    if (command.name, name) == ("setup", "value"):
        offered = policies.values(given.get("setting", ""))
    wanted = typed.strip().casefold()
    begin = [one for one in offered if one.casefold().startswith(wanted)]
    contain = [one for one in offered if wanted in one.casefold() and one not in begin]
    return [*begin, *contain][:SUGGESTED]


def read(command: Command, line: str) -> dict[str, str]:
    """Read arguments from the words after a command, as platforms need it that send a line. Raises Mistake.

    `name:value` names an argument; other words fill the arguments in order, the last text taking the rest.
    """
    given: dict[str, str] = {}
    words = line.split()
    places = [one for one in command.arguments if not one.named]
    while words:
        argument = _named(command, given, words[0])
        if argument is not None:
            words[0] = words[0].partition(":")[2]
        else:
            argument = _next(command, places, words[0])
        places = [one for one in places if one is not argument]
        swallows = argument.type == "text" and not argument.length
        last = swallows and all(one.type == "number" and not one.required for one in places)
        taken = _until_named(command, {**given, argument.name: ""}, words) if last else 1
        given[argument.name] = " ".join(words[:taken]).strip()
        words = words[taken:]
    return check(command, given)


def _named(command: Command, given: Mapping[str, str], word: str) -> Argument | None:
    """Return the argument that a word names and that is not given yet."""
    name, colon, *_rest = word.partition(":")
    return next((one for one in command.arguments if colon and one.name == name and name not in given), None)


def _next(command: Command, places: list[Argument], word: str) -> Argument:
    """Return what a word is for, by its place; a number or a code that may be left out is, where other words stand."""
    while len(places) > 1 and not places[0].required and _passes(places[0], word):
        places.pop(0)
    if not places:
        raise _too_many(command)
    return places[0]


def _passes(argument: Argument, word: str) -> bool:
    """Say whether a word is for what comes after an argument."""
    if argument.type == "number":
        return not any(letter.isdigit() for letter in word)
    strange = argument.letters and set(word) - set(argument.letters)
    return argument.length > 0 and (len(word) != argument.length or bool(strange))


def _until_named(command: Command, given: Mapping[str, str], words: list[str]) -> int:
    """Count the words before the first that names another argument."""
    others = (number for number, word in enumerate(words) if number and _named(command, given, word))
    return next(others, len(words))


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
