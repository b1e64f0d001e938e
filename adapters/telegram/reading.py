"""Text as Telegram Desktop exports it: from its parts to what somebody reads."""

from __future__ import annotations

from collections.abc import Mapping


def readable(text: object) -> str:
    """Return what a message says: a text, or the parts of one with links kept and members named by `@`."""
    if isinstance(text, str):
        return text
    return "".join(map(_part, text)) if isinstance(text, list) else ""


def poll(told: Mapping[str, object]) -> str:
    """Return what a poll asks, and each of its answers on a line of its own."""
    answers = told.get("answers")
    given = [readable(one.get("text")) for one in answers if isinstance(one, dict)] if isinstance(answers, list) else []
    return "\n".join([readable(told.get("question")), *(f"- {one}" for one in given)])


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return ""
    said, kind = part.get("text"), part.get("type")
    if not isinstance(said, str):
        return ""
    if (
        kind == "text_link"
        and isinstance(href := part.get("href"), str)
        and href
        and href.rstrip("/") != said.rstrip("/")
    ):
        return f"{said} ({href})"
    if kind == "mention_name" and not said.startswith("@"):
        return f"@{said}"
    return said
