"""Commands in a message that names the bot, told apart from what is only said to it."""

from __future__ import annotations

import pytest

from adapters.addressing import Line, command_in
from bot.core.commands import COMMANDS, served

NAMES = tuple(command.name for command in COMMANDS)
SERVED = served(NAMES, {"help.command": NAMES, "mode.skill": ("welcome",)})


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("match", "match", ""),
        ("match kites and lanterns", "match", "kites and lanterns"),
        ("  Match   kites ", "match", "kites"),
        ("/match kites", "match", "kites"),
        ("help match", "help", "match"),
        ("help /match", "help", "/match"),
        ("why", "why", ""),
        ("why 123456789", "why", "123456789"),
        ("undo message:12", "undo", "message:12"),
        ("privacy off", "privacy", "off"),
        ("mode welcome act", "mode", "welcome act"),
        ("setup", "setup", ""),
        ("/sudo rm", "sudo", "rm"),
        ("match 船和灯笼", "match", "船和灯笼"),
    ],
)
def test_a_command_is_one(text: str, name: str, line: str) -> None:
    assert command_in(text, SERVED) == Line(name=name, line=line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "/",
        "/ match",
        "//match",
        "help me please",
        "why not",
        "why is nobody here?",
        "privacy is important to me",
        "mode is a strange word",
        "where do people talk about kites?",
        "matches are dangerous",
        "I match everything",
        "/../etc",
    ],
)
def test_what_is_only_said_is_none(text: str) -> None:
    assert command_in(text, SERVED) is None
    assert command_in("match " + text, SERVED) is not None
