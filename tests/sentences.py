"""Every sentence that is marked for translation, and the catalogues, which `make words` brings together with them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

from babel.messages.pofile import normalize, read_po

from bot.core.i18n import LANGUAGES, LOCALES

ROOT = Path(__file__).parents[1]
FOLDERS = ("bot", "adapters", "brains", "storage")
MARKS = ("_", "translate")
"""What marks a sentence: as one to be translated later, or right where it is said."""
TRANSLATED = tuple(one for one in LANGUAGES if one != "en")
"""The languages that need a catalogue: English is the source."""


def marked() -> set[str]:
    """Return every sentence that is marked anywhere."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    return set().union(*map(_marked_in, files))


def _marked_in(file: Path) -> set[str]:
    """Read the syntax tree, which knows what is inside of f-strings too."""
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call) and node.args)
    return {
        call.args[0].value
        for call in calls
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in MARKS and isinstance(call.args[0], ast.Constant)
    }


def catalogue(language: str) -> Path:
    """Return the file of a language."""
    return LOCALES / language / "LC_MESSAGES" / "kinfolk.po"


def translated(text: str) -> dict[str, str]:
    """Return what a catalogue says, by sentence; empty where it waits for a translator."""
    return {message.id: message.string for message in read_po(text.splitlines()) if message.id}


def brought_together(text: str, wanted: set[str]) -> str:
    """Return a catalogue that holds the sentences that are wanted and no other, sorted; new ones have no words yet."""
    head, _blank, _entries = text.partition("\n\n")
    words = dict.fromkeys(wanted, "") | {one: said for one, said in translated(text).items() if one in wanted}
    return "\n\n".join([head, *_entries_of(words)]) + "\n"


def _entries_of(words: Mapping[str, str]) -> list[str]:
    return [
        f"msgid {normalize(one, width=0)}\nmsgstr {normalize(words[one], width=0)}"
        for one in sorted(words, key=lambda one: (one.casefold(), one))
    ]


def main() -> None:
    """Bring every catalogue together with what is marked; name what waits for its words, and what words went."""
    wanted = marked()
    for language in TRANSLATED:
        file = catalogue(language)
        before = file.read_text()
        file.write_text(brought_together(before, wanted))
        waiting = [one for one, said in translated(file.read_text()).items() if not said]
        gone = {one: said for one, said in translated(before).items() if one not in wanted}
        told = [f"{file.relative_to(ROOT)}: {len(wanted)} sentences"]
        told += [f"  write its words: {one}" for one in waiting]
        told += [f"  dropped: {one}\n           {said}" for one, said in gone.items()]
        sys.stdout.write("\n".join(told) + "\n")


if __name__ == "__main__":
    main()
