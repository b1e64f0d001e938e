"""Discord as a platform among others: what happens on the bot's servers comes in, and what it wants is done there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, get_args

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters import fetching, markup
from adapters.discord import names, registering
from adapters.discord.client import Client
from adapters.discord.incoming import space
from adapters.discord.interactions import Interactions
from adapters.discord.outgoing import Hands
from adapters.discord.request_watch import RequestWatch
from adapters.discord.speaking import Refused, Speech
from bot.core.actions import Outward
from bot.core.decisions import Receipt
from bot.core.errors import Gone, Misconfigured, Overloaded
from bot.core.i18n import translator
from bot.core.ports import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pydantic import SecretStr

    from adapters.hearing import Appeals
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.counts import Counts
    from bot.core.events import Arrival, File
    from bot.core.i18n import Translate
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

log = logging.getLogger(__name__)

PORTAL = "https://discord.com/developers/applications"
REFUSED = (
    "KINFOLK_DISCORD_TOKEN: Discord refuses it. Make a new one: {portal}, your application, Bot, Reset Token; "
    "put it into .env, and start Kinfolk again."
)
WITHHELD = (
    "KINFOLK_DISCORD_TOKEN: this bot may not see members or what they write. Switch on Server Members Intent and "
    "Message Content Intent: {portal}, your application, Bot, Privileged Gateway Intents."
)
CONNECTS = 5.0
"""Seconds that an act waits for the connection before it is to be tried again later."""
UNREADY = 2.0
"""Seconds until something is tried again for which the servers are not there yet."""
HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps files; they take no token, but an address that it signed."""
CLOSED = {4004: REFUSED, 4013: WITHHELD, 4014: WITHHELD}
"""Why Discord closes a connection for good, and what to do about it."""
FORBIDDEN = {
    50001: "I do not see that channel. Let my role view it",
    10015: "they asked longer than 15 minutes ago, and Discord takes no answer to that any more",
    50007: "they take no direct messages from me",
    50013: "I lack a right for that, or they stand above me",
    50027: "they asked longer than 15 minutes ago, and Discord takes no answer to that any more",
    50083: "the thread was archived",
    50278: "they take no direct messages from me",
}
"""What Discord's codes mean to whoever reads them."""


