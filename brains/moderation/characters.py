"""Undoes what single characters hide: invisible ones, towers of marks, letters in fancy dress, text turned around."""

from __future__ import annotations

import functools
import unicodedata

import regex

_INVISIBLE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that show nothing: controls, joiners, direction marks, fillers, variation selectors, tags; and
the line that makes Arabic words longer, which joins nothing elsewhere."""
_UNSEEN = regex.compile(f"[{_INVISIBLE}]+")
_MISREAD = regex.compile("[\x80-\x9f]")
"""Marks of Windows' own alphabet that were read as Latin 1: no trick, but an apostrophe."""
_TURNED = regex.compile(r"\u202e([^\u202c\n]*)(?:\u202c|(?=\n)|$)")
_MARKS = regex.compile(r"(.)(\p{M}+)", regex.DOTALL)
_STRUCK = regex.compile(r"[\u0334-\u0338\u0488\u0489\u20d2\u20d3\u20d8-\u20e2\u20e4-\u20e7\u20ea]")
"""Marks that strike a letter through or put a frame around it; no language writes them over plain letters."""
_NARROW = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Common}\p{Han}\p{Hiragana}\p{Katakana}]")
"""Scripts that need neither joiners nor more than a mark or two above a letter."""
_LATIN_MARK = regex.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_PLAIN_WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Han}\p{Nd}]")
_TURNS = regex.compile(r"[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}]")
_EAST_ASIAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_WIDE = regex.compile("[\uff21-\uff3a\uff41-\uff5a]{2}")
_WIDE_MARKS = regex.compile("[\uff01-\uff5e\u3000]")
_STYLED = regex.compile(
    "[\uff01-\uff5e\u2100-\u214f\u2460-\u24ff\u2776-\u2793\u1d2c-\u1d6a\u02b0-\u02b8\u2071\u207f\u2090-\u209c"
    "\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff]+"
)
ODD = rf"\p{{M}}|[{_INVISIBLE}]|{_STYLED.pattern}"
"""Anything that is looked into here, for RE2."""
FLAG = range(0x1F1E6, 0x1F200)
"""Regional indicators, two of which are a flag."""
MARKED = 0.3
"""Share of the letters that carry marks from which the marks are the disguise; Yoruba has about an eighth."""
TOWER = 3
"""Marks on one letter that no language in Latin, Cyrillic, Greek or Chinese has; Hebrew and Hindi have up to five."""
FANCY = 3
"""Fancy letters in a row from which they are a word: a lone ª, ℃ or Ⓜ is a sign."""


def seen(text: str) -> tuple[str, set[str]]:
    """Return a text as its readers see it, and the tricks that it played on them."""
    tricks: set[str] = set()
    text = _MISREAD.sub(lambda one: one[0].encode("latin-1").decode("cp1252", "ignore"), text)
    if "\u202e" in text:
        turned = _TURNED.sub(lambda run: run[1][::-1], text)
        tricks |= {"turned"} if turned != text else set()
        text = turned
    if _UNSEEN.search(text):
        text, hidden = _without_unseen(text)
        tricks |= {"invisible"} if hidden else set()
    if (bare := _bare(text)) != text:
        tricks.add("marks")
        text = bare
    if not _EAST_ASIAN.search(text) and _WIDE.search(text):
        text = _WIDE_MARKS.sub(lambda one: chr(ord(one[0]) - 0xFEE0) if one[0] != "\u3000" else " ", text)
        tricks.add("styled")
    if (undressed := _STYLED.sub(lambda run: _undress(run[0], run.string, run.start()), text)) != text:
        if any(one.isalpha() for one in set(undressed) - set(text)):
            tricks.add("styled")
        text = undressed
    return text, tricks


def _without_unseen(text: str) -> tuple[str, bool]:
    """Take invisible characters out, but those that emoji and joined scripts need; say whether any split a word."""
    turns = bool(_TURNS.search(text))
    hidden = False

    def keep(run: regex.Match[str]) -> str:
        nonlocal hidden
        before = text[run.start() - 1] if run.start() else " "
        after = text[run.end()] if run.end() < len(text) else " "
        if _belongs(run[0], before, turns=turns):
            return str(run[0])
        hidden = hidden or (run[0] != "\u00ad" and bool(_PLAIN_WORD.match(before)) and bool(_PLAIN_WORD.match(after)))
        return " " if "\u2800" in run[0] else ""

    return str(_UNSEEN.sub(keep, text)), hidden


