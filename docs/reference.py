"""Writes docs/reference.md from the settings and the command line, so that it cannot be wrong."""

from __future__ import annotations

import asyncio
import functools
import io
import os
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typer.core import TyperGroup

PAGE = Path(__file__).parent / "reference.md"


def page() -> str:
    """Return the whole page."""
    return "\n".join([*_settings(), "", *_commands(), "", *_platforms(), "", *_policy(), "", *_verbs()]) + "\n"


def _commands() -> Iterator[str]:
    from bot.core.commands import COMMANDS

    yield "## Commands in the chat\n\n| command | who | what it is for |\n|---|---|---|"
    for command in COMMANDS:
        usage = " ".join([f"/{command.name}", *(f"[{argument.name}]" for argument in command.arguments)])
        who = {"MEMBER": "everybody", "STAFF": "staff", "OWNER": "the owner"}[command.rank.name]
        yield f"| `{usage}` | {who} | {command.help} |"


def _platforms() -> Iterator[str]:
    from bot.checkup import capabilities

    able = asyncio.run(_able())
    yield "## What it can do where\n\n`kinfolk doctor` prints this too.\n"
    yield f"| | {' | '.join(able)} |\n|---{'|---' * len(able)}|"
    for row in capabilities(able):
        yield f"| {' | '.join(row)} |"


async def _able() -> Mapping[str, frozenset[str]]:
    from bot.app import open_app
    from bot.core.settings import Settings
    from bot.platforms import CONSOLE, EVERY

    with tempfile.TemporaryDirectory() as home:
        async with open_app(Settings(_env_file=None, home=Path(home), generator="none")) as app:
            return {one.label: one.open(app).can for one in EVERY if one is not CONSOLE}


def _policy() -> Iterator[str]:
    from bot.core.policies import Policy

    yield "## What `/setup` sets\n\n| setting | default | meaning |\n|---|---|---|"
    for name, field in Policy.model_fields.items():
        yield f"| `{name}` | `{field.default if field.default != '' else '-'}` | {field.description} |"


def _settings() -> Iterator[str]:
    from bot.core.settings import Settings

    yield "# Reference\n\nWritten by `make docs`.\n\n## Settings\n"
    yield "From the environment or from `.env`.\n\n| variable | meaning |\n|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `KINFOLK_{name.upper()}` | {field.description} |"


def _verbs() -> Iterator[str]:
    yield "## Command line\n"
    for verb in _every():
        yield f"### kinfolk {verb}\n\n```\n{_help(verb)}\n```\n"


def _every() -> Iterator[str]:
    """Yield every verb of the command line, those of a family with its name before."""
    for name, verb in _program().commands.items():
        if not verb.hidden:
            yield from (f"{name} {inner}" for inner in verb.commands) if hasattr(verb, "commands") else (name,)


@functools.cache
def _program() -> TyperGroup:
    """Build the command line once: that takes longer than a help does."""
    from typer.main import get_command

    from bot.cli import app

    return get_command(app)


def _help(verb: str) -> str:
    """Return what `--help` prints, at 100 columns, without colours or trailing blanks."""
    os.environ.update(TERMINAL_WIDTH="100", COLUMNS="100", NO_COLOR="1", TERM="dumb")
    words = io.StringIO()
    with redirect_stdout(words):
        _program()([*verb.split(), "--help"], prog_name="kinfolk", standalone_mode=False)
    return "\n".join(line.rstrip() for line in words.getvalue().strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(page())
