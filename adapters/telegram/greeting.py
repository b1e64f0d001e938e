"""What the bot says of itself where it was just brought: that it hears too little, and where to open a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram.error import BadRequest, Forbidden

from adapters.telegram import names
from adapters.telegram.incoming import person
from bot.core.i18n import _

if TYPE_CHECKING:
    from telegram import User

    from adapters.telegram.chats import Chats
    from adapters.telegram.client import Client
    from bot.core.i18n import Translate

PRIVACY = _(
    "Telegram shows me commands and mentions only, since I am in privacy mode here. Make me an administrator, or ask "
    "@BotFather: /setprivacy, your bot, Disable; then take me out and add me again."
)
OPENING = _("Hello! Whoever sets me up opens a conversation with me here: {link}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """Greets for one bot. `hears_all` says that privacy mode is off."""

    client: Client
    chats: Chats
    hears_all: bool
    translate: dict[str, Translate]

    async def greet(self, group: int, who: User) -> None:
        """Tell whoever brought the bot what is in its way: directly where that is open, else in the group, once."""
        translate = self.translate["zh_CN" if person(who).language == "zh_CN" else "en"]
        privacy = "" if self.hears_all or await self.chats.is_admin(group) else translate(PRIVACY)
        if await self._is_open(who.id):
            if privacy:
                await self.client.send_message(who.id, privacy)
            return
        link = names.invitation(self.client.username, group)
        words = "\n\n".join(filter(None, [translate(OPENING).format(link=link), privacy]))
        await self.client.send_message(group, words)

    async def _is_open(self, user: int) -> bool:
        """Say whether somebody has opened a conversation with the bot."""
        try:
            await self.client.send_chat_action(user, "typing")
        except (BadRequest, Forbidden):
            return False
        return True
