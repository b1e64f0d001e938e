"""Examines the bot's place on Discord: the token, the application, the commands, and each server, with what mends what.

A few requests for each server, however large it is, and none that is refused twice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord

from adapters.discord import names, registering, visiting
from adapters.discord.adapter import PORTAL
from adapters.discord.examining.server import survey
from adapters.discord.needs import invitation
from bot.core.errors import KinfolkError
from bot.core.i18n import translator
from bot.core.ports import Finding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import SecretStr

    from bot.core.commands import Command
    from bot.core.policies import Rules
    from bot.core.things import Ref

    Wanted = Callable[[Ref], Awaitable[Rules | None]]

PATIENCE = 60.0
"""Seconds for all of it."""
LOOKED_AT = 10
"""Servers that are entered; a bot on more has whoever reads the log for it."""
INTENTS = {
    "Server Members Intent": ("gateway_guild_members", "gateway_guild_members_limited"),
    "Message Content Intent": ("gateway_message_content", "gateway_message_content_limited"),
}
"""What must be switched on, and the application's flags that say so: before Discord verified it, and after."""


async def examine(token: SecretStr, *, commands: Sequence[Command], wanted: Wanted, api: str = "") -> list[Finding]:
    """Return what is well on Discord and what is not; `wanted` tells what the staff of a server set, if it was met."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(PATIENCE), visiting.logged_in(token, api=api, longest_wait=30) as client:
            found += _application(client)
            with visiting.told():
                await _look(client, commands, wanted, found)
    except KinfolkError as error:
        found.append(Finding(name="discord", state="bad", words=str(error)))
    except TimeoutError:
        words = f"Discord took longer than {PATIENCE:.0f} s to answer. Is this machine online? Try again in a while."
        found.append(Finding(name="discord", state="bad", words=words))
    return found


async def _look(client: discord.Client, commands: Sequence[Command], wanted: Wanted, found: list[Finding]) -> None:
    found.append(await _commands(client, commands))
    servers = [one async for one in client.fetch_guilds(limit=None, with_counts=False)]
    found.append(_servers(client, servers))
    for one in servers[:LOOKED_AT]:
        rules = await wanted(names.ref(one.id))
        try:
            guild, me = await visiting.enter(client, one.id)
        except (discord.Forbidden, discord.NotFound) as refused:
            words = f"{one.name}: Discord does not show me this server ({refused.text}). Let me in again: "
            found.append(Finding(name="discord server", state="bad", words=words + _invitation(client)))
        else:
            found += await survey(client, guild, me, rules)


def _application(client: discord.Client) -> list[Finding]:
    """Judge what the owner set in the portal: it came with the login."""
    application = client.application
    assert application is not None  # noqa: S101 - it is logged in
    return [_token(application), _intents(application)]


def _token(application: discord.AppInfo) -> Finding:
    page = f"{PORTAL}/{application.id}"
    if application.interactions_endpoint_url:
        words = (
            "Discord sends commands and buttons to another address than me. "
            f"Empty Interactions Endpoint URL: {page}/information"
        )
        return Finding(name="discord", state="bad", words=words)
    if application.bot_require_code_grant:
        words = f"Nobody can let me in by a link. Switch off Requires OAuth2 Code Grant: {page}/bot"
        return Finding(name="discord", state="bad", words=words)
    return Finding(name="discord", state="ok", words=f"the token is accepted: {application.name} ({application.id})")


def _intents(application: discord.AppInfo) -> Finding:
    off = [name for name, flags in INTENTS.items() if not any(getattr(application.flags, one) for one in flags)]
    if not off:
        return Finding(name="discord intents", state="ok", words=f"{' and '.join(INTENTS)} are on")
    words = (
        f"Discord will not let me connect: {' and '.join(off)} is off. Switch it on under Privileged Gateway Intents, "
        f"and save: {PORTAL}/{application.id}/bot"
    )
    return Finding(name="discord intents", state="bad", words=words)


async def _commands(client: discord.Client, commands: Sequence[Command]) -> Finding:
    """Compare the commands that Discord knows with ours."""
    translates = {language: await asyncio.to_thread(translator, language) for language in ("en", "zh_CN")}
    wanted = registering.payloads(commands, translates.__getitem__)
    there = await registering.registered(client)
    if registering.same(there, wanted):
        return Finding(name="discord commands", state="ok", words=f"{len(wanted)} are registered, as they should be")
    words = (
        f"{len(there)} are registered, and not as they should be; the bot sees to it whenever it starts: kinfolk run"
    )
    return Finding(name="discord commands", state="warn", words=words)


def _servers(client: discord.Client, servers: Sequence[discord.Guild]) -> Finding:
    if not servers:
        words = f"I am on no server yet. Whoever may manage one lets me in by {_invitation(client)}"
        return Finding(name="discord servers", state="bad", words=words)
    left = len(servers) - LOOKED_AT
    more = f"; {left} more are not looked at" if left > 0 else ""
    told = ", ".join(one.name for one in servers[:LOOKED_AT])
    return Finding(
        name="discord servers", state="ok", words=f"I am on {told}{more}. Others let me in by {_invitation(client)}"
    )


def _invitation(client: discord.Client) -> str:
    return invitation(client.application_id or 0)