class Discord:
    """One bot on Discord. `known` tells what is stored of a server: its channels and the newest message of each.

    `appeals` tells what somebody can appeal.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        clock: Clock,
        counts: Counts,
        known: Callable[[Ref], Awaitable[Mapping[Ref, KnownChannel] | None]],
        appeals: Appeals,
        api: str = "",
        gateway: str = "",
    ) -> None:
        self._token = token
        self._clock = clock
        self._counts = counts
        self._known = known
        self._appeals = appeals
        self._api = api
        self._gateway = gateway
        self._pace = RequestWatch(counts)
        self._hands: Hands | None = None
        self.client: Client | None = None
        self.ready = asyncio.Event()
        """Set while the servers are there."""

    @property
    def platform(self) -> str:
        """Return the first part of every reference of Discord."""
        return names.PLATFORM

    @property
    def can(self) -> frozenset[str]:
        """Return every action there is, and that it speaks to one member alone where they asked."""
        return frozenset(kind.__name__ for kind in get_args(Outward)) | {"only-asked", "buttons", "files", "fetch"}

    @property
    def limits(self) -> Limits:
        """Return what a bot may send: in a channel 5 of each kind in 5 s; Discord tells more exactly as it goes."""
        five = ((5, 5.0),)
        routes = {
            "Say": five,
            "Edit": five,
            "Delete": five,
            "React": ((1, 0.25),),
            "OpenDirect": five,
            "AskStaff": five,
        }
        return Limits(chat=((20, 5.0),), overall=(50, 1.0), routes=routes, answers_apart=True)

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Connect, register the commands, and hand over what happens until cancelled. Raises Gone or Misconfigured."""
        self._point()
        client = Client(
            clock=self._clock,
            put=put,
            commands=commands,
            known=self._known,
            appeals=self._appeals,
            trace=self._pace.trace(),
            connected=lambda now: self._counts.connected(names.PLATFORM, now),
        )
        try:
            async with client:
                await client.login(self._token.get_secret_value())
                await self._begin(client, put, commands)
                await _stay_connected(client)
            raise Gone("Discord ended the connection.")
        except Overloaded as busy:
            await self._clock.sleep(busy.after)
            raise Gone("Discord asked me to wait before I connect.") from None
        except discord.LoginFailure:
            raise Misconfigured(REFUSED.format(portal=PORTAL)) from None
        except discord.PrivilegedIntentsRequired:
            raise Misconfigured(WITHHELD.format(portal=PORTAL)) from None
        except discord.ConnectionClosed as closed:
            if closed.code in CLOSED:
                raise Misconfigured(CLOSED[closed.code].format(portal=PORTAL)) from None
            raise Gone(f"Discord closed the connection (code {closed.code}).") from None
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise Gone(f"Discord cannot be reached: {error}") from error
        finally:
            self._hands = self.client = None
            self.ready.clear()

    async def _begin(
        self, client: Client, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]
    ) -> None:
        translates = {language: await asyncio.to_thread(translator, language) for language in ("en", "zh_CN")}

        def translate(language: str) -> Translate:
            return translates["zh_CN" if language.lower().startswith("zh") else "en"]

        await registering.register(client, commands, translate)
        client.interactions = Interactions(
            incoming=client.incoming,
            commands=commands,
            put=put,
            home=client.home,
            home_of_appeal=client.home_of_appeal,
            translate=translate,
            space=space,
        )
        self.client = client
        self._hands = Hands(client, Speech(client, client.interactions, markup.discord(client.server_of)), self._clock)
        client.available = self.ready

    async def act(self, action: Action) -> Receipt:
        """Carry out an action. Raises Overloaded while Discord says to wait, or refused too much lately, and Gone.

        While it is not connected nothing is tried, so that this is Overloaded too: even speech may be tried again.
        """
        hands = await self._connected()
        self._pace.check()
        try:
            return Receipt(state="done", made=await hands.perform(action))
        except (Refused, names.Unknown) as refused:
            if not self.ready.is_set():
                raise Overloaded(f"Discord is not there yet: {refused}", after=UNREADY, scope="chat") from None
            return Receipt(state="failed", error=str(refused))
        except discord.DiscordServerError as error:
            raise Gone(f"Discord is out of order (status {error.status}).") from None
        except discord.HTTPException as refused:
            return _refused(refused)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Gone(f"Discord cannot be reached: {error or type(error).__name__}") from None

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Return a file from Discord's own hosts. Raises Mistake, Overloaded and Gone."""
        if file.size > limit:
            raise fetching.too_large(limit)
        return await fetching.fetch(fetching.Source(hosts=HOSTS, address=self._api), file.url, limit=limit)

    async def _connected(self) -> Hands:
        if self._hands is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECTS):
                    await self.ready.wait()
        if self._hands is None:
            raise Overloaded("Discord is not connected.", after=UNREADY, scope="all")
        return self._hands

    def _point(self) -> None:
        """Point the library at another server than Discord's own, if the settings say so."""
        if self._api:
            Route.BASE = self._api
        if self._gateway:
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self._gateway)
        discord.VoiceClient.warn_nacl = False
        with contextlib.suppress(AttributeError):
            discord.VoiceClient.warn_dave = False


async def _stay_connected(client: Client) -> None:
    """Connect until cancelled. While it connects anew the library passes over a cancellation; closing ends it."""
    connected = asyncio.create_task(client.connect())
    try:
        await asyncio.wait([connected])
        connected.result()
    finally:
        await client.close()
        connected.cancel()
        await asyncio.wait([connected])


def _refused(error: discord.HTTPException) -> Receipt:
    """Return what Discord refused for good, in words that say what to do where its code tells."""
    told = FORBIDDEN.get(error.code) or error.text or "no reason given"
    return Receipt(state="failed", error=f"{told} (Discord {error.status}, code {error.code})")
