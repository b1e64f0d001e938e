"""Buttons under a message: each carries its token, and in a conversation the group that it speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from adapters.telegram.trouble import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.core.actions import Button

HOME = "@"
"""What stands between a button's token and the group that it speaks for, in a conversation with one member."""
MOST = 100
"""Buttons under one message."""
SIDE_BY_SIDE = 3
"""Buttons in a row that are still read on a phone; of long labels fewer."""
WIDTH = 36
"""Characters that labels side by side may have together."""
LABEL = 64
DATA = 64
"""Bytes that a button may carry."""


def keyboard(buttons: Sequence[Button], *, home: int = 0) -> InlineKeyboardMarkup | None:
    """Lay buttons out, rows as they are meant; None where there are none. Raises Refused."""
    if not buttons:
        return None
    if len(buttons) > MOST:
        raise Refused(f"one message takes {MOST} buttons, not {len(buttons)}")
    rows = [[one for one in buttons if one.row == row] for row in sorted({one.row for one in buttons})]
    return InlineKeyboardMarkup([[_button(one, home) for one in some] for row in rows for some in _wrapped(row)])


def _wrapped(row: Sequence[Button]) -> Iterator[list[Button]]:
    """Break a row where it gets too wide for a phone."""
    line: list[Button] = []
    for one in row:
        width = sum(len(other.label) for other in (*line, one))
        if line and (len(line) == SIDE_BY_SIDE or width > WIDTH):
            yield line
            line = []
        line.append(one)
    yield line


def _button(one: Button, home: int) -> InlineKeyboardButton:
    data = f"{one.token}{HOME}{home}" if home else one.token
    if not 0 < len(data.encode()) <= DATA:
        raise Refused(f"a button carries 1 to {DATA} bytes, not {len(data.encode())}")
    return InlineKeyboardButton(one.label[:LABEL] or "…", callback_data=data)
