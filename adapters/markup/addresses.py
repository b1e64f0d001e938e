"""Where a message is found in a browser, as far as its reference tells: for whoever reads outside of the platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.markup.discord import discord
from adapters.markup.telegram import TELEGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.things import Ref


def address(message: Ref, spaces: Sequence[Ref]) -> str | None:
    """Return the address of a message of one of these spaces; None where its reference does not tell.

    Discord's needs the server, which is known where the community has one alone; Slack's needs the platform's word.
    """
    if message.platform == "telegram":
        return TELEGRAM.reference("message", message)
    servers = [space.id for space in spaces if space.platform == "discord"]
    if message.platform == "discord" and len(servers) == 1:
        return discord(lambda _channel: servers[0]).reference("message", message)
    return None
