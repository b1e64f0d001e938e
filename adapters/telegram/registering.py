"""Lets Telegram's clients know the commands, for whom and in which language; sent only where something changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from telegram import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)

from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telegram import BotCommandScope

    from adapters.telegram.client import Client
    from bot.core.commands import Command
    from bot.core.i18n import Translate

log = logging.getLogger(__name__)

MOST = 100
"""Commands that a menu may have; of more Telegram shows none at all."""
LONGEST = 256
LANGUAGES = {"": "en", "zh": "zh_CN"}
"""Telegram's name of each language, where empty is for all others, and ours."""
SCOPES: tuple[tuple[BotCommandScope, Rank], ...] = (
    (BotCommandScopeAllPrivateChats(), Rank.OWNER),
    (BotCommandScopeAllGroupChats(), Rank.MEMBER),
    (BotCommandScopeAllChatAdministrators(), Rank.OWNER),
)
"""Where a menu is shown, and the highest rank of its commands: alone with the bot, staff uses theirs too."""


async def register(client: Client, commands: Sequence[Command], translate: Mapping[str, Translate]) -> int:
    """Set the menus that are not as they should be, and return how many. Raises the library's errors."""
    sent = 0
    for scope, rank in SCOPES:
        for theirs, ours in LANGUAGES.items():
            wanted = menu(commands, rank, translate[ours])
            if await client.get_my_commands(scope, theirs or None) != wanted:
                await client.set_my_commands(wanted, scope, theirs or None)
                sent += 1
    if sent:
        log.info("%d menus of commands are set with Telegram", sent)
    return sent


def menu(commands: Sequence[Command], rank: Rank, translate: Translate) -> tuple[BotCommand, ...]:
    """Return the commands of a rank and those below."""
    some = [one for one in commands if one.rank <= rank][:MOST]
    return tuple(BotCommand(one.name, translate(one.help)[:LONGEST]) for one in some)
