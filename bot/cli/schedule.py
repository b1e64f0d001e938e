"""`kinfolk schedule`: what the bot does of its own accord in a community, when, and what became of the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, run

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from bot.core.settings import Settings
    from storage.schedules import Standing


def schedule(community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Show every schedule of a community; the staff changes them by /schedule."""
    run(lambda settings: _schedule(settings, community, as_json=as_json))


async def _schedule(settings: Settings, name: str | None, *, as_json: bool) -> None:
    from bot.core import zones
    from bot.jobs import EVERY
    from storage import policies, schedules

    async with open_app(settings) as app:
        whose = await app.community(name)
        async with app.database.read() as connection:
            policy = (await policies.load(connection, whose)).policy
            zone = await zones.opened(policy.time_zone)
            found = await schedules.standings(connection, whose, EVERY, policy=policy, zone=zone, now=app.clock.now())
    if as_json:
        emit([_document(one, policy.time_zone, zone) for one in found])
    else:
        _show(found, policy.time_zone, zone)


def _document(one: Standing, zone: str, place: tzinfo) -> dict[str, object]:
    kept = one.kept
    return {
        "name": one.schedule.name,
        "does": one.schedule.does,
        "when": str(one.when),
        "zone": zone,
        "paused": one.paused,
        "set_by": kept.set_by if kept else "",
        "next": _at(one.next_at, place),
        "last": _at(kept.planned_at if kept else None, place),
        "outcome": kept.outcome if kept else "",
        "said": one.said,
        "missed": kept.missed if kept else 0,
        "last_missed": _at(kept.missed_at if kept else None, place),
    }


def _at(moment: datetime | None, zone: tzinfo) -> str | None:
    return moment.astimezone(zone).isoformat() if moment else None


def _show(found: list[Standing], zone: str, place: tzinfo) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"Schedules ({zone})")
    for column in ("name", "when", "next", "last", "what came of it", "missed"):
        table.add_column(column)
    for one in found:
        kept = one.kept
        last, missed = (kept.planned_at, kept.missed) if kept else (None, 0)
        came = one.said or (kept.outcome if kept else "")
        comes = "paused" if one.paused else _minute(one.next_at, place)
        # What the skills said may hold square brackets, which are no markup.
        told = escape(came)
        table.add_row(one.schedule.name, str(one.when), comes, _minute(last, place), told, str(missed or ""))
    out.print(table)


def _minute(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else ""


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(schedule)
