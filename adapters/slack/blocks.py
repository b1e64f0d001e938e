"""What is sent to Slack: a text, and under it its buttons, within what Slack takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.slack.told import Told
    from bot.core.actions import Button

TEXT, SECTION = 4000, 3000
"""Characters of a message, as Slack advises, and of a section, in which a text stands that has buttons."""
BLOCKS, ROW = 50, 25
"""Blocks of a message, and buttons of a row."""
LABEL, VALUE, NAME = 75, 2000, 255
"""Characters on a button, of what it carries, and of its name."""


def content(text: str, buttons: Sequence[Button]) -> Told:
    """Return a message's text and blocks; without buttons it has none, and loses those that it had."""
    if not buttons:
        return {"text": text, "blocks": []}
    # Verbatim, or Slack makes mentions of plain words: "@channel" that somebody wrote would call everybody.
    words: Told = {"type": "mrkdwn", "text": text or "…", "verbatim": True}
    said: Told = {"type": "section", "text": words, "expand": True}
    return {"text": text, "blocks": [said, *_rows(buttons)][:BLOCKS]}


def _rows(buttons: Sequence[Button]) -> list[Told]:
    rows = [[one for one in buttons if one.row == row] for row in sorted({one.row for one in buttons})]
    cut = [row[start : start + ROW] for row in rows for start in range(0, len(row), ROW)]
    if len(cut) >= BLOCKS:
        cut = [list(buttons[start : start + ROW]) for start in range(0, len(buttons), ROW)]
    return [
        {"type": "actions", "elements": [_button(one, f"{number}-{place}") for place, one in enumerate(row)]}
        for number, row in enumerate(cut)
    ]


def _button(one: Button, name: str) -> Told:
    label: Told = {"type": "plain_text", "text": one.label[:LABEL] or "…", "emoji": False}
    return {"type": "button", "action_id": f"press-{name}"[:NAME], "text": label, "value": one.token[:VALUE]}
