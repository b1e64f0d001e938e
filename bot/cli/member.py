"""`kinfolk member`: what is held about somebody, exported and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, run
from bot.core.errors import KinfolkError, Mistake
from bot.home_lock import is_running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.app import App
    from bot.core.ports import Points
    from bot.core.settings import Settings
    from bot.core.things import Community, Member
    from storage.erasure import Forgotten
    from storage.persons import Account

MemberArgument = Annotated[str, typer.Argument(metavar="MEMBER", help="A member: name, imported id or reference.")]

family = typer.Typer(name="member", help="What is held about a member.", no_args_is_help=True)


@family.command("export")
def export(member: MemberArgument, community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Print everything that is held about a member: a heading for each store."""
    run(lambda settings: _export(settings, member, name=community, as_json=as_json))


async def _export(settings: Settings, wanted: str, *, name: str | None, as_json: bool) -> None:
    from storage import exporting

    async with open_app(settings) as app:
        community, member = await _find(app, name, wanted)
        document = await exporting.export(app.database, community, member)
    if as_json:
        emit(document)
    else:
        out.print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(), markup=False)


@family.command("forget")
def forget(
    member: MemberArgument,
    community: CommunityOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase everything about a member, prove it, and collect nothing of them until they agree again."""
    run(lambda settings: _forget(settings, member, name=community, yes=yes, as_json=as_json))


async def _forget(settings: Settings, wanted: str, *, name: str | None, yes: bool, as_json: bool) -> None:
    from storage import erasure

    async with open_app(settings) as app:
        community, member = await _find(app, name, wanted)
        if not yes:
            linked = await erasure.accounts(app.database, community, member)
            await asyncio.to_thread(_ask, member, community, linked[:-1])
        vectors, fingerprint = await _vectors(app)
        done = await erasure.forget(
            app.database,
            vectors,
            fingerprint,
            community,
            member,
            home=settings.home,
            now=app.clock.now(),
        )
        if not await is_running(settings.home):
            with contextlib.suppress(KinfolkError):  # what is away now is cleared away once the bot runs
                await app.adoptions.settle()
        if not await erasure.compact(app.database):
            note("The database is being read, so its files are compacted later.")
    if as_json:
        emit(_answer(done))
    else:
        _tell(done)


async def _find(app: App, name: str | None, wanted: str) -> tuple[Community, Member]:
    from storage import members

    community = await app.community(name)
    async with app.database.read() as connection:
        return community, await members.find(connection, community, wanted)


def _ask(member: Member, community: Community, linked: Sequence[Account]) -> None:
    if not sys.stdin.isatty():
        raise Mistake("Nobody can be asked here, and it cannot be undone. Say --yes to forget the member.")
    too = "".join(f", and {one.member.name} ({one.member.ref}) in {one.community.name}" for one in linked)
    question = f"Erase everything about {member.name} ({member.ref}) in {community.name}{too}? It cannot be undone."
    if not typer.confirm(question, err=True):
        raise Mistake("Nothing was erased.")


async def _vectors(app: App) -> tuple[Points | None, str | None]:
    """Return all collections of points and the base's fingerprint; before anything was encoded there is none."""
    from storage import outbox

    async with app.database.read() as connection:
        serving = await outbox.serving(connection)
    if serving is None:
        return None, None
    try:
        return await app.points(), serving
    except KinfolkError as error:
        note(f"The vectors are deleted once the bot runs: {error}")
        return None, serving


def _answer(done: Forgotten) -> dict[str, object]:
    return {"erased": done.erased, "left": done.left, "quoting": [str(one) for one in done.quoting]}


def _tell(done: Forgotten) -> None:
    for store, number in done.erased.items():
        out.print(f"{number:8,}  {store}", markup=False)
    out.print(f"{done.left:8,}  left", style="bold", markup=False)
    if done.quoting:
        note(f"On the platform, messages of the bot still quote them: {', '.join(map(str, done.quoting))}")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
