"""What every verb shares: options, one JSON document on standard output, progress and notes on standard error.

The files of verbs import what is heavy inside their functions, so that help and bad input are answered at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Annotated, TypeVar

import orjson
import typer
from rich.console import Console

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.ports import Encoder
    from bot.core.settings import Settings

T = TypeVar("T")

CommunityOption = Annotated[
    str | None, typer.Option("--community", help="The community; may be left out when there is only one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def run(verb: Callable[[Settings], Coroutine[object, object, T]]) -> T:
    """Load the settings, start logging and run a verb to its end."""
    from bot.core import log
    from bot.core.settings import load_settings

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


@contextlib.asynccontextmanager
async def open_app(settings: Settings, *, tell: Callable[[str], None] = note) -> AsyncIterator[App]:
    """Open the app, which brings the database and all that belongs to it: help and a wrong setting are told before."""
    from bot import app

    async with app.open_app(settings, tell=tell) as opened:
        yield opened


@contextlib.contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, and nothing elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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


@contextlib.asynccontextmanager
async def encoding(settings: Settings) -> AsyncIterator[tuple[App, Encoder, Callable[[int, int], None]]]:
    """Open the app, and give its encoder, which keeps what it made for the next run, and what shows how far it is."""
    from storage.encodings import KeepingEncoder

    async with open_app(settings) as app:
        encoder = KeepingEncoder(await app.encoder(), app.database)
        with progress("Encoding") as show:
            yield app, encoder, show
