"""Words in the reader's language: gettext catalogues in `bot/locales`, read from their `.po` files."""

from __future__ import annotations

import asyncio
import functools
import io
import re
from collections.abc import Callable, Iterable
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent.parent / "locales"
LANGUAGES = ("en", "zh_CN")
Translate = Callable[[str], str]
CHINESE = 0.3
"""Share of Chinese characters from which a text counts as Chinese: names of things are Latin in any language."""
_HAN = re.compile("[\u4e00-\u9fff]")


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated when it is said."""
    return message


@functools.cache
def translator(language: str) -> Translate:
    """Return what translates into a language; a text without a translation stays English."""
    path = LOCALES / language / "LC_MESSAGES" / "kinfolk.po"
    if not path.exists():
        return NullTranslations().gettext
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled).gettext


_OPENED: dict[str, Translate] = {}
"""Languages whose catalogues were read: a file the first time, and no reason for a thread after that."""


async def catalogue(language: str) -> Translate:
    """Return what translates into a language, where the loop must not wait for a file."""
    if language not in _OPENED:
        _OPENED[language] = await asyncio.to_thread(translator, language)
    return _OPENED[language]


def spoken(said: str) -> str:
    """Return ours of the languages for what a platform says: `zh-CN`, `zh-hans` and `en-GB` have one; else empty."""
    return {"zh": "zh_CN", "en": "en"}.get(said.replace("-", "_").partition("_")[0].lower(), "")


def is_chinese(text: str) -> bool:
    """Say whether a text is plainly written in Chinese, by its characters."""
    if text.isascii():
        return False
    chinese = len(_HAN.findall(text))
    return chinese > 0 and chinese >= CHINESE * sum(map(str.isalpha, text))


def written(texts: Iterable[str]) -> str:
    """Return the language that texts are plainly written in: Chinese by its characters, else empty."""
    return "zh_CN" if is_chinese("\n".join(texts)) else ""
