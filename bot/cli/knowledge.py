"""`kinfolk knowledge`: files that answers are drawn from beside what was said, given for the readers of a channel."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, progress, run
from bot.core.errors import Mistake
from bot.home_lock import is_running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Community
    from bot.reading import Given, Taken
    from storage.documents import Document

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Markdown, text, HTML or PDF; of a folder, all that is in it.")
]
ChannelOption = Annotated[
    str, typer.Option("--channel", help="Whoever may read this channel may be answered from these files.")
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The file, as the list calls it.")]
STATES = {"read": "read", "unchanged": "unchanged", "gone": "gone", "unreadable": "not read"}

family = typer.Typer(name="knowledge", help="Files that answers are drawn from.", no_args_is_help=True)


@family.command("add")
def add(
    files: FilesArgument,
    channel: ChannelOption,
    url: Annotated[str, typer.Option(help="Where members find it, for one file.")] = "",
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take files in. One of the same name is replaced, and a running bot reads it again whenever it changes."""
    if url and not url.startswith(("https://", "http://")):
        raise Mistake("--url must begin with https:// or http://.")
    run(lambda settings: _add(settings, files, channel, url, community, as_json=as_json))


async def _add(
    settings: Settings, files: Sequence[Path], channel: str, url: str, community: str | None, *, as_json: bool
) -> None:
    from storage import channels

    found = list(_files(files))
    if url and len(found) > 1:
        raise Mistake("--url names one place: add the files one by one.")
    names = Counter(name for _path, name in found)
    if doubled := next((name for name, count in names.items() if count > 1), None):
        raise Mistake(f"Two of these files are called {doubled}, and one would replace the other.")
    async with open_app(settings) as app:
        where = await app.community(community)
        async with app.database.read() as connection:
            place = await channels.find(connection, where, channel)
        taken = [await _take(app, where, _named(path, name, place.id, url), of=len(found)) for path, name in found]
        await _finish(app, settings, taken, as_json=as_json)
    if unread := sum(one.state == "unreadable" for one in taken):
        raise Mistake(f"{unread} of {len(taken)} files could not be read; the others were.")


def _named(path: Path, name: str, channel: int, url: str) -> Given:
    from bot.reading import Given

    return Given(name=name, channel=channel, path=str(path.absolute()), url=url)


def _files(given: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Return every file with its name; those of a folder are called by their way from it."""
    from brains.knowledge.documents.process import KINDS, ending

    for path in given:
        if not path.is_dir():
            yield path, path.name
            continue
        inside = [one for one in sorted(path.rglob("*")) if one.is_file() and one.suffix and ending(one.name) in KINDS]
        if not inside:
            raise Mistake(f"There is no Markdown, text, HTML or PDF in {path}.")
        yield from ((one, one.relative_to(path.parent).as_posix()) for one in inside)


async def _take(app: App, community: Community, given: Given, *, of: int) -> Taken:
    """Read one file. Raises Mistake that names it; one of several does not keep the others from being read."""
    from bot.reading import Reading, Taken, contents

    path = Path(given.path)
    try:
        data = await asyncio.to_thread(contents, path)
        return await Reading(app.database, app.clock).take(community, given, data)
    except OSError as error:
        wrong = f"{path} cannot be read: {error.strerror}."
    except UnicodeEncodeError:
        wrong = "Its name is no text that I can keep. Give it another one."
    except Mistake as mistake:
        wrong = f"{path}: {mistake}"
    if of == 1:
        raise Mistake(wrong)
    return Taken(name=given.name, state="unreadable", wrong=wrong)


@family.command("list")
def list_all(community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """List the files, with the channels whose readers they are for."""
    run(lambda settings: _list(settings, community, as_json=as_json))


async def _list(settings: Settings, community: str | None, *, as_json: bool) -> None:
    from storage import channels, documents

    async with open_app(settings) as app:
        where = await app.community(community)
        async with app.database.read() as connection:
            found = await documents.every(connection, where)
            rooms = await channels.every(connection, where)
    rows = [_row(one, rooms[one.channel].name if one.channel in rooms else "?") for one in found]
    if as_json:
        emit(rows)
        return
    if not rows:
        note("There are no files. Add one: kinfolk knowledge add FILE --channel NAME")
    for row in rows:
        gone = "" if row["pieces"] else ", gone or not to be read: nothing of it is used"
        out.print(f"{row['name']}: {row['pieces']} pieces for #{row['channel']}, {row['path']}{gone}", markup=False)


def _row(document: Document, channel: str) -> dict[str, object]:
    return {
        "name": document.name,
        "channel": channel,
        "pieces": document.pieces,
        "path": document.path,
        "url": document.url,
        "given_by": str(document.given_by or ""),
        "at": document.at,
    }


@family.command("remove")
def remove(name: NameArgument, community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Remove a file from what answers are drawn from; the file itself stays where it is."""
    run(lambda settings: _remove(settings, name, community, as_json=as_json))


async def _remove(settings: Settings, name: str, community: str | None, *, as_json: bool) -> None:
    from storage import documents

    async with open_app(settings) as app:
        where = await app.community(community)
        async with app.database.read() as connection:
            found = await documents.find(connection, where, name)
        gone = await app.database.write(lambda c: documents.remove(c, found, now=app.clock.now()))
        await _index(app, settings)
    if as_json:
        emit({"name": name, "pieces": gone})
    else:
        note(f"{name} is removed, with {gone} pieces.")


@family.command("refresh")
def refresh(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One file; without it, all of them.")] = None,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read files again now. Of one that is gone or cannot be read, nothing is kept but its name."""
    run(lambda settings: _refresh(settings, name, community, as_json=as_json))


async def _refresh(settings: Settings, name: str | None, community: str | None, *, as_json: bool) -> None:
    from bot.reading import Reading
    from storage import documents

    async with open_app(settings) as app:
        where = await app.community(community)
        async with app.database.read() as connection:
            one = [await documents.find(connection, where, name)] if name else []
            found = one or await documents.every(connection, where)
        reading = Reading(app.database, app.clock)
        taken = [await reading.refresh(document) for document in found if document.path]
        await _finish(app, settings, taken, as_json=as_json)


async def _finish(app: App, settings: Settings, taken: Sequence[Taken], *, as_json: bool) -> None:
    """Have the pieces indexed, and tell what came of the files."""
    await _index(app, settings)
    if as_json:
        emit([{"name": one.name, "state": one.state, **asdict(one.changed), "wrong": one.wrong} for one in taken])
        return
    for one in taken:
        counts = f"{one.changed.new} new pieces, {one.changed.same} as before, {one.changed.gone} gone"
        note(f"{one.name}: {STATES[one.state]}, {counts}." + (f" {one.wrong}" if one.wrong else ""))


async def _index(app: App, settings: Settings) -> None:
    """Write the points: a running bot does so by itself."""
    if not await is_running(settings.home):
        index = await app.index()
        with progress("Encoding") as show:
            await index.catch_up(show)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
