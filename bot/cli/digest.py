"""`kinfolk digest`: what was worth knowing of some days, on the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.find import DayOption, warn_of_waiting
from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from brains.rhythm.digest import Digest, Line

DAYS = 7
"""How far back a digest looks where nobody says."""


def digest(
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    since: DayOption = "",
    until: DayOption = "",
    reader: Annotated[str | None, typer.Option("--as", help="A member; without one, what everyone may read.")] = None,
    most: Annotated[int, typer.Option(min=1, max=50, help="How many conversations, at most.")] = 8,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum up what was said: conversations, decisions, open questions and links, each with its messages."""
    found = run(lambda settings: _digest(settings, channel, since, until, reader, most=most, name=community))
    if as_json:
        emit({"items": [_item(line) for line in found.every]})
    else:
        _show(found)


async def _digest(
    settings: Settings, channel: str | None, since: str, until: str, reader: str | None, *, most: int, name: str | None
) -> Digest:
    from brains.knowledge.filters import read_day
    from storage import channels, members

    first, last = read_day(since), read_day(until)
    if first and last and last < first:
        raise Mistake(f"The first day is after the last: since {since}, until {until}.")
    async with open_app(settings) as app:
        community = await app.community(name)
        await warn_of_waiting(app, community)
        async with app.database.read() as connection:
            member = await members.find(connection, community, reader) if reader else None
            reach = await channels.reach(connection, community, member)
            mine = await members.alike(connection, community, member) if member else frozenset()
        end = last + timedelta(days=1) if last else app.clock.now()
        begin = first or end - timedelta(days=DAYS)
        if begin >= end:
            raise Mistake(f"The day {since} is still to come.")
        wanted = {reach.named(channel).id} if channel else None
        digester = await app.digester()
        return await digester.look(community, reach, since=begin, until=end, channels=wanted, accounts=mine, most=most)


def _item(line: Line) -> dict[str, object]:
    from adapters.history.jsonl import imported_id

    return {
        "kind": line.kind,
        "title": line.title,
        "summary": line.summary,
        "channel": line.channel.name,
        "messages": [imported_id(ref) for ref in line.sources],
    }


def _show(found: Digest) -> None:
    from adapters.history.jsonl import imported_id

    out.print(
        f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC: {found.messages:,} messages of "
        f"{found.people:,} people, {found.newcomers:,} of them new.",
        style="dim",
    )
    if found.is_empty:
        out.print("Nothing worth saying.")
    for line in found.every:
        kind = "" if line.kind == "conversation" else f"{line.kind}: "
        out.print(f"\n{kind}{line.title}", style="bold", markup=False)
        if line.summary != line.title:
            out.print(f"  {' '.join(line.summary.split())}", markup=False)
        cited = " ".join(imported_id(ref) for ref in line.sources)
        out.print(
            f"    #{line.channel.name} {line.began:%Y-%m-%d}, {line.messages} messages [{cited}]",
            style="dim",
            markup=False,
        )


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(digest)
