"""`kinfolk community`: the communities that this home serves, and making two of them one."""

from __future__ import annotations

import asyncio
import functools
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import JsonOption, emit, note, open_app, out, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from bot.core.things import Community
    from storage.db import Database

KeptArgument = Annotated[str, typer.Argument(metavar="KEPT", help="The community whose name and settings hold.")]
OtherArgument = Annotated[str, typer.Argument(metavar="OTHER", help="The community that becomes part of it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One community, where it is, and how much was said there."""

    name: str
    spaces: tuple[str, ...]
    messages: int


family = typer.Typer(name="community", help="The communities of this home.", no_args_is_help=True)


@family.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the communities with their servers, workspaces and groups."""
    run(lambda settings: _list(settings, as_json=as_json))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with open_app(settings) as app:
        found = await _known(app.database)
    if as_json:
        emit([asdict(one) for one in found])
        return
    if not found:
        note("There is no community yet: one is made when the bot comes somewhere, or by an import.")
    for one in found:
        out.print(f"{one.name}: {one.messages:,} messages ({', '.join(one.spaces) or 'on no platform'})", markup=False)


async def _known(database: Database) -> list[Served]:
    from storage import communities, messages, spaces

    async with database.read() as connection:
        return [
            Served(
                name=one.name,
                spaces=tuple(str(space.ref) for space in await spaces.of(connection, one)),
                messages=(await messages.state(connection, one.id)).count,
            )
            for one in await communities.every(connection)
        ]


@family.command("link")
def link(
    kept: KeptArgument,
    other: OtherArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a community part of another one, with all that it holds; members may then be shown what either says."""
    run(lambda settings: _link(settings, kept, other, yes=yes, as_json=as_json))


async def _link(settings: Settings, kept: str, other: str, *, yes: bool, as_json: bool) -> None:
    from storage import communities, linking, refusals

    async with open_app(settings) as app:
        async with app.database.read() as connection:
            into, away = await communities.find(connection, kept), await communities.find(connection, other)
            clash = await linking.clash(connection, into, away)
        if into.id == away.id:
            raise Mistake(f"{kept} and {other} are one community already.")
        if clash:
            raise Mistake(
                "Both hold imported history with names that are the same, and nobody can tell whether those are the "
                "same people. Import one of them again under another name, or forget who clashes."
            )
        if not yes:
            await asyncio.to_thread(_ask, into, away)
        join = functools.partial(linking.join, community=into, other=away, now=app.clock.now())
        known = await refusals.load(app.settings.home)
        await app.database.write(functools.partial(join, refusals=known))
    if as_json:
        emit({"community": into.name, "linked": away.name})
    else:
        note(f"{away.name} is part of {into.name} now. Its messages are indexed anew once the bot runs.")


def _ask(kept: Community, other: Community) -> None:
    if not sys.stdin.isatty():
        raise Mistake("Nobody can be asked here, and it cannot be undone. Say --yes to link the communities.")
    question = (
        f"Make {other.name} part of {kept.name}? Members of either may then be shown what is said in the open channels "
        f"of the other, the settings of {kept.name} hold, and it cannot be undone."
    )
    if not typer.confirm(question, err=True):
        raise Mistake("Nothing was linked.")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
