"""Writes docs/reference.md from the settings and the command line, so that it cannot be wrong."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent / "reference.md"
VERBS = (
    "import jsonl",
    "match",
    "search",
    "member export",
    "member forget",
    "eval recommend",
    "eval match-text",
    "bench encoder",
    "bench generator",
    "bench import",
    "bench vectors",
    "worker",
)


def page() -> str:
    """Return the whole page."""
    return "\n".join([*_settings(), "", *_verbs()]) + "\n"


def _settings() -> Iterator[str]:
    from bot.core.settings import Settings

    yield "# Reference\n\nWritten by `make docs`.\n\n## Settings\n"
    yield "From the environment or from `.env`.\n\n| variable | meaning |\n|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `KINFOLK_{name.upper()}` | {field.description} |"


def _verbs() -> Iterator[str]:
    yield "## Command line\n"
    for verb in VERBS:
        yield f"### kinfolk {verb}\n\n```\n{_help(verb)}\n```\n"


def _help(verb: str) -> str:
    """Return what `--help` prints, at 100 columns, without colours or trailing blanks."""
    os.environ.update(TERMINAL_WIDTH="100", COLUMNS="100", NO_COLOR="1", TERM="dumb")
    from bot.cli import app

    words = io.StringIO()
    with redirect_stdout(words):
        app([*verb.split(), "--help"], prog_name="kinfolk", standalone_mode=False)
    return "\n".join(line.rstrip() for line in words.getvalue().strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(page())
