"""`kinfolk precision`: how often each detector was right, by what staff decided."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, run

if TYPE_CHECKING:
    from bot.core.settings import Settings


def precision(
    days: Annotated[int, typer.Option(min=1, max=365, help="How far back.")] = 7,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many of each detector's cases the staff overturned, and what members had to report."""
    run(lambda settings: _precision(settings, days, name=community, as_json=as_json))


async def _precision(settings: Settings, days: int, *, name: str | None, as_json: bool) -> None:
    from adapters.markup import plain
    from bot.core.i18n import translator
    from brains.moderation.precision import Right, note, to_json
    from storage import cases

    async with open_app(settings) as app:
        whose = await app.community(name)
        async with app.database.read() as connection:
            tallies = await cases.precision(connection, whose, app.clock.now() - timedelta(days=days))
    found = [
        Right(detector=one.detector, settled=one.settled, overturned=one.overturned) for one in tallies if one.detector
    ]
    missed = sum(one.missed for one in tallies)
    if as_json:
        emit(to_json(found, missed, days=days))
        return
    translate = await asyncio.to_thread(translator, settings.language)
    words = note(found, missed, days=days, translate=translate)
    out.print(plain(words) if words else f"No case was settled in the last {days} days.", markup=False)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(precision)
