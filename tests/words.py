"""Short ways to say things in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.core.events import MessagePosted, Named
from bot.core.things import Ref

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def named(name: str, *, bot: bool = False) -> Named:
    """Name a channel, a thread or a member."""
    return Named(ref=Ref("import", name), name=name, bot=bot)


def said(
    text: str,
    *,
    by: str = "ana",
    where: str = "general",
    key: str | None = None,
    minute: int = 0,
    thread: str | None = None,
    bot: bool = False,
) -> MessagePosted:
    """Make a message; without a key, its words and minute name it."""
    return MessagePosted(
        message=Ref("import", key or f"{where}/{by}/{text[:30]}/{minute}"),
        channel=named(where),
        author=named(by, bot=bot),
        text=text,
        at=MONDAY + timedelta(minutes=minute),
        thread=named(thread) if thread else None,
        source="test",
    )
