"""The library's bot, pointed at Telegram or at another server; updates come as they are: a bad one spoils no other."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from telegram import Bot
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.core.errors import Gone, Misconfigured

if TYPE_CHECKING:
    from pydantic import SecretStr

OFFICIAL = "https://api.telegram.org"
CONNECTIONS = 16
"""Calls at once, besides the one that waits for updates."""
SLACK = 10.0
"""Seconds that an answer may take beyond the long poll itself."""
HEARS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "message_reaction",
    "chat_member",
    "my_chat_member",
)
"""The kinds of updates that are asked for; of those not named Telegram tells nothing."""
REFUSED = (
    "KINFOLK_TELEGRAM_TOKEN: Telegram refuses it. Ask @BotFather for the token (/mybots, your bot, API Token); "
    "put it into .env, and start Kinfolk again."
)
UNSET = "KINFOLK_TELEGRAM_TOKEN is not set. docs/platforms/telegram.md says where to get a token."


class Client(Bot):
    """One bot."""

    async def updates(self, offset: int, *, wait: int, limit: int = 100) -> list[object]:
        """Return what happened from a number on, after waiting so many seconds for it; what came before is confirmed.

        Raises the library's errors.
        """
        told: object = await self._post(
            "getUpdates",
            {"offset": offset, "timeout": wait, "limit": limit, "allowed_updates": HEARS},
            read_timeout=wait + SLACK,
        )
        if not isinstance(told, list):
            raise TelegramError("this is no list of updates")
        return told


def client(token: SecretStr, *, api: str = "") -> Client:
    """Return a bot that did not speak with Telegram yet. Raises Misconfigured."""
    if not token.get_secret_value():
        raise Misconfigured(UNSET)
    # The library logs what it sends and what it cannot read, members' words and all.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
    base = (api or OFFICIAL).rstrip("/")
    try:
        return Client(
            token.get_secret_value(),
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=_request(CONNECTIONS, base),
            get_updates_request=_request(1, base),
        )
    except InvalidToken:
        raise Misconfigured(REFUSED) from None


def _request(connections: int, base: str) -> HTTPXRequest:
    """Return what makes requests; reading certificates takes a quarter of a second, which plain HTTP has no use for."""
    plain = base.startswith("http://")
    more = {"verify": False, "trust_env": False} if plain else {}
    return HTTPXRequest(connection_pool_size=connections, pool_timeout=10.0, httpx_kwargs=more)


def told(error: TelegramError, api: str = "") -> Misconfigured | Gone:
    """Return what goes wrong on the way to Telegram, in words."""
    if isinstance(error, InvalidToken):
        place = f" (at KINFOLK_TELEGRAM_API: {api})" if api else ""
        return Misconfigured(REFUSED + place)
    return Gone(f"Telegram cannot be reached: {error}. Is this machine online?")
