"""`kinfolk groups`: what a community could do with its channels, as the staff would be told; nothing is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, run

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from brains.matching.growth_finding import Found

MANY = 10
"""Topics that are shown where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A topic as it is printed: who talks of it where, since when, and messages as examples."""

    name: str
    terms: tuple[str, ...]
    people: int
    conversations: int
    messages: int
    channels: dict[str, int]
    since: str
    growth: float
    coherence: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """All that could be proposed: topics, pairs of channels to merge, channels to archive."""

    topics: tuple[Shown, ...]
    merges: tuple[dict[str, object], ...]
    archives: tuple[dict[str, object], ...]


def groups(
    k: Annotated[int, typer.Option(min=1, help="How many topics at most.")] = MANY,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show topics without a channel, and channels to merge or archive; the staff settled none of them."""

    async def verb(settings: Settings) -> Groups:
        from brains.matching import growth_finding

        async with open_app(settings) as app:
            whose = await app.community(community)
            place = await app.embedding(whose)
            found = await growth_finding.find(
                app.database,
                place.vectors,
                whose,
                fingerprint=place.encoder.fingerprint,
                now=app.clock.now(),
                again=True,
            )
            return _groups(found, k)

    told = run(verb)
    if as_json:
        emit(asdict(told))
    else:
        _show(told)


def _groups(found: Found, k: int) -> Groups:
    def name(number: int) -> str:
        return found.rooms[number].name

    return Groups(
        topics=tuple(
            Shown(
                name=one.name,
                terms=one.terms,
                people=len(one.people),
                conversations=one.conversations,
                messages=one.messages,
                channels={name(number): count for number, count in one.channels.items()},
                since=_day(one.first),
                growth=round(one.growth, 3),
                coherence=round(one.coherence, 3),
                examples=tuple(str(found.said[number].ref) for number in one.examples if number in found.said),
            )
            for one in found.topics[:k]
        ),
        merges=tuple(
            {"smaller": name(one.smaller), "larger": name(one.larger), "shared": one.shared, "closeness": one.closeness}
            for one in found.pairs
        ),
        archives=tuple({"channel": one.name, "last": _day(found.lives[one.id].last)} for one in found.quiet),
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _show(told: Groups) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not (told.topics or told.merges or told.archives):
        note("No topic wants a channel of its own, and no channel is to be merged or archived.")
    if told.topics:
        table = Table(title="Topics without a channel")
        for column in ("name", "terms", "people", "conversations", "since", "in"):
            table.add_column(column)
        for one in told.topics:
            most = sorted(one.channels.items(), key=lambda room: -room[1])
            rooms = ", ".join(f"#{name} ({count})" for name, count in most)
            said = (one.name, ", ".join(one.terms), str(one.people), str(one.conversations), one.since, rooms)
            table.add_row(*map(escape, said))
        out.print(table)
    for pair in told.merges:
        out.print(f"merge #{pair['smaller']} into #{pair['larger']}: {pair['shared']} talk in both", markup=False)
    for room in told.archives:
        out.print(f"archive #{room['channel']}: nothing since {room['last']}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(groups)
