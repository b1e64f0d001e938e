"""`kinfolk eval`: how good the answers are, beside baselines in the same run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import JsonOption, emit, note, open_app, out, progress, run

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from brains.evals.evaluation import Evaluation

DataOption = Annotated[Path, typer.Option(help="The data; docs/benchmarks.md says in which format.")]

family = typer.Typer(name="eval", help="Measure how good the answers are.", no_args_is_help=True)


@family.command()
def recommend(
    data: DataOption,
    cut: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Learn before this day, test from it on.")],
    as_json: JsonOption = False,
) -> None:
    """Judge which channels members came to after a day, from what was known before it."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.recommend import recommend as judge
        from storage.encodings import KeepingEncoder

        async with open_app(settings) as app:
            encoder = KeepingEncoder(await app.encoder(), app.database)
            with progress("Encoding") as show:
                return await judge(data, cut=cut.replace(tzinfo=UTC), encoder=encoder, progress=show)

    _show(run(verb), as_json=as_json)


@family.command()
def match_text(
    data: DataOption,
    zero_shot: Annotated[bool, typer.Option("--zero-shot", help="From the descriptions alone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge in which channel a text belongs."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.match_text import match_text as judge
        from storage.encodings import KeepingEncoder

        async with open_app(settings) as app:
            encoder = KeepingEncoder(await app.encoder(), app.database)
            with progress("Encoding") as show:
                return await judge(data, encoder=encoder, zero_shot=zero_shot, progress=show)

    _show(run(verb), as_json=as_json)


def _show(evaluation: Evaluation, *, as_json: bool) -> None:
    from rich.table import Table

    document = evaluation.to_json()
    if as_json:
        emit(document)
        return
    rows = {"kinfolk": evaluation.ours, **evaluation.baselines}
    metrics = [name for name, value in evaluation.ours.items() if isinstance(value, float)]
    table = Table(title=f"{evaluation.task}: {evaluation.n:,} cases, {evaluation.seconds:.0f} s")
    table.add_column("")
    for metric in metrics:
        table.add_column(metric, justify="right")
    for name, values in rows.items():
        table.add_row(name, *(f"{values[metric]:.3f}" if metric in values else "" for metric in metrics))
    out.print(table)
    beside = evaluation.comparison
    low, high = beside.interval.low, beside.interval.high
    out.print(f"{beside.metric} beside {beside.baseline}: {beside.difference:+.3f} (95 %: {low:+.3f} to {high:+.3f})")
    for line in evaluation.notes:
        note(line)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
