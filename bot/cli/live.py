"""`kinfolk run`: the bot, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from bot.cli.output import note, open_app, run
from bot.core.errors import Misconfigured, Unavailable
from bot.platforms import CONSOLE, PLATFORMS, PLAYGROUND, unserved, wanted

GLANCE = 0.5
"""Seconds between looks at what is still to be read."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from bot.app import App
    from bot.core.settings import Settings
    from bot.living import Living
    from bot.platforms import Platform


def run_bot() -> None:
    """Run the bot: the platforms whose tokens are set, or else a page to try it on."""
    run(_run)


async def _run(settings: Settings) -> None:
    from bot.core.settings import prepare_home
    from bot.sole import alone_in

    prepare_home(settings.home)
    platforms = _platforms(settings)
    async with alone_in(settings.home), open_app(settings) as app:
        app.status = "starting"
        if PLAYGROUND in platforms:
            await _fill_playground(app)
        living = await app.living([one.open(app) for one in platforms if one.open])
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, living.stop)
        await asyncio.gather(living.run(), _greet(app, living, platforms))
    note("Stopped.")


def _platforms(settings: Settings) -> list[Platform]:
    """Return what is to run, and say what is of no use yet; raises Misconfigured when nothing is left to run."""
    found, unused = wanted(settings), ", ".join(unserved(settings))
    if found == [CONSOLE]:
        why = f"this release has no adapter for {unused} yet" if unused else "KINFOLK_PLAYGROUND is off"
        raise Misconfigured(f"There is nothing to run: {why}. Set KINFOLK_PLAYGROUND=on to try the bot on its page.")
    if unused:
        note(f"This release has no adapter for {unused} yet.")
    return found


async def _fill_playground(app: App) -> None:
    from bot import harbour  # brings the page's server, which most verbs do without

    if await harbour.prepare(app.database, app.clock, app.settings.home):
        note("This is the first start: Harbour Makers, a small sample community, is in the playground.")


async def _greet(app: App, living: Living, platforms: Sequence[Platform]) -> None:
    """Say where the bot is, once it is there, and when it thinks at full strength."""
    page = f" on http://127.0.0.1:{app.settings.playground_port}" if PLAYGROUND in platforms else ""
    note(f"Kinfolk runs{page} (Ctrl-C stops it)")
    theirs = [one for one in platforms if one in PLATFORMS]
    await asyncio.gather(_think(app, living), *(_announce(app, living, one) for one in theirs))
    if not living.stopping.is_set():
        note("Ready.")


async def _announce(app: App, living: Living, platform: Platform) -> None:
    """Say that a platform is connected, once it is."""
    while not living.stopping.is_set():
        if app.counts.links.get(platform.name):
            note(f"Connected to {platform.title}.")
            return
        await app.clock.sleep(GLANCE)


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
