"""What is sent to Discord: a text with its buttons, menus and files, pinging nobody who is not meant."""

from __future__ import annotations

import io
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import discord
from discord.http import MultipartParameters
from discord.utils import _to_json as to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Attachment, Button

ROWS = 5
"""Rows of buttons under a message; a row holds as many."""
OPTIONS = 25
"""Entries of a menu."""
LABEL = 80
"""Characters on a button; a menu's entry takes 100."""
EPHEMERAL = 64
"""The flag of a message that its member alone sees."""
HOME = "@"
"""What stands between a button's token and the server it speaks for."""
PINGED = re.compile(r"<@!?(\d{1,20})>")

Part = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One message to send. `aside` shows it to whoever asked alone; `reply_to` is a message of the same channel.

    `home` is the server that a direct message speaks for, which its buttons carry: a conversation has none of its own.
    """

    text: str = ""
    buttons: Sequence[Button] = ()
    files: Sequence[Attachment] = ()
    reply_to: int = 0
    aside: bool = False
    home: int = 0
    more: Part = field(default_factory=dict)

    def new(self) -> MultipartParameters:
        """Return it as a new message, which Discord takes once even when it is sent twice."""
        once: Part = {} if self.aside else {"nonce": str(secrets.randbits(63)), "enforce_nonce": True}
        return self._packed(
            {**self._said(), **once, **self._answering(), **({"flags": EPHEMERAL} if self.aside else {})}
        )

    def changed(self) -> MultipartParameters:
        """Return it as what a message says from now on."""
        return self._packed(self._said())

    def _said(self) -> Part:
        mentioned = list(dict.fromkeys(PINGED.findall(self.text)))
        allowed = {"parse": [], "users": mentioned[:100], "replied_user": False}
        return {
            "content": self.text,
            "allowed_mentions": allowed,
            "components": components(self._at_home()),
            **self.more,
        }

    def _at_home(self) -> list[Button]:
        if not self.home:
            return list(self.buttons)
        return [replace(one, token=f"{one.token}{HOME}{self.home}") for one in self.buttons]

    def _answering(self) -> Part:
        if not self.reply_to:
            return {}
        return {"message_reference": {"message_id": str(self.reply_to), "fail_if_not_exists": False}}

    def _packed(self, payload: Part) -> MultipartParameters:
        if not self.files:
            return MultipartParameters(payload=payload, multipart=None, files=None)
        files = [discord.File(io.BytesIO(one.data), filename=one.name) for one in self.files]
        payload["attachments"] = [{"id": number, "filename": one.name} for number, one in enumerate(self.files)]
        form: list[Part] = [{"name": "payload_json", "value": to_json(payload)}]
        form += [_form(number, one) for number, one in enumerate(files)]
        return MultipartParameters(payload=None, multipart=form, files=files)


def _form(number: int, file: discord.File) -> Part:
    return {
        "name": f"files[{number}]",
        "value": file.fp,
        "filename": file.filename,
        "content_type": "application/octet-stream",
    }


def components(buttons: Sequence[Button]) -> list[Part]:
    """Lay buttons out: each row of theirs a row, one that is too long a menu, and what does not fit into menus too."""
    rows = [[one for one in buttons if one.row == row] for row in sorted({one.row for one in buttons})]
    if len(rows) > ROWS:
        rows = [list(buttons[start : start + OPTIONS]) for start in range(0, len(buttons), OPTIONS)][:ROWS]
    return [{"type": 1, "components": _menu(row) if len(row) > ROWS else [_button(one) for one in row]} for row in rows]


def _button(one: Button) -> Part:
    return {"type": 2, "style": 2, "label": one.label[:LABEL] or "…", "custom_id": one.token}


def _menu(row: Sequence[Button]) -> list[Part]:
    options = [{"label": one.label[:100] or "…", "value": one.token} for one in row[:OPTIONS]]
    return [{"type": 3, "custom_id": f"menu-{row[0].token}", "options": options}]
