"""The process that opens one file: it may take so much memory and no more, writes no file, and asks nobody anything.

`python -m brains.knowledge.documents.process NAME` reads the file from standard input and writes one document to
standard output: its pieces, or why it was refused.
"""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

import orjson

from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.engines.confinement import confine, seal
from brains.knowledge.documents.chunking import pieces
from brains.knowledge.documents.html import html_blocks, title
from brains.knowledge.documents.markdown import markdown_blocks
from brains.knowledge.documents.pdf import pdf_blocks
from brains.knowledge.documents.plain import decoded, plain_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMORY = 1 << 30
"""Bytes of addresses; a guess, beyond which a file counts as hostile."""
MARKDOWN, HTML, TEXT, PDF = {"md", "markdown", "mdown"}, {"html", "htm", "xhtml"}, {"txt", "text", ""}, {"pdf"}
KINDS = MARKDOWN | HTML | TEXT | PDF
"""What files may end with, without the dot."""
UNKNOWN = _("I read Markdown, text, HTML and PDF, and nothing that ends with {ending}.")
WORDLESS = _("There are no words in this file.")
TOO_MUCH = _("This file takes more memory than I give it.")
TANGLED = _("This file is nested too deeply.")


def ending(name: str) -> str:
    """Return how a file's name ends, in small letters and without the dot."""
    return PurePath(name.lower()).suffix.removeprefix(".")


def cut(name: str, data: bytes) -> list[tuple[str, str]]:
    """Cut a file into pieces, each with the headings above it. Raises Mistake that says what is wrong with it."""
    kind, called = ending(name), PurePath(name).stem
    if kind not in KINDS:
        raise Mistake(UNKNOWN, ending=f".{kind}")
    if kind in PDF or data.startswith(b"%PDF-"):
        found = pieces(pdf_blocks(data), called)
    elif kind in HTML:
        text = decoded(data)
        found = pieces(html_blocks(text), title(text) or called)
    else:
        text = decoded(data)
        found = pieces(markdown_blocks(text) if kind in MARKDOWN else plain_blocks(text), called)
    if not found:
        raise Mistake(WORDLESS)
    return found


def answer(name: str, data: bytes) -> dict[str, object]:
    """Return the pieces of a file as a document, or the sentence that says why there are none."""
    try:
        return {"pieces": cut(name, data)}
    except Mistake as refused:
        return {"refused": refused.message, "values": refused.values}
    except MemoryError:
        return {"refused": TOO_MUCH, "values": {}}
    except RecursionError:
        return {"refused": TANGLED, "values": {}}


def main(arguments: Sequence[str]) -> int:
    """Read one file."""
    [name] = arguments
    confine(MEMORY)
    seal()
    sys.stdout.buffer.write(orjson.dumps(answer(name, sys.stdin.buffer.read())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
