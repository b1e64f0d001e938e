"""The bot's home tab: what a member may ask for themselves, each with a button that gives the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.slack.told import Told
    from bot.core.commands import Command
    from bot.core.i18n import Translate

HOME = "home-"
"""What the names of its buttons begin with."""
FIRST = ("match", "privacy")
"""What stands at the top."""


def view(commands: Sequence[Command], translate: Translate) -> Told:
    """Return the tab: each command for members that needs nothing more said, its choices as buttons of their own."""
    shown = [one for one in commands if one.rank is Rank.MEMBER and not any(part.required for part in one.arguments)]
    shown.sort(key=lambda one: FIRST.index(one.name) if one.name in FIRST else len(FIRST))
    return {"type": "home", "blocks": [block for one in shown for block in _blocks(one, translate)][:100]}


def _blocks(command: Command, translate: Translate) -> list[Told]:
    first = next((one for one in command.arguments if one.type == "choice"), None)
    lines = [f"/{command.name}", *(f"/{command.name} {choice}" for choice in (first.choices if first else ()))]
    return [
        {"type": "header", "text": {"type": "plain_text", "text": f"/{command.name}"}},
        {"type": "section", "text": {"type": "plain_text", "text": translate(command.help)[:3000]}},
        {"type": "actions", "elements": [_button(line) for line in lines[:25]]},
        {"type": "divider"},
    ]


def _button(line: str) -> Told:
    label: Told = {"type": "plain_text", "text": line[:75]}
    return {"type": "button", "action_id": f"{HOME}{line}"[:255], "text": label, "value": line}
