"""Discord's rules of markup as its own reader has them, for tests to see what a member would see: what is shown, and
what in it is alive. Written apart from the writer, and generous: what might come alive counts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

PING = re.compile(r"@everyone|@here|<@[!&]?\d+>")
"""What the server rings for, in code and behind backslashes as well."""

AT_LINE = [
    ("heading", r" *#{1,3}(?!#)[ \t]+(?=\S)"),
    ("subtext", r" *-# +(?=\S)"),
    ("quote", r" *>>> ?| *> "),
    ("list", r" *(?:[-*+]|\d+[.)])(?=\s)"),
]
ANYWHERE = [
    ("escape", r"\\([^0-9A-Za-z\s])"),
    ("block", r"```(?:[a-zA-Z0-9_+.#-]*\n)?([\s\S]+?)\n*```"),
    ("address", r"<https?://[^\s>]+>"),
    ("mention", r"<@[!&]?\d+>|<#\d+>|<id:\w+>|</[^<>:]+:\d+>"),
    ("custom emoji", r"<a?:\w+:\d+>"),
    ("time", r"<t:-?\d+(?::[a-zA-Z])?>"),
    ("address", r"(?:https?|steam|discord)://[^\s<]+"),
    ("invite", r"discord(?:app\.com/invite|\.gg)/\w+"),
    ("link", r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?[^\s)]+>?\s*\)"),
    ("everyone", r"@everyone|@here"),
    ("emoji", r":[^\s:]+:"),
    ("strong", r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)"),
    ("underline", r"__((?:\\[\s\S]|[^\\])+?)__(?!_)"),
    ("em", r"\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)"),
    ("em", r"\b_((?:__|\\[\s\S]|[^\\_])+?)_\b"),
    ("struck", r"~~(?=\S)((?:\\[\s\S]|[^\\])*?\S)~~(?!~)"),
    ("spoiler", r"\|\|([\s\S]+?)\|\|"),
    ("code", r"(`+)([\s\S]*?[^`])\1(?!`)"),
]
INNER = {"strong", "underline", "em", "struck", "spoiler", "link"}
_LINE = [(name, re.compile(rule)) for name, rule in AT_LINE]
_RULES = [(name, re.compile(rule)) for name, rule in ANYWHERE]


@dataclass(slots=True)
class Shown:
    """What a member sees, and the names of what is alive in it."""

    text: str = ""
    alive: list[str] = field(default_factory=list)


def pings(wire: str) -> list[str]:
    """Return what would ring for somebody."""
    return PING.findall(wire)


def read(wire: str) -> Shown:
    """Read a message as Discord's client does."""
    shown = Shown()
    _read(wire, shown, at_line=True)
    return shown


def _read(wire: str, shown: Shown, *, at_line: bool) -> None:
    at = 0
    while at < len(wire):
        name, match = _found(wire, at, at_line=at_line)
        at_line = match is None and wire[at] == "\n"
        if match is None:
            shown.text += wire[at]
            at += 1
            continue
        _take(name, match, shown)
        at = match.end()


def _found(wire: str, at: int, *, at_line: bool) -> tuple[str, re.Match[str] | None]:
    rules = [*_LINE, *_RULES] if at_line else _RULES
    for name, rule in rules:
        if match := rule.match(wire, at):
            return name, match
    return "", None


def _take(name: str, match: re.Match[str], shown: Shown) -> None:
    if name == "escape":
        shown.text += match[1]
        return
    shown.alive.append(name)
    if name in INNER:
        _read(match[1], shown, at_line=False)
    else:
        shown.text += match[2] if name == "code" else match[0]
