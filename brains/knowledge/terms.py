"""The words of a question that say what it is about, and how much of them a text holds, by how rare they are here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.stopwords import STOPWORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST = 16
"""Terms of a question that are looked at; what is longer tells a story before it asks."""
SHORTEST_STEM = 3

_CHINESE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_MARKUP = re.compile(r"https?://\S+|<[@#!:/a-z][^<>]*>|(?<![\w.])@(?:\*\*[^*]+\*\*|[\w.\-]+)", re.IGNORECASE)
_WORD = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+(?:[.+#'’-]+[^\W_{_CHINESE}]+)*[+#]*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENDINGS = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ions",
    "ion",
    "ies",
    "ers",
    "er",
    "ed",
    "es",
    "s",
    "y",
    "e",
)
_ASKING = frozenset(
    """
    able explain difference different exist recommend possible work working works support supported use using used
    happen happens mean means supposed anybody tell help question answer currently
    """.split()  # noqa: SIM905
)
"""Words that questions are made of, beside the stop words."""
_ASKING_IN_CHINESE = frozenset(
    (  # noqa: SIM905
        "如何 怎样 请问 为何 哪些 哪个 哪里 是否 能否 多少 能不 不能 可以 么办 支持 使用 应该 需要 目前 还有 以用 用什"
    ).split()
)


def terms(text: str) -> list[str]:
    """Return the terms of a text in order: stems of words, pairs of Chinese characters, no links, no stop words.

    A compound name gives its parts beside itself: `ResourceLimiter`, `wit-bindgen`.
    """
    found: list[str] = []
    for word in _WORD.findall(_MARKUP.sub(" ", text)):
        if is_chinese(word):
            found += [pair for pair in _pairs(word) if pair not in STOPWORDS and pair not in _ASKING_IN_CHINESE]
        else:
            found += _of_word(word)
    return found


def asked(question: str) -> list[str]:
    """Return the distinct words by which a question can be looked up, as they are written, in order."""
    found: dict[str, str] = {}
    for word in _WORD.findall(_MARKUP.sub(" ", question)):
        pairs = _pairs(word) if is_chinese(word) else [word]
        for one in pairs:
            if (keys := terms(one)) and one.casefold() not in _ASKING:
                found.setdefault(keys[0], one)
    return list(found.values())[:MOST]


def coverage(weights: Mapping[str, float], texts: Iterable[str]) -> float:
    """Return the share, 0 to 1, of a question's terms that texts hold together, each by its weight; 0 without any."""
    total = sum(weights.values())
    held = {term for text in texts for term in terms(text)}
    return sum(weight for term, weight in weights.items() if term in held) / total if total else 0.0


def is_chinese(text: str) -> bool:
    """Say whether a text begins in Chinese or Japanese script."""
    return "\u3040" <= text[:1] <= "\u9fff"


def speaks_chinese(text: str) -> bool:
    """Say whether a good part of a text is in Chinese script."""
    wide = sum("\u3040" <= sign <= "\u9fff" for sign in text)
    return wide * 4 >= sum(sign.isalnum() for sign in text) > 0


def stem(word: str) -> str:
    """Cut an English word to what its forms have in common, roughly: `limits`, `limited` and `limiting` are `limit`."""
    word = word.casefold().replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM and not word.endswith("ss"):
            cut = word[: len(word) - len(ending)]
            return cut[:-1] if cut[-1] == cut[-2] and cut[-1] not in "ls" and len(cut) > SHORTEST_STEM else cut
    return word


def _of_word(word: str) -> list[str]:
    parts = [part for piece in re.split(r"[.'’-]", word) for part in _HUMP.split(piece)]
    forms = [word, *parts] if len(parts) > 1 else [word]
    return [stem(one) for one in forms if len(one) > 1 and one.casefold() not in STOPWORDS]


def _pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)] or [word]
