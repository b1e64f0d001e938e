"""The command line: `kinfolk VERB`. One file per family of verbs; this one holds the door that errors leave by."""

from __future__ import annotations

import sys
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import (
    answers,
    ask,
    bench,
    checkup,
    community,
    decisions,
    digest,
    evals,
    find,
    groups,
    imports,
    knowledge,
    manifest,
    member,
    moderation,
    people,
    precision,
    pulse,
    run,
    schedule,
    train,
    worker,
)
from bot.core.errors import KinfolkError

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    name="kinfolk",
    help="A community bot that helps members find where they belong.",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
INTERRUPTED = 130
"""What typer exits with on Ctrl-C, as shells do."""

for family in (
    run,
    decisions,
    checkup,
    imports,
    knowledge,
    find,
    groups,
    pulse,
    people,
    ask,
    digest,
    answers,
    member,
    moderation,
    community,
    schedule,
    evals,
    train,
    precision,
    bench,
    manifest,
    worker,
):
    family.register(app)


@app.callback()
def kinfolk(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Help members find where they belong."""
    if version:
        print(f"kinfolk {metadata.version('kinfolk')}")
        raise typer.Exit


def main() -> None:
    """Run a verb. Exit code 2 for bad input, 1 for everything else that failed."""
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print("Stopped. What was stored is kept; the same command goes on from there.", file=sys.stderr)
        raise
    except Exception as error:  # noqa: BLE001 - this is one of the four doors
        known = next(_known(error), None)
        if known is None:
            traceback.print_exc()
            print("This is a mistake in Kinfolk, not yours. Please report the lines above.", file=sys.stderr)
            sys.exit(1)
        print(f"kinfolk: {known}", file=sys.stderr)
        sys.exit(known.exit_code)


def _known(error: BaseException) -> Iterator[KinfolkError]:
    """Find the errors made for users, also inside groups of errors."""
    if isinstance(error, KinfolkError):
        yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _known(one)
