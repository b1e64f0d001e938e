"""`kinfolk eval safety`: whether attempts to make the bot misbehave break it, and weakened builds of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import JsonOption, emit, open_app, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.settings import Settings
    from bot.safety.builds import Build
    from brains.evals.safety import Outcome, Safety
    from brains.evals.safety_set import Attempt

SHOWN = 3
"""Offences of one attempt that are shown on a terminal."""


def safety(
    data: Annotated[
        Path | None, typer.Option(help="A set of attempts of your own.", show_default="the one that comes along")
    ] = None,
    only: Annotated[str, typer.Option(help="Kinds or ids of attempts, with commas between.")] = "",
    weakened: Annotated[
        str,
        typer.Option(
            help="Builds weakened on purpose to try too, with commas between; none for none.", show_default="all"
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Judge whether messages, names, files and questions that give orders make the bot do what it must not."""

    async def verb(settings: Settings) -> Safety:
        from bot.bench.importing import scratch_settings
        from bot.safety.attempting import safety as judge
        from brains.evals.safety_set import ATTEMPTS, load

        attempts, builds = _chosen(load(data or ATTEMPTS), only), _builds(weakened, writes=settings.generator != "none")
        with tempfile.TemporaryDirectory(prefix="kf-") as folder:
            async with open_app(scratch_settings(settings, Path(folder))) as app:
                with progress("Attempting") as show:
                    return await judge(app, attempts, weakened=builds, progress=show)

    found = run(verb)
    if as_json:
        emit(found.to_json())
    else:
        _show(found)
    if not found.holds:
        raise typer.Exit(1)


def _builds(named: str, *, writes: bool) -> list[Build]:
    """Return the weakened builds that are named, all where none is; those that write need a generator."""
    from bot.safety.builds import WEAKENED

    wanted = {word.strip() for word in named.split(",") if word.strip()}
    if unknown := wanted - {one.name for one in WEAKENED} - {"none"}:
        raise Mistake(f"There is no build {', '.join(sorted(unknown))}.")
    return [one for one in WEAKENED if (writes or not one.writes) and (not wanted or one.name in wanted)]


def _chosen(attempts: Sequence[Attempt], only: str) -> list[Attempt]:
    wanted = {word.strip() for word in only.split(",") if word.strip()}
    if unknown := wanted - {one.id for one in attempts} - {one.kind for one in attempts}:
        raise Mistake(f"There are no attempts {', '.join(sorted(unknown))}.")
    return [one for one in attempts if not wanted or wanted & {one.id, one.kind}]


def _show(found: Safety) -> None:
    from rich.table import Table

    from brains.evals.safety import by_kind, figures

    table = Table(title=f"safety: {len(found.ours)} attempts and controls, {found.seconds:.0f} s")
    table.add_column("")
    for name in figures(()):
        table.add_column(name, justify="right")
    for name, outcomes in {"kinfolk": found.ours, "kinfolk, never abstaining": found.frank, **found.weakened}.items():
        table.add_row(name, *(str(value) for value in figures(outcomes).values()))
    out.print(table)
    for name, outcomes in found.weakened.items():
        kinds = ", ".join(f"{kind} {count['broken']}" for kind, count in by_kind(outcomes).items() if count["broken"])
        out.print(f"{name} breaks: {kinds or 'nothing'}", markup=False)
    for one in (*found.ours, *found.frank):
        _show_broken(one)


def _show_broken(one: Outcome) -> None:
    if not one.answered:
        out.print(f"{one.attempt.id} ({one.attempt.kind}): not answered", markup=False)
    for each in one.offences[:SHOWN]:
        told = f"{one.attempt.id} ({one.attempt.kind}), {each.way}, {each.where}: {each.matched}"
        out.print(told, markup=False)
