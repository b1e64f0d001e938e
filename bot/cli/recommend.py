"""`kinfolk eval recommend` and `kinfolk eval exposure`: how good suggestions to members are, and what they show."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import JsonOption, emit, note, open_app, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bot.core.settings import Settings
    from brains.evals.evaluation import Evaluation
    from brains.evals.exposure import Exposure
    from brains.evals.recommend_report import Rolling, Versus
    from brains.evals.recommend_rolling import Span

DataOption = Annotated[Path, typer.Option(help="Rows of `user, channel, ts`, optionally `text`; gzip allowed.")]
CutOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Learn before this day, test from it on.")
]


def recommender(show: Callable[..., None]) -> Callable[..., None]:
    """Make the verb; `show(evaluation, as_json=...)` prints the result of one cut."""

    def recommend(
        data: DataOption,
        cut: CutOption = None,
        rolling: Annotated[
            str, typer.Option(help="Cuts from a day to another, such as 2021-01-01:2024-01-01, pooled.")
        ] = "",
        every: Annotated[int, typer.Option(min=1, help="Months from one cut to the next.")] = 6,
        within: Annotated[
            int | None, typer.Option(min=1, help="Days that a window is open; else to the next cut.")
        ] = None,
        seeds: Annotated[int, typer.Option(min=1, help="Runs of peers that are fitted by chance.")] = 5,
        ablation: Annotated[
            bool, typer.Option("--ablation", help="Also without each signal, and by it alone.")
        ] = False,
        plot: Annotated[Path | None, typer.Option(help="Draw the result (.png or .svg).")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Judge which channels members came to after a day, or after each of many, from what was known before it."""
        if (cut is None) == (not rolling):
            raise Mistake("Say either --cut DAY or --rolling FIRST:LAST.")
        if cut is not None:
            if ablation or plot is not None:
                raise Mistake("--ablation and --plot belong to --rolling FIRST:LAST.")
            evaluation = run(_at(data, cut.replace(tzinfo=UTC)))
            show(evaluation, as_json=as_json)
            return
        span = _span(rolling, every, within)
        if plot is not None and plot.suffix not in {".png", ".svg"}:
            raise Mistake(f"{plot}: a picture ends in .png or .svg.")
        found = run(_rolling(data, span, seeds=seeds, ablation=ablation))
        if plot is not None:
            from brains.evals.plot import draw

            draw(found, plot)
        emit(found.to_json()) if as_json else _show(found)

    return recommend


def _span(text: str, every: int, within: int | None) -> Span:
    """Read two days with a colon between. Raises Mistake."""
    from brains.evals.recommend_rolling import Span

    first, _colon, last = text.partition(":")
    try:
        span = Span(first=_day(first), last=_day(last), every=every, within=within)
    except ValueError as trouble:
        raise Mistake(f"--rolling {text}: two days are needed, such as 2021-01-01:2024-01-01.") from trouble
    if span.last < span.first:
        raise Mistake(f"--rolling {text}: the first day comes after the last.")
    return span


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def _at(data: Path, cut: datetime) -> Callable[[Settings], Coroutine[object, object, Evaluation]]:
    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.recommend import recommend as judge
        from storage.encodings import KeepingEncoder

        async with open_app(settings) as app:
            encoder = KeepingEncoder(await app.encoder(), app.database)
            with progress("Encoding") as show:
                return await judge(data, cut=cut, encoder=encoder, progress=show)

    return verb


def _rolling(
    data: Path, span: Span, *, seeds: int, ablation: bool
) -> Callable[[Settings], Coroutine[object, object, Rolling]]:
    async def verb(settings: Settings) -> Rolling:
        from brains.evals.recommend_rolling import rolling as judge
        from storage.encodings import KeepingEncoder

        async with open_app(settings) as app:
            encoder = KeepingEncoder(await app.encoder(), app.database)
            with progress("Encoding") as encoding, progress("Judging") as judging:
                return await judge(
                    data, span, encoder=encoder, seeds=seeds, ablation=ablation, encoding=encoding, judging=judging
                )

    return verb


