"""The table of platforms: a row for each. `kinfolk run` opens what is set, `kinfolk doctor` looks every row over."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.home_lock import is_running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from adapters.console import Console
    from adapters.discord import Discord
    from adapters.playground import Playground
    from adapters.slack import Slack, Tokens
    from adapters.telegram.adapter import Telegram
    from bot.app import App
    from bot.core.events import Named
    from bot.core.policies import Rules
    from bot.core.ports import Adapter, Appealable, Finding, KnownChannel
    from bot.core.settings import Settings
    from bot.core.things import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform: its name in references, its name for people, and the settings of which any switches it on.

    `open` returns its adapter, unconnected. `examine` looks over the bot's place there, whether the bot runs or not.
    """

    name: str
    title: str
    open: Callable[[App], Adapter]
    settings: tuple[str, ...] = ()
    examine: Callable[[App], Awaitable[Sequence[Finding]]] | None = None

    @property
    def label(self) -> str:
        """Return what stands above its column in a table."""
        return self.title if self in PLATFORMS else self.name

    def variables(self, settings: Settings) -> tuple[str, ...]:
        """Return the variables of this platform that are set."""
        return tuple(f"KINFOLK_{name.upper()}" for name in self.settings if getattr(settings, name))


def wanted(settings: Settings) -> list[Platform]:
    """Return the platforms that are set, with whatever of ours belongs beside them."""
    theirs = [one for one in PLATFORMS if one.variables(settings)]
    return [*theirs, CONSOLE, *([PLAYGROUND] if shows_playground(settings) else [])]


def shows_playground(settings: Settings) -> bool:
    """Say whether the playground is wanted: when asked for, and else while no platform is."""
    if settings.playground == "auto":
        return not any(one.variables(settings) for one in PLATFORMS)
    return settings.playground == "on"


def playground(app: App) -> Playground:
    """Return the playground, which tells of what is still to be waited for."""
    from adapters.playground import Playground
    from bot import harbour

    return Playground(
        port=app.settings.playground_port,
        past=functools.partial(harbour.past, app.database),
        why=functools.partial(harbour.why, app.database),
        ready=lambda: app.status,
        clock=app.clock,
    )


def console(_app: App) -> Console:
    """Return the command line as a platform."""
    from adapters.console import Console

    return Console()


def discord(app: App) -> Discord:
    """Return the bot on Discord, which reads on from what is stored."""
    from adapters.discord import Discord

    return Discord(
        token=app.settings.discord_token,
        clock=app.clock,
        counts=app.counts,
        known=functools.partial(_known, app, platform="discord"),
        appeals=functools.partial(_appeals, app),
        api=app.settings.discord_api,
        gateway=app.settings.discord_gateway,
    )


async def examine_discord(app: App) -> Sequence[Finding]:
    """Look over the bot's place on Discord."""
    from adapters.discord.examining import examine
    from bot.living import commands_of
    from brains.skills import SKILLS

    return await examine(
        app.settings.discord_token,
        commands=commands_of(SKILLS),
        wanted=functools.partial(_rules, app),
        api=app.settings.discord_api,
    )


def telegram(app: App) -> Telegram:
    """Return the bot on Telegram."""
    from adapters.telegram.adapter import Telegram

    return Telegram(
        token=app.settings.telegram_token,
        clock=app.clock,
        counts=app.counts,
        known=functools.partial(_known, app, platform="telegram"),
        spaces=functools.partial(_spaces, app),
        appeals=functools.partial(_appeals, app),
        latest=functools.partial(_last_said, app, "telegram"),
        api=app.settings.telegram_api,
    )


async def examine_telegram(app: App) -> Sequence[Finding]:
    """Look over the bot's place on Telegram."""
    from adapters.telegram.examining import examine
    from storage import spaces

    async with app.database.read() as connection:
        groups = await spaces.of_platform(connection, "telegram")
        latest = await spaces.last_said(connection, "telegram")
    running = await is_running(app.settings.home)
    return await examine(
        app.settings.telegram_token,
        groups=groups,
        latest=latest,
        now=app.clock.now(),
        running=running,
        api=app.settings.telegram_api,
    )


async def _spaces(app: App, member: Ref) -> Sequence[Named]:
    """Return the spaces of a member's platform, those first where they were active last."""
    from storage import spaces

    async with app.database.read() as connection:
        return await spaces.of_platform(connection, member.platform, member=member)


async def _appeals(app: App, accounts: Collection[Ref]) -> Sequence[Appealable]:
    """Return what was done to these accounts that can be appealed, newest first."""
    from storage import cases

    async with app.database.read() as connection:
        return await cases.appealable(connection, accounts)


async def _last_said(app: App, platform: str) -> datetime | None:
    """Return when the newest message of a platform was said that is stored."""
    from storage import spaces

    async with app.database.read() as connection:
        return await spaces.last_said(connection, platform)


def slack(app: App) -> Slack:
    """Return the bot on Slack, which reads on from what is stored."""
    from adapters.slack import Slack

    return Slack(
        tokens=_slack_tokens(app),
        clock=app.clock,
        counts=app.counts,
        known=functools.partial(_known, app, platform="slack"),
        api=app.settings.slack_api,
    )


async def examine_slack(app: App) -> Sequence[Finding]:
    """Look over the bot's place on Slack."""
    from adapters.slack.examining import examine

    return await examine(_slack_tokens(app), counts=app.counts, address=app.settings.slack_api)


def _slack_tokens(app: App) -> Tokens:
    from adapters.slack import Tokens

    settings = app.settings
    return Tokens(bot=settings.slack_bot_token, app=settings.slack_app_token, admin=settings.slack_admin_token)


async def _known(app: App, space: Ref, platform: str) -> Mapping[Ref, KnownChannel] | None:
    """Return what is stored of a space, None for one that was never met."""
    from storage import spaces

    async with app.database.read() as connection:
        community = await spaces.community_of(connection, space)
        return await spaces.latest(connection, community, platform) if community else None


async def _rules(app: App, space: Ref) -> Rules | None:
    """Return what the staff of a space set, None for one that was never met."""
    from storage import policies, spaces

    async with app.database.read() as connection:
        community = await spaces.community_of(connection, space)
        return await policies.load(connection, community) if community else None


PLATFORMS = (
    Platform(name="discord", title="Discord", settings=("discord_token",), open=discord, examine=examine_discord),
    Platform(name="telegram", title="Telegram", settings=("telegram_token",), open=telegram, examine=examine_telegram),
    Platform(
        name="slack",
        title="Slack",
        settings=("slack_bot_token", "slack_app_token"),
        open=slack,
        examine=examine_slack,
    ),
)
"""Another platform is a row here: its settings are fields of `bot/core/settings.py`, its adapter is in `adapters`."""
PLAYGROUND = Platform(name="playground", title="the playground", open=playground)
CONSOLE = Platform(name="console", title="the command line", open=console)
EVERY = (PLAYGROUND, *PLATFORMS, CONSOLE)
"""All there are, as `kinfolk doctor` shows them."""
