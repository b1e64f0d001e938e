"""Cuts what was written into sentences, in English and Chinese alike: chat, lists, code and links included."""

from __future__ import annotations

import re
from functools import lru_cache

LONG = 400
"""Width from which a text is better known by its sentences than as a whole: one chat message in seven or so."""
MOST = 24
"""Sentences of one text that are told apart; what follows counts with the text as a whole."""
LEAST = 8
"""Width of a sentence that says something by itself."""
LONGEST = 600
"""Characters of a sentence, and so of a block of code, that are looked at by themselves."""
WRAPPED = 60
"""Characters of a line that may have been broken because it was full."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uff01-\uff5e\u3001-\u3011"
_WIDE = re.compile(f"[{_CJK}]")
_CLOSING = "\"'”’」』）)\\]】》*_~"
_END = re.compile(
    rf"(?<![.!?])[.!?]++[{_CLOSING}]*+(?=\s)"
    rf"|[。！？][。！？!?…]*[{_CLOSING}]*"
    rf"|(?<=[{_CJK}])[!?]+[{_CLOSING}]*(?=[{_CJK}])"
    rf"|……[{_CLOSING}]*(?=\s)"
)
_MARKER = re.compile(r"(?:[-*+•·>#|]|\d{1,3}[.)、]|[a-zA-Z][.)])\s|```|[>#|]")
_ENDS = re.compile(rf"[.!?:;。！？：；…][{_CLOSING}]*$")
_WORD = re.compile(r"(\S+?)\.$")
_MARK_ALONE = re.compile(r"^(?:\d{1,3}|[a-zA-Z])[.)]?$")

_ABBREVIATIONS = (
    "al approx assoc ave ca cf ch dept dr e.g ed eds eg eq est etc ex fig figs ft gen gov hon i.e ie incl "
    "inc jr lt ltd max min misc mr mrs ms mt mx nr no nos op p pp pg ph.d prof pt ref rev resp sec sect "
    "sgt sr st vol vs viz w.r.t wrt a.k.a aka "
)
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
"""English words that end in a full stop without ending a sentence."""
NEVER_BEFORE_CAPITAL = frozenset(
    {"etc", "no", "inc", "ltd", "jr", "sr", "min", "max", "ed", "ex", "ref", "a.k.a", "mar"}
)
"""Those of them that do end one where a capital letter follows."""


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[str, ...]:
    """Cut a text into its sentences, in order, each as it stands there and without space around it.

    A block of code is one, and so is an item of a list. What has no letter or digit is none.
    """
    found: list[str] = []
    at = 0
    for block in _CODE.finditer(text):
        found += _prose(text[at : block.start()])
        found.append(block.group())
        at = block.end()
    found += _prose(text[at:])
    return tuple(one for one in (each.strip() for each in found) if any(sign.isalnum() for sign in one))


def parts(text: str) -> tuple[str, ...]:
    """Return the sentences that a long text is known by besides itself: those whose vectors are kept.

    None for a short text, or one of a single sentence.
    """
    if width(text) < LONG:
        return ()
    telling = [one[:LONGEST] for one in sentences(text) if width(one) >= LEAST][:MOST]
    distinct = tuple(dict.fromkeys(telling))
    return distinct if len(distinct) > 1 else ()


def width(text: str) -> int:
    """Measure a text in letters; one of Chinese says about as much as three of English."""
    return len(text) + 2 * len(_WIDE.findall(text))


def _prose(text: str) -> list[str]:
    return [sentence for paragraph in _paragraphs(text) for sentence in _of_paragraph(paragraph)]


def _paragraphs(text: str) -> list[str]:
    """Join the lines that were broken because they were full; every other line stands by itself."""
    found: list[str] = []
    open_line = False
    for line in text.splitlines(keepends=True):
        if open_line and _goes_on(found[-1], line):
            found[-1] += line
        else:
            found.append(line)
        open_line = bool(line.strip())
    return found


def _goes_on(before: str, line: str) -> bool:
    last = before.rstrip().rpartition("\n")[2]
    first = line.strip()
    if not first or len(last) < WRAPPED or _ENDS.search(last) or _MARKER.match(first):
        return False
    return not first[0].isupper() or len(last) > WRAPPED


def _of_paragraph(text: str) -> list[str]:
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if _is_end(text, start, end):
            found.append(text[start : end.end()])
            start = end.end()
    found.append(text[start:])
    return found


def _is_end(text: str, start: int, end: re.Match[str]) -> bool:
    """Say whether a mark ends a sentence, rather than an abbreviation, an initial or the number of an item."""
    if not end.group().startswith("."):
        return True
    following = text[end.end() :].lstrip()[:1]
    if end.group().startswith("..") and following.islower():
        return False
    said = text[start : end.start() + 1].strip()
    if _MARK_ALONE.match(said):
        return False
    word = _WORD.search(said)
    bare = word.group(1).strip("([{\"'*_“‘").casefold() if word else ""
    if len(bare) == 1 and bare.isalpha() and bare != "i":
        return False
    if bare in NEVER_BEFORE_CAPITAL:
        return following.isupper()
    return bare not in ABBREVIATIONS
