"""The manifest of the Slack app: complete, no more than that, and within what Slack takes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import adapters.slack
from adapters.slack import needs
from adapters.slack.manifest import SHORTCUT, TAKEN, check, manifest
from bot.core.commands import COMMANDS, Command
from bot.core.errors import Misconfigured
from tests.platforms.slack.methods import METHODS, SCOPES

CODE = Path(adapters.slack.__file__).parent
ASKING = {"call", "each", "texts", "answers"}


def called() -> set[str]:
    """Return the methods of the Web API that the adapter's code names."""
    nodes = [node for file in CODE.glob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    calls = [one for one in nodes if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.args]
    first = [part for one in calls if one.func.attr in ASKING for part in ast.walk(one.args[0])]
    return {one.value for one in first if isinstance(one, ast.Constant) and "." in str(one.value)}


def heard() -> set[str]:
    """Return the events that the adapter's ears know."""
    tree = ast.parse((CODE / "ears.py").read_text())
    texts = {one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {one for one in texts if one in {event for need in needs.NEEDS for event in need.events}}


def test_every_method_that_is_called_is_asked_for_and_nothing_else() -> None:
    listed = {method for need in (*needs.NEEDS, *needs.ADMIN) for method in need.methods}
    assert called() == listed | set(needs.FREE_METHODS) | set(needs.APP_METHODS)


def test_every_event_that_is_asked_for_is_heard() -> None:
    spoken = {event for event in needs.EVENTS if event.startswith("message.")} | set(needs.FREE_EVENTS)
    assert heard() | spoken == set(needs.EVENTS)


def test_the_server_for_the_tests_takes_the_same_scopes_for_the_same_methods() -> None:
    listed = {method: need.scope for need in needs.NEEDS for method in need.methods}
    ours = {method: SCOPES[method] for method in listed if method in SCOPES}
    assert {one: listed[one] for one in ours if not listed[one].startswith("groups")} == {
        one: scope for one, scope in ours.items() if not listed[one].startswith("groups")
    }
    assert set(listed) <= set(METHODS)


def test_the_page_names_every_scope_and_what_it_is_for() -> None:
    page = (CODE.parents[1] / "docs" / "platforms" / "slack.md").read_text()
    rows = [
        line
        for line in page.splitlines()
        if (line.startswith("| `") and ":" in line.split("|")[1]) or "| `commands`" in line
    ]
    assert rows == [f"| `{need.scope}` | {need.why} |" for need in needs.NEEDS]


def test_it_holds_every_command_and_every_menu() -> None:
    made = manifest(COMMANDS)
    names = [one["command"] for one in made["features"]["slash_commands"]]
    assert names[0] == "/kinfolk", "by which each is given where its name is taken"
    assert len(names) == len(COMMANDS) + 1
    assert {"/match", "/privacy", "/kinfolk-help"} <= set(names)
    assert not {name.removeprefix("/") for name in names} & TAKEN
    menus = {one["callback_id"]: one["name"] for one in made["features"]["shortcuts"]}
    assert menus == {"report": "Report to staff", "why": "Why?"}
    assert made["oauth_config"]["scopes"] == {"bot": list(needs.SCOPES)}
    assert made["settings"]["socket_mode_enabled"] is True
    mode = next(one for one in made["features"]["slash_commands"] if one["command"] == "/mode")
    assert (mode["usage_hint"], mode["should_escape"]) == ("[skill] [off|watch|ask|act] [channel]", True)
    assert manifest(COMMANDS, admin=True)["oauth_config"]["scopes"]["user"] == [one.scope for one in needs.ADMIN]


@pytest.mark.parametrize(
    ("commands", "wrong"),
    [
        ([Command(name=f"c{number}", help="x") for number in range(25)], "there are 26 commands, and 25 are taken"),
        ([Command(name="x" * 32, help="x")], "command of .* has 33 characters, and 2 to 32 are taken"),
        ([Command(name="x", help="")], "description of '/x' has 0 characters"),
        ([Command(name="x", help="y" * 2001)], "has 2001 characters, and 1 to 2000 are taken"),
        ([Command(name="x", help="y"), Command(name="x", help="z")], "/x is there twice"),
        ([Command(name="Not So", help="y")], "is no name of a command"),
        ([replace(COMMANDS[0], menu="m" * (SHORTCUT + 1))], "name of .* has 25 characters, and 1 to 24 are taken"),
        ([Command(name=f"c{n}", help="x", menu="m") for n in range(11)], "there are 11 shortcuts, and 10 are taken"),
    ],
)
def test_what_slack_would_refuse_is_said(commands: list[Command], wrong: str) -> None:
    with pytest.raises(Misconfigured, match=wrong):
        manifest(commands)


def test_an_event_without_its_scope_is_said() -> None:
    made = json.loads(json.dumps(manifest(COMMANDS)))
    made["oauth_config"]["scopes"]["bot"].remove("users:read")
    made["display_information"]["name"] = "n" * 36
    with pytest.raises(Misconfigured, match="name has 36 characters.*team_join takes the scope users:read"):
        check(made)


@pytest.mark.slow
def test_the_command_line_prints_it_and_nothing_else() -> None:
    program = Path(sys.executable).with_name("kinfolk")
    run = subprocess.run([program, "manifest", "slack"], capture_output=True, check=True)
    made = json.loads(run.stdout)
    check(made)
    assert made["features"]["bot_user"]["display_name"] == "Kinfolk"
