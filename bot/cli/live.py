"""`kinfolk run`: the bot, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from bot.cli.output import note, open_app, run
from bot.core.errors import Misconfigured, Unavailable

SERVED = frozenset({"KINFOLK_DISCORD_TOKEN"})
"""The tokens that this release has an adapter for."""
GLANCE = 0.5
"""Seconds between looks at what is still to be read."""

if TYPE_CHECKING:
    import typer

    from bot.app import App
    from bot.core.ports import Adapter
    from bot.core.settings import Settings
    from bot.living import Living


def run_bot() -> None:
    """Run the bot: the platforms whose tokens are set, or else a page to try it on."""
    run(_run)


async def _run(settings: Settings) -> None:
    from adapters.console import Console
    from bot.core.settings import prepare_home
    from bot.sole import alone_in

    prepare_home(settings.home)
    status: list[str] = ["starting"]

    def tell(sentence: str) -> None:
        status[0] = sentence
        note(sentence)

    _check_platforms(settings)
    async with alone_in(settings.home), open_app(settings, tell=tell) as app:
        adapters = [*_platforms(app), Console()]
        if settings.shows_playground:
            adapters.append(await _playground(app, status))
        living = await app.living(adapters)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, living.stop)
        await asyncio.gather(living.run(), _greet(app, living, status))
    note("Stopped.")


def _platforms(app: App) -> list[Adapter]:
    """Return the adapters of the platforms whose tokens are set."""
    made = {"KINFOLK_DISCORD_TOKEN": app.discord}
    return [make() for token, make in made.items() if token in app.settings.tokens]


def _check_platforms(settings: Settings) -> None:
    """Say which tokens are of no use yet; raises Misconfigured when nothing is left to run."""
    unused = ", ".join(token for token in settings.tokens if token not in SERVED)
    if not settings.shows_playground and not SERVED.intersection(settings.tokens):
        why = f"this release has no adapter for {unused} yet" if unused else "KINFOLK_PLAYGROUND is off"
        raise Misconfigured(f"There is nothing to run: {why}. Set KINFOLK_PLAYGROUND=on to try the bot on its page.")
    if unused:
        note(f"This release has no adapter for {unused} yet.")


async def _playground(app: App, status: list[str]) -> Adapter:
    from bot import harbour  # brings the page's server, which most verbs do without

    if await harbour.prepare(app.database, app.clock, app.settings.home):
        note("This is the first start: Harbour Makers, a small sample community, is in the playground.")
    return app.playground(lambda: status[0])


async def _greet(app: App, living: Living, status: list[str]) -> None:
    """Say where the bot is, once it is there, and when it thinks at full strength."""
    page = f" on http://127.0.0.1:{app.settings.playground_port}" if app.settings.shows_playground else ""
    note(f"Kinfolk runs{page} (Ctrl-C stops it)")
    platforms = [one.platform for one in living.adapters if one.platform not in {"playground", "console"}]
    await asyncio.gather(_think(app, living, status), *(_announce(app, living, one) for one in platforms))
    if not living.stopping.is_set():
        note("Ready.")


async def _announce(app: App, living: Living, platform: str) -> None:
    """Say that a platform is connected, once it is."""
    while not living.stopping.is_set():
        if app.counts.links.get(platform):
            note(f"Connected to {platform.title()}.")
            return
        await app.clock.sleep(GLANCE)


async def _think(app: App, living: Living, status: list[str]) -> None:
    with contextlib.suppress(Unavailable):
        await app.vectors()
        await _read_up(app, living, status)
    status[0] = ""


async def _read_up(app: App, living: Living, status: list[str]) -> None:
    """Say how much of what was said is still to be read, until nothing is: so far suggestions know little."""
    from storage import outbox

    told = False
    while not living.stopping.is_set():
        async with app.database.read() as connection:
            waiting = await outbox.count(connection)
        if not waiting:
            return
        status[0] = f"Reading what was said here: {waiting:,} messages to go"
        if not told:
            note(status[0])
            told = True
        await app.clock.sleep(GLANCE)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("run")(run_bot)