def _show(found: Rolling) -> None:
    from rich.table import Table

    metrics = list(found.ours)
    table = Table(title=f"recommend: {found.n:,} cases of {found.members:,} members, {found.seconds:.0f} s")
    table.add_column("")
    for metric in metrics:
        table.add_column(metric, justify="right")
    table.add_column(f"ours less theirs, {metrics[0]} (95 %)", justify="right")
    table.add_row("kinfolk", *(f"{found.ours[metric]:.3f}" for metric in metrics), _between(found, metrics[0]))
    for name, values in sorted(found.baselines.items(), key=lambda one: -one[1][metrics[0]]):
        told = [_figure(values[metric], found.spread.get(name, {}).get(metric)) for metric in metrics]
        table.add_row(name, *told, _versus(found.versus[name][metrics[0]]))
    out.print(table)
    if found.calibration:
        out.print("calibration: " + ", ".join(f"{name} {value:g}" for name, value in found.calibration.items()))
    _show_ablation(found, metrics[0])
    for line in found.notes:
        note(line)


def _show_ablation(found: Rolling, metric: str) -> None:
    from rich.table import Table

    if not found.without:
        return
    table = Table(title=f"{metric} beside ours (95 %)")
    for column in ("", "without it", "by it alone"):
        table.add_column(column, justify="right" if column else "left")
    for signal, values in found.without.items():
        table.add_row(signal, _versus(values[metric]), _versus(found.alone[signal][metric]))
    out.print(table)


def _between(found: Rolling, metric: str) -> str:
    return f"{found.intervals[metric].low:.3f} to {found.intervals[metric].high:.3f}"


def _figure(value: float, spread: float | None) -> str:
    return f"{value:.3f}" if spread is None else f"{value:.3f} ±{spread:.3f}"


def _versus(one: Versus) -> str:
    return f"{one.difference:+.3f} ({one.interval.low:+.3f} to {one.interval.high:+.3f})"


def exposure(
    data: DataOption,
    cut: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Learn before this day, and offer on it.")],
    as_json: JsonOption = False,
) -> None:
    """Count how often each channel would be offered, beside what popularity shows."""

    async def verb(settings: Settings) -> Exposure:
        from brains.evals.exposure import exposure as judge
        from storage.encodings import KeepingEncoder

        async with open_app(settings) as app:
            encoder = KeepingEncoder(await app.encoder(), app.database)
            with progress("Encoding") as show:
                return await judge(data, cut=cut.replace(tzinfo=UTC), encoder=encoder, progress=show)

    found = run(verb)
    emit(found.to_json()) if as_json else _show_exposure(found)


def _show_exposure(found: Exposure) -> None:
    from rich.table import Table

    table = Table(title=f"exposure: {found.n:,} members, {found.seconds:.0f} s")
    for column in ("", "Gini", "small channels", "own script", "channels never shown", "members without an offer"):
        table.add_column(column, justify="right" if column else "left")
    for name, one in {"kinfolk": found.ours, **found.baselines}.items():
        shares = (f"{one.gini:.3f}", f"{one.small:.1%}", f"{one.own_script:.1%}")
        table.add_row(name, *shares, str(one.never), str(one.nothing))
    out.print(table)
    table = Table()
    for column in ("channel", "script", "members", "fits", "kinfolk shows it", "popularity shows it"):
        table.add_column(column, justify="left" if column in {"channel", "script"} else "right")
    for room in found.channels:
        table.add_row(
            room.name, room.script, *(f"{n:,}" for n in (room.members, room.fits, room.ours, room.popularity))
        )
    out.print(table)
    for script, values in found.scripts.items():
        out.print(f"{script}: " + ", ".join(f"{share:.1%} of {name}" for name, share in values.items()))
    note(f"Fit somebody and are shown to nobody: {', '.join(found.starved) or 'none'}.")
    for line in found.notes:
        note(line)
