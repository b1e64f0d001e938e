"""Acts on members: administrators are not touched, by whomever it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from telegram import ChatPermissions

from adapters.telegram import names
from adapters.telegram.chats import is_inside
from adapters.telegram.needs import check
from adapters.telegram.trouble import Refused
from bot.core.actions import Ban, Kick, Timeout, Unban

if TYPE_CHECKING:
    from adapters.telegram.chats import Chats
    from adapters.telegram.client import Client
    from adapters.telegram.homes import Homes
    from bot.core.clock import Clock

Sanction = Timeout | Kick | Ban | Unban


@dataclass(frozen=True, slots=True, kw_only=True)
class Discipline:
    """Moderates for one bot."""

    client: Client
    chats: Chats
    homes: Homes
    clock: Clock

    async def act(self, action: Sanction) -> None:
        """Carry out a sanction. Raises Refused, names.Unknown and the library's errors."""
        user = names.user(action.member)
        group = await self.group_of(action, user)
        await self.check_target(group, user, lifting=isinstance(action, Unban))
        check((await self.chats.staff(group)).get(self.client.id), "can_restrict_members")
        if user < 0:
            await self._act_on_chat(action, group, user)
            return
        match action:
            case Timeout(minutes=0):
                await self.client.restrict_chat_member(group, user, ChatPermissions.all_permissions())
            case Timeout(minutes=minutes):
                until = self.clock.now() + timedelta(minutes=minutes)
                await self.client.restrict_chat_member(
                    group, user, ChatPermissions.no_permissions(), until_date=int(until.timestamp())
                )
            case Kick():
                await self._kick(group, user)
            case Ban():
                await self.client.ban_chat_member(group, user)
            case Unban():
                await self.client.unban_chat_member(group, user, only_if_banned=True)

    async def check_target(self, group: int, user: int, *, lifting: bool = False) -> None:
        """Raise Refused for the bot itself and for administrators, whom Telegram lets no bot act on."""
        if user == self.client.id:
            raise Refused("I do not act on myself")
        if not lifting and (user == group or user in await self.chats.staff(group)):
            raise Refused("they are an administrator here, and Telegram lets no bot act on those")

    async def group_of(self, action: Sanction, user: int) -> int:
        """Return the group in which somebody is acted on."""
        if action.space is not None:
            return self.chats.now(names.place(action.space).chat)
        home = await self.homes.of(user)
        if home is None:
            raise Refused(f"{action.member.id} is in no group of mine")
        return names.place(home.ref).chat

    async def _kick(self, group: int, user: int) -> None:
        """Send somebody out who may come back, by one call: of two, the ban would stay where the other fails."""
        if not is_inside(await self.client.get_chat_member(group, user)):
            return
        if names.is_small(group):
            await self.client.ban_chat_member(group, user)
        else:
            await self.client.unban_chat_member(group, user)  # which also sends out whoever is in there

    async def _act_on_chat(self, action: Sanction, group: int, chat: int) -> None:
        """Act on a channel that writes under its own name."""
        match action:
            case Ban():
                await self.client.ban_chat_sender_chat(group, chat)
            case Unban():
                await self.client.unban_chat_sender_chat(group, chat)
            case _:
                raise Refused("a channel that writes under its own name can be banned, and nothing less")
