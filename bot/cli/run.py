"""`kinfolk run`: the bot, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from bot.cli.output import note, open_app, run
from bot.core.errors import Misconfigured, Unavailable
from bot.platforms import CONSOLE, PLATFORMS, PLAYGROUND, wanted

GLANCE = 0.5
"""Seconds between looks at what is still to be read."""

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

    from bot.app import App
    from bot.core.ports import Adapter
    from bot.core.settings import Settings
    from bot.living import Living
    from bot.platforms import Platform


def run_bot() -> None:
    """Run the bot: the platforms whose tokens are set, or else a page to try it on."""
    run(_run)


async def _run(settings: Settings) -> None:
    from bot.core.settings import prepare_home, strangers
    from bot.home_lock import alone_in

    prepare_home(settings.home)
    for stranger in strangers():
        note(stranger)
    platforms = _platforms(settings)
    async with alone_in(settings.home), open_app(settings) as app:
        app.status = "starting"
        if PLAYGROUND in platforms:
            await _fill_playground(app)
        opened = {one: one.open(app) for one in platforms}
        living = await app.living(list(opened.values()))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, living.stop)
        await asyncio.gather(living.run(), _greet(app, living, opened))
    note("Stopped.")


def _platforms(settings: Settings) -> list[Platform]:
    """Return what is to run; raises Misconfigured when there is nothing."""
    found = wanted(settings)
    if found == [CONSOLE]:
        raise Misconfigured(
            "There is nothing to run: no platform's token is set, and KINFOLK_PLAYGROUND is off. Set a token (README), "
            "or KINFOLK_PLAYGROUND=on to try the bot on its page."
        )
    return found


async def _fill_playground(app: App) -> None:
    from bot import harbour  # brings the page's server, which most verbs do without

    if await harbour.prepare(app.database, app.clock, app.settings.home):
        note("This is the first start: Harbour Makers, a small sample community, is in the playground.")


async def _greet(app: App, living: Living, opened: Mapping[Platform, Adapter]) -> None:
    """Say where the bot is, once it is there, and when it thinks at full strength."""
    await _show_page(app, living, opened.get(PLAYGROUND))
    theirs = [one for one in opened if one in PLATFORMS]
    await asyncio.gather(_think(app, living), *(_announce(app, living, one) for one in theirs))
    if not living.stopping.is_set():
        note("Ready.")


async def _show_page(app: App, living: Living, page: Adapter | None) -> None:
    from adapters.playground import Playground

    if not isinstance(page, Playground):
        note("Kinfolk runs (Ctrl-C stops it)")
        return
    while not (page.open.is_set() or living.stopping.is_set()):
        await app.clock.sleep(GLANCE)
    note(f"Kinfolk runs on {page.url} (Ctrl-C stops it)")


async def _announce(app: App, living: Living, platform: Platform) -> None:
    """Say that a platform is connected, once it is, and where the bot is there."""
    while not living.stopping.is_set():
        if app.counts.links.get(platform.name):
            note(f"Connected to {platform.title}: {await _places(app, platform)}.")
            return
        await app.clock.sleep(GLANCE)


async def _places(app: App, platform: Platform) -> str:
    from storage import communities, spaces

    try:
        async with app.database.read() as connection:
            every = [one for whose in await communities.every(connection) for one in await spaces.of(connection, whose)]
    except Unavailable as error:
        return f"where, cannot be read now ({error})"
    named = [one.name for one in every if one.ref.platform == platform.name]
    return ", ".join(dict.fromkeys(named)) or "nobody has let me in there yet; `kinfolk doctor` says how"


async def _think(app: App, living: Living) -> None:
    with contextlib.suppress(Unavailable):
        await app.vectors()
        await _read_up(app, living)
    app.status = ""


async def _read_up(app: App, living: Living) -> None:
    """Say how much of what was said is still to be read, until nothing is: so far suggestions know little."""
    from storage import outbox

    told = False
    while not living.stopping.is_set():
        async with app.database.read() as connection:
            waiting = await outbox.count(connection)
        if not waiting:
            return
        app.status = f"Reading what was said here: {waiting:,} messages to go"
        if not told:
            note(app.status)
            told = True
        await app.clock.sleep(GLANCE)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("run")(run_bot)
