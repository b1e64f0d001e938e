"""Reads messages from JSON lines to be judged by themselves: `text`, and optionally `author`, `channel` and `ts`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Ref
from brains.moderation.detection import Post

if TYPE_CHECKING:
    from collections.abc import Callable

APART = timedelta(hours=1)
"""Lines without `ts` count as this far apart, so that no window holds two of them."""
UNKNOWN = 1_000_000
"""Earlier messages of an author whom a line does not name: nobody knows that they are new."""
BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
"""When lines without `ts` begin; no clock is asked, so that the same lines are judged alike on any day."""


class Lines:
    """Makes posts of lines. An author's earlier lines are what they wrote before."""

    def __init__(self, channel: Callable[[str], Ref]) -> None:
        self._channel = channel
        self._written: dict[str, int] = {}

    def post(self, line: bytes, number: int) -> Post:
        """Read one line; raises Mistake that names its number and what is wrong."""
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise Mistake(_("Line {line}: needs a JSON object with `text`, which is text."), line=number)
        for name in ("author", "channel"):
            if not isinstance(row.get(name), str | int | None):
                raise Mistake(_("Line {line}: `{name}` must be text."), line=number, name=name)
        author = str(row["author"]) if row.get("author") is not None else ""
        before = self._written.get(author, 0) if author else UNKNOWN
        self._written[author] = before + 1
        return Post(
            text=row["text"],
            author=Ref("line", author or f"#{number}"),
            channel=self._channel(str(row.get("channel") or "-")),
            at=_instant(row["ts"], number) if row.get("ts") is not None else BEGIN + number * APART,
            message=Ref("line", f"line/{number}"),
            before=before,
        )


def _instant(value: object, number: int) -> datetime:
    """Read seconds or ISO 8601; a time without a zone is UTC."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError(value)
        at = datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise Mistake(_("Line {line}: `ts` is neither seconds nor ISO 8601."), line=number) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
