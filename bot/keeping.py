"""Carries out what changes Kinfolk's own tables: policy, consent, feedback, forgetting."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from bot.core.actions import Forget, KeepFeedback, SetConsent, SetPolicy
from bot.core.decisions import Receipt
from storage import channels, feedback, members, policies

if TYPE_CHECKING:
    from bot.core.actions import Kept
    from bot.core.clock import Clock
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals

Erase = Callable[["Community", "Member"], Awaitable[str]]
"""Erases everything about a member and returns the proof as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Keeps things for one database. Doing the same twice changes nothing more."""

    database: Database
    clock: Clock
    erase: Erase
    refusals: Refusals

    async def act(self, community: Community, action: Kept) -> Receipt:
        """Carry out an action on our own tables."""
        match action:
            case SetPolicy():
                await self.database.write(functools.partial(_set_policy, community=community, action=action))
            case SetConsent():
                return await self._set_consent(community, action)
            case KeepFeedback():
                return await self._keep_feedback(community, action)
            case Forget(member=ref):
                return await self._forget(community, ref)
            case _:
                assert_never(action)
        return Receipt(state="done")

    async def _set_consent(self, community: Community, action: SetConsent) -> Receipt:
        member = await self._member(community, action.member)
        if member is None:
            return _unknown(action.member)
        keep = functools.partial(
            members.set_consent, member=member.id, collected=action.collected, now=self.clock.now()
        )
        await self.database.write(keep)
        if action.collected:
            await self.database.write(functools.partial(self.refusals.lift, community=community, member=action.member))
        return Receipt(state="done")

    async def _keep_feedback(self, community: Community, action: KeepFeedback) -> Receipt:
        member = await self._member(community, action.member)
        async with self.database.read() as connection:
            channel = await channels.by_ref(connection, community, action.channel)
        if member is None or channel is None:
            return _unknown(action.member if member is None else action.channel)
        keep = functools.partial(
            feedback.keep, member=member.id, channel=channel.id, opinion=action.opinion, now=self.clock.now()
        )
        await self.database.write(keep)
        return Receipt(state="done")

    async def _forget(self, community: Community, ref: Ref) -> Receipt:
        member = await self._member(community, ref)
        if member is None:
            return Receipt(state="done", text="{}")
        return Receipt(state="done", text=await self.erase(community, member))

    async def _member(self, community: Community, ref: Ref) -> Member | None:
        async with self.database.read() as connection:
            return await members.by_ref(connection, community, ref)


async def _set_policy(connection: Connection, community: Community, action: SetPolicy) -> None:
    channel = str(action.channel) if action.channel else ""
    await policies.put(connection, community, name=action.name, value=action.value, channel=channel)


def _unknown(ref: Ref) -> Receipt:
    return Receipt(state="failed", error=f"{ref} is not known here")
