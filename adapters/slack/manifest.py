"""The app's manifest: all that Slack is to know of the app, from the table of commands and that of its needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.slack import needs, told
from bot.core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.slack.told import Told
    from bot.core.commands import Argument, Command

NAME = "Kinfolk"
DESCRIPTION = "Helps members find the channels and the people they belong with."
LONG = (
    "Kinfolk lives in the channels that it is invited to. It helps members find the channels and the people they "
    "belong with, answers from what the community already knows, keeps the place safe, and tells the staff how the "
    "community is doing. What it holds about a member they see, switch off and erase by /privacy."
)
COLOUR = "#1f3a4d"
TAKEN = frozenset(
    {
        *("active", "archive", "away", "call", "collapse", "dm", "dnd", "expand", "feed", "feedback", "help", "invite"),
        *("join", "leave", "me", "msg", "mute", "open", "prefs", "remind", "remove", "rename", "search", "shortcuts"),
        *("shrug", "star", "status", "topic", "unarchive", "who"),
    }
)
"""Commands of Slack's own clients; ours of that name are called `/kinfolk-search`."""

COMMANDS, SHORTCUTS, EVENTS = 25, 10, 100
LIMITS = {
    "display_information.name": (1, 35),
    "display_information.description": (0, 140),
    "display_information.long_description": (174, 4000),
    "features.bot_user.display_name": (1, 80),
}
"""Fewest and most characters that Slack takes, by where they stand."""
COMMAND, COMMAND_HELP, COMMAND_HINT = 32, 2000, 1000
SHORTCUT, SHORTCUT_HELP, SHORTCUT_NAME = 24, 150, 255


def manifest(commands: Sequence[Command], *, admin: bool = False) -> Told:
    """Return the manifest as Slack takes it; with `admin`, it asks whoever installs it for a token of theirs too."""
    scopes: Told = {"bot": list(needs.SCOPES)}
    if admin:
        scopes["user"] = [need.scope for need in needs.ADMIN]
    made: Told = {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": DESCRIPTION,
            "long_description": LONG,
            "background_color": COLOUR,
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "shortcuts": [_shortcut(one) for one in commands if one.menu],
            "slash_commands": [*([_any(commands)] if commands else []), *(_command(one) for one in commands)],
        },
        "oauth_config": {"scopes": scopes},
        "settings": {
            "event_subscriptions": {"bot_events": list(needs.EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    check(made)
    return made


def called(command: str) -> str:
    """Return what a command is called on Slack."""
    return f"/kinfolk-{command}" if command in TAKEN else f"/{command}"


def _any(commands: Sequence[Command]) -> Told:
    """Return the command by which every other is given, where another app or Slack has its name."""
    return {
        "command": "/kinfolk",
        "description": "Any of my commands, by its name",
        "should_escape": True,
        "usage_hint": "|".join(one.name for one in commands)[:COMMAND_HINT],
    }


def _command(command: Command) -> Told:
    hint = " ".join(_hint(one) for one in command.arguments)
    return {
        "command": called(command.name),
        "description": command.help,
        "should_escape": True,
        **({"usage_hint": hint} if hint else {}),
    }


def _hint(argument: Argument) -> str:
    words = "|".join(argument.choices) if argument.choices else argument.name
    return words if argument.required else f"[{words}]"


def _shortcut(command: Command) -> Told:
    return {
        "name": command.menu,
        "type": "message",
        "callback_id": command.name,
        "description": command.help,
    }


def check(made: Told) -> None:
    """Raise Misconfigured that names everything in a manifest that Slack would refuse."""
    wrong = [*_texts(made), *_commands(made), *_shortcuts(made), *_events(made)]
    if wrong:
        raise Misconfigured(f"Slack would refuse this manifest: {'; '.join(wrong)}.")


def _texts(made: Told) -> Iterator[str]:
    for path, (least, most) in LIMITS.items():
        length = len(told.text(made, *path.split(".")))
        if not least <= length <= most:
            yield f"{path} has {length} characters, and {least} to {most} are taken"


def _commands(made: Told) -> Iterator[str]:
    found = told.parts(made, "features", "slash_commands")
    if len(found) > COMMANDS:
        yield f"there are {len(found)} commands, and {COMMANDS} are taken"
    called_so = [told.text(one, "command") for one in found]
    for name in sorted({name for name in called_so if called_so.count(name) > 1}):
        yield f"{name} is there twice"
    for one in found:
        name = told.text(one, "command")
        if not name.startswith("/") or not name[1:].replace("-", "").replace("_", "").isalnum() or name != name.lower():
            yield f"{name or 'a command without a name'} is no name of a command"
        yield from _size(name, "command", name, 2, COMMAND)
        yield from _size(name, "description", told.text(one, "description"), 1, COMMAND_HELP)
        yield from _size(name, "usage_hint", told.text(one, "usage_hint"), 0, COMMAND_HINT)


def _shortcuts(made: Told) -> Iterator[str]:
    found = told.parts(made, "features", "shortcuts")
    if len(found) > SHORTCUTS:
        yield f"there are {len(found)} shortcuts, and {SHORTCUTS} are taken"
    for one in found:
        name = told.text(one, "name")
        yield from _size(name, "name", name, 1, SHORTCUT)
        yield from _size(name, "description", told.text(one, "description"), 1, SHORTCUT_HELP)
        yield from _size(name, "callback_id", told.text(one, "callback_id"), 1, SHORTCUT_NAME)


def _events(made: Told) -> Iterator[str]:
    found = told.texts(made, "settings", "event_subscriptions", "bot_events")
    if len(found) > EVENTS:
        yield f"there are {len(found)} events, and {EVENTS} are taken"
    held = set(told.texts(made, "oauth_config", "scopes", "bot"))
    taking = {event: need.scope for need in needs.NEEDS for event in need.events}
    for event in found:
        if (scope := taking.get(event)) and scope not in held:
            yield f"{event} takes the scope {scope}"


def _size(whose: str, what: str, words: str, least: int, most: int) -> Iterator[str]:
    if not least <= len(words) <= most:
        yield f"{what} of {whose[:40]!r} has {len(words)} characters, and {least} to {most} are taken"
