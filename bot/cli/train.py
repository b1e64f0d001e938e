"""`kinfolk train`: fit what is shipped, or what a community's own machine learns, from data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import JsonOption, emit, note, open_app, out, progress, run

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from brains.training.run import Outcome

family = typer.Typer(name="train", help="Learn from data.", no_args_is_help=True)


@family.command()
def heads(
    data: Annotated[
        Path, typer.Option(help="The folder with moderation/ and gitter_livechat/; see docs/benchmarks.md.")
    ],
    to: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the shipped file, if nowhere is named.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data and seed give the same file.")] = 7,
    force: Annotated[
        bool, typer.Option("--force", help="Write even above the fairness bar; the card says so.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit the moderation heads and write them with their card."""

    async def verb(settings: Settings) -> Outcome:
        from datetime import UTC, datetime

        from brains.moderation.heads import SHIPPED
        from brains.training.run import train_heads
        from storage.encodings import KeepingEncoder

        async with open_app(settings) as app:
            encoder = KeepingEncoder(await app.encoder(), app.database)
            date = datetime.now(UTC).date().isoformat()
            with progress("Encoding") as show:
                return await train_heads(
                    data,
                    to or SHIPPED.parent,
                    encoder=encoder,
                    date=date,
                    seed=seed,
                    force=force,
                    progress=show,
                    tell=lambda head: note(f"Fitting {head}"),
                )

    _show(run(verb), as_json=as_json)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    from dataclasses import asdict

    above = [line.group for line in outcome.fairness if line.above]
    if as_json:
        emit(
            {
                "file": str(outcome.file),
                "card": str(outcome.card),
                "examples": outcome.examples,
                "figures": [asdict(one) for one in outcome.figures],
                "ordinary": {name: {"vector": rates[0], "alone": rates[1]} for name, rates in outcome.ordinary.items()},
                "above_the_bar": above,
            }
        )
        return
    flagged, alone = outcome.ordinary["any"]
    out.print(
        f"{outcome.file}: five heads from {outcome.examples:,} examples; {outcome.card} says what they are worth."
    )
    out.print(f"Ordinary chat flagged by any: {flagged:.3%} with the vector, {alone:.3%} without.")
    out.print(f"Fairness bar: {'crossed by ' + ', '.join(above) if above else 'kept'}.")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
