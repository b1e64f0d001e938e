"""`kinfolk eval digest`: digests of old messages with hidden topics, and summaries of meetings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import JsonOption, encoding, note, run

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from brains.evals.evaluation import Evaluation

MANY = 5
"""Lines of a digest, and sentences of a meeting, where nobody says."""
Show = Callable[..., None]


def digests(show: Show) -> Callable[..., None]:
    """Return the verb, which shows what it found by `show`."""

    def digest(
        data: Annotated[Path, typer.Option(help="History with topics, QMSum or VCSum; docs/digests.md says how.")],
        since: Annotated[
            datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only months that begin from this day on.")
        ] = None,
        until: Annotated[
            datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only months that begin before this day.")
        ] = None,
        most: Annotated[int, typer.Option(min=1, help="Lines of a digest, or sentences of a meeting.")] = MANY,
        split: Annotated[str, typer.Option(help="Which meetings to judge: val, dev, test.")] = "test",
        lines: Annotated[bool, typer.Option("--lines", help="Print every line on standard error, to be read.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Judge whether digests tell what was talked of, and only what was said."""

        async def verb(settings: Settings) -> Evaluation:
            from brains.evals import summaries

            if (meetings := summaries.read(data, split)) is not None:
                return summaries.judge(meetings, most=most, task=f"summaries, {split}")
            return await _history(settings, data, _day(since), _day(until), most=most, lines=lines)

        show(run(verb), as_json=as_json)

    return digest


def _day(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


async def _history(
    settings: Settings, data: Path, since: datetime | None, until: datetime | None, *, most: int, lines: bool
) -> Evaluation:
    from bot.untangling import Untangling
    from brains.evals import digest
    from brains.evals.discussed import read_history

    found = digest.months(read_history(data).texts, since=since, until=until)
    async with encoding(settings) as (app, encoder, progress):
        return await digest.judge(
            found,
            most=most,
            encoder=encoder,
            untangle=lambda database: Untangling(database=database, clock=app.clock).catch_up(),
            progress=progress,
            show=note if lines else None,
        )
