"""Visits Discord by REST alone: without a gateway, so that a bot may run beside, or none at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import aiohttp
import discord

from adapters.discord.adapter import PORTAL, REFUSED
from bot.core.errors import Gone, Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pydantic import SecretStr


@contextlib.asynccontextmanager
async def logged_in(
    token: SecretStr, *, api: str = "", longest_wait: float | None = None
) -> AsyncIterator[discord.Client]:
    """Log in, at Discord or at another server that speaks its protocol. Raises Misconfigured or Gone.

    When Discord says to wait, that is done, but for no more seconds than `longest_wait` (30 at least).
    """
    if not token.get_secret_value():
        raise Misconfigured("KINFOLK_DISCORD_TOKEN is not set. docs/platforms/discord.md says where to get a token.")
    if api:
        discord.http.Route.BASE = api
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    async with discord.Client(intents=discord.Intents(guilds=True), max_ratelimit_timeout=longest_wait) as client:
        with told():
            await _log_in(client, token, api)
        yield client


async def _log_in(client: discord.Client, token: SecretStr, api: str) -> None:
    try:
        await client.login(token.get_secret_value())
    except discord.NotFound:
        raise Misconfigured(f"{_place(api)} is no address of Discord's protocol. See .env.example.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured(
            f"{_place(api)} does not answer as Discord does ({type(error).__name__}). Look at KINFOLK_DISCORD_API."
        ) from None


async def enter(client: discord.Client, number: int) -> tuple[discord.Guild, discord.Member]:
    """Enter a server and return it with its roles and channels, and the bot as its member: three requests."""
    assert client.user is not None  # noqa: S101 - it is logged in
    guild = await client.fetch_guild(number, with_counts=False)
    for channel in await guild.fetch_channels():
        guild._add_channel(channel)  # noqa: SLF001 - REST fills no cache, and permissions are read from it
    return guild, await guild.fetch_member(client.user.id)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say in words what goes wrong on the way to Discord. Raises Misconfigured or Gone."""
    try:
        yield
    except discord.LoginFailure:
        raise Misconfigured(REFUSED.format(portal=PORTAL)) from None
    except discord.RateLimited as busy:
        raise Gone(f"Discord asks me to wait {busy.retry_after:.0f} s. Try again after that.") from None
    except discord.HTTPException as refused:
        words = refused.text.partition("\n")[0][:200] or "no reason given"
        raise Gone(f"Discord refuses (status {refused.status}: {words}). Try again in a while.") from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Gone(f"Discord cannot be reached: {error or type(error).__name__}. Is this machine online?") from error


def _place(api: str) -> str:
    return f"KINFOLK_DISCORD_API: {api}" if api else "https://discord.com"
