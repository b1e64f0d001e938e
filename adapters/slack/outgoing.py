"""What the bot does on Slack: an action becomes calls of the Web API."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from adapters.slack import emoji, names, told
from adapters.slack.speaking import gone_already
from adapters.slack.web import Refused
from bot.core.actions import (
    ArchiveChannel,
    AskStaff,
    CreateChannel,
    Delete,
    Edit,
    Invite,
    OpenDirect,
    React,
    Say,
    Warn,
)
from bot.core.errors import Unavailable

if TYPE_CHECKING:
    from adapters.slack.speaking import Speech
    from adapters.slack.web import Api
    from bot.core.actions import Action
    from bot.core.things import Ref

log = logging.getLogger(__name__)

OWN = frozenset({"Say", "Edit", "React", "Warn", "Invite", "CreateChannel", "OpenDirect", "AskStaff"})
"""What a bot does by its own token."""
OTHERS = frozenset({"Delete", "ArchiveChannel"})
"""What takes an admin's token: to delete what others wrote, and to take a channel back that was put away."""
NAME = re.compile(r"[^\w-]+")
LONGEST_NAME, LONGEST_WORDS = 80, 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Acts for one bot, whose own member is `me`."""

    api: Api
    speech: Speech
    me: str

    async def perform(self, action: Action) -> Ref | None:
        """Carry out an action and return what it made. Raises Refused and names.Unknown with the reason."""
        match action:
            case Say() | AskStaff() | Edit() | OpenDirect() | Warn():
                return await self.speech.speak(action)
            case Delete():
                await self._delete(action)
            case React():
                await self._react(action)
            case Invite():
                await self._invite(action)
            case CreateChannel():
                return await self._create_channel(action)
            case ArchiveChannel():
                await self._archive(action)
            case _:
                raise Refused(f"Slack does not let a bot do this: {type(action).__name__}")
        return None

    async def _delete(self, action: Delete) -> None:
        """Take a message away: the bot's own by itself, another's by an admin's token."""
        try:
            await self.speech.take_back(action.message)
        except Refused as refused:
            if refused.code != "cant_delete_message" or not self.api.has("admin"):
                raise
            channel, ts = names.parts(action.message)
            await gone_already(self.api.call("chat.delete", who="admin", channel=channel, ts=ts), "message_not_found")

    async def _react(self, action: React) -> None:
        channel, ts = names.parts(action.message)
        name = emoji.name_of(action.emoji)
        if name is None:
            raise Refused(f"Slack's name of {action.emoji} is not known to me")
        if action.on:
            asked = self.api.call("reactions.add", channel=channel, timestamp=ts, name=name)
            await gone_already(asked, "already_reacted")
        else:
            asked = self.api.call("reactions.remove", channel=channel, timestamp=ts, name=name)
            await gone_already(asked, "no_reaction")

    async def _invite(self, action: Invite) -> None:
        channel, user = names.own(action.channel), names.own(action.member)
        if action.on:
            asked = self.api.call("conversations.invite", channel=channel, users=user)
            await gone_already(asked, "already_in_channel")
        else:
            asked = self.api.call("conversations.kick", channel=channel, user=user)
            await gone_already(asked, "not_in_channel", "user_not_in_channel")

    async def _create_channel(self, action: CreateChannel) -> Ref:
        """Make an open channel, in which the bot is then, and say what it is for."""
        name = NAME.sub("-", action.name.strip().lstrip("#").lower()).strip("-")[:LONGEST_NAME]
        if not name:
            raise Refused("a channel needs a name")
        made = told.text(await self.api.call("conversations.create", name=name), "channel", "id")
        if action.description:
            try:
                purpose = action.description[:LONGEST_WORDS]
                await self.api.call("conversations.setPurpose", channel=made, purpose=purpose)
            except (Refused, Unavailable) as error:
                # The channel is there: made again, it would be refused for its name, and nobody would hear of it.
                log.warning("the purpose of channel %s could not be set: %s", made, error)
        return names.ref(made)

    async def _archive(self, action: ArchiveChannel) -> None:
        """Put a channel away, or take it back. The bot leaves what it puts away, so that an admin takes it back."""
        channel = names.own(action.channel)
        who: Literal["bot", "admin"] = "admin" if self.api.has("admin") else "bot"
        if action.on:
            await gone_already(self.api.call("conversations.archive", who=who, channel=channel), "already_archived")
            return
        asked = self.api.call("conversations.unarchive", who=who, channel=channel)
        await gone_already(asked, "not_archived")
        if who == "admin":
            asked = self.api.call("conversations.invite", who="admin", channel=channel, users=self.me)
            await gone_already(asked, "already_in_channel")