def _belongs(run: str, before: str, *, turns: bool) -> bool:
    """Say whether invisible characters do their proper work after a character."""
    if set(run) <= {"\ufe0e", "\ufe0f", "\u200d"}:
        joins = "\u200d" in run and not _NARROW.match(before)
        emoji = not before.isalpha() and not before.isspace() and (not before.isdecimal() or run == "\ufe0f")
        return len(run) <= 2 and (emoji or joins)  # noqa: PLR2004 - a selector and a joiner
    if run in {"\u200c", "\u200d"}:
        return not _NARROW.match(before)
    if run in {"\u200e", "\u200f", "\u061c"} or set(run) == {"\u0640"}:
        return turns
    tags = all(0xE0020 <= ord(one) <= 0xE007F for one in run)  # noqa: PLR2004 - the block of tags
    return tags and before == "\U0001f3f4"


def _bare(text: str) -> str:
    """Take marks away where they are towers, strike letters through, or cover a good part of the letters."""
    if not _MARKS.search(text):
        return text
    text = unicodedata.normalize("NFC", text) if _LATIN_MARK.search(text) else text
    letters = max(1, sum(one.isalpha() for one in text))
    covered = sum(bool(_NARROW.match(one[1])) and one[1].isalpha() for one in _MARKS.finditer(text))
    everywhere = covered >= FANCY and covered > MARKED * letters
    if not _LATIN_MARK.search(text):
        return str(_MARKS.sub(lambda cluster: cluster[1] + cluster[2][: 2 * TOWER], text))
    text = unicodedata.normalize("NFD", text)

    def strip(cluster: regex.Match[str]) -> str:
        base, marks = str(cluster[1]), str(cluster[2])
        if not _NARROW.match(base):
            return base + marks[: 2 * TOWER]
        if marks[0] in "\ufe0e\ufe0f\u20e3":
            return base + marks[:2]
        left = _STRUCK.sub("", marks) if base.isalnum() else marks
        return base if len(left) >= TOWER or (everywhere and base.isalpha()) else base + left

    return unicodedata.normalize("NFC", _MARKS.sub(strip, text))


def _undress(run: str, text: str, start: int) -> str:
    """Write fancy letters plainly; a sign that stands alone, a flag and Chinese marks stay as they are."""
    if ord(run[0]) in FLAG or ord(run[-1]) in FLAG:
        return _unflagged(run)
    plain = "".join(_letter(one) or one for one in run)
    end = start + len(run)
    beside = (text[start - 1] if start else " ") + (text[end] if end < len(text) else " ")
    wide = all(0xFF01 <= ord(one) <= 0xFF5E for one in run)  # noqa: PLR2004 - the full width forms
    if wide and not any(one.isalnum() for one in plain):
        return run
    fancy = sum(_letter(one) is not None for one in run)
    if fancy >= FANCY or any(one.isascii() and one.isalnum() for one in beside) or wide:
        return _without_wide_marks(run, plain) if wide else plain
    return run


def _without_wide_marks(run: str, plain: str) -> str:
    """Leave the Chinese marks before and behind full width letters."""
    start = next(at for at, one in enumerate(plain) if one.isalnum())
    end = len(plain) - next(at for at, one in enumerate(reversed(plain)) if one.isalnum())
    return run[:start] + plain[start:end] + run[end:]


def _unflagged(run: str) -> str:
    """Write regional indicators as letters where three or more in a row spell a word that no flags make."""
    letters = [chr(ord(one) - FLAG.start + ord("A")) if ord(one) in FLAG else one for one in run]
    return "".join(letters) if len(run) >= FANCY and len(run) % 2 else run


@functools.cache
def _letter(one: str) -> str | None:
    """Return the letter, digit or ASCII sign that a fancy one stands for."""
    point = ord(one)
    for first in (0x1F130, 0x1F150, 0x1F170):  # squared and negative letters: compatibility has no word on some
        if first <= point < first + 26:
            return chr(ord("A") + point - first)
    plain = unicodedata.normalize("NFKC", one)
    if len(plain) == 3 and plain[0] == "(" and plain[2] == ")":  # noqa: PLR2004 - a letter in brackets
        plain = plain[1]
    if 0x2776 <= point <= 0x2793:  # noqa: PLR2004 - digits in black circles
        plain = str((point - 0x2776) % 10 + 1)
    return plain if plain != one and len(plain) == 1 and plain.isprintable() else None
