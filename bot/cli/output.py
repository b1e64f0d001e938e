"""What every verb shares: options, one JSON document on standard output, progress and notes on standard error."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, TypeVar

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.core import log
from bot.core.settings import Settings, load_settings

T = TypeVar("T")

CommunityOption = Annotated[
    str | None, typer.Option("--community", help="The community; may be left out when there is only one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def run(verb: Callable[[Settings], Coroutine[object, object, T]]) -> T:
    """Load the settings, start logging and run a verb to its end."""
    settings = load_settings()
    log.configure(settings.log_level)
    return asyncio.run(verb(settings))


def emit(document: object) -> None:
    """Print one JSON document on a line of its own."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    """Say something that is not the answer."""
    err.print(text, markup=False)


@contextlib.contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, and nothing elsewhere."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
