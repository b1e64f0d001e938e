"""Counts what a message has of what may be too much: mentions, emoji, files."""

from __future__ import annotations

import re

import regex

EVERYBODY = 5
"""What a mention of everybody counts for: it rings for all."""

_MENTION = re.compile(r"(?<![\w.@/])@(everyone|here|channel|all)?\b|(?<![\w.@/])@(?=[^\s\w@]?[\w…])")
_SHAPED = regex.compile(
    r"\p{RI}\p{RI}|[\p{Emoji_Presentation}\p{Extended_Pictographic}]\ufe0f?\p{Emoji_Modifier}?"
    r"(?:\u200d[\p{Emoji_Presentation}\p{Extended_Pictographic}]\ufe0f?\p{Emoji_Modifier}?)*"
)
_NAMED = re.compile(r"(?<![\w:]):[a-zA-Z0-9_+\-]{2,32}:(?![\w:])")
_PLAIN_SIGNS = frozenset("©®™‼⁉ℹ↔↕↖↗↘↙↩↪▪▫▶◀◻◼☑✔✖❤️")


def mentions(text: str) -> int:
    """Return how many are mentioned: adapters write every mention as `@` and a name; everybody counts five times."""
    if "@" not in text:
        return 0
    return sum(EVERYBODY if found[1] else 1 for found in _MENTION.finditer(text))


def emoji(text: str) -> int:
    """Return how many emoji there are: a family is one, a flag is one, `:name:` is one; ™ and arrows are none."""
    count = len(_NAMED.findall(text)) if text.count(":") > 1 else 0
    if text.isascii():
        return count
    return count + sum(found[0] not in _PLAIN_SIGNS for found in _SHAPED.finditer(text))
