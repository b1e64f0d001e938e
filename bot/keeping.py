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
    from datetime import datetime

    from bot.core.actions import Inward
    from bot.core.clock import Clock
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals

Erase = Callable[["Community", "Member"], Awaitable[None]]
"""Erases everything about a member. What is left is looked for by whoever tells them."""
DONE = Receipt(state="done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Keeps things for one database. Doing the same twice changes nothing more."""

    database: Database
    clock: Clock
    erase: Erase
    refusals: Refusals

    async def act(self, community: Community, action: Inward) -> Receipt:
        """Carry out an action on our own tables."""
        now = self.clock.now()
        match action:
            case SetPolicy():
                await self.database.write(functools.partial(_set_policy, community=community, action=action))
            case SetConsent():
                work = functools.partial(_set_consent, community=community, action=action, refusals=self.refusals)
                return await self.database.write(functools.partial(work, now=now))
            case KeepFeedback():
                return await self.database.write(
                    functools.partial(_keep_feedback, community=community, action=action, now=now)
                )
            case Forget(member=ref):
                await self._forget(community, ref)
            case _:
                assert_never(action)
        return DONE

    async def _forget(self, community: Community, ref: Ref) -> None:
        async with self.database.read() as connection:
            member = await members.by_ref(connection, community, ref)
        if member is not None:
            await self.erase(community, member)


async def _set_policy(connection: Connection, *, community: Community, action: SetPolicy) -> None:
    channel = str(action.channel) if action.channel else ""
    await policies.put(connection, community, name=action.name, value=action.value, channel=channel)


async def _set_consent(
    connection: Connection, *, community: Community, action: SetConsent, refusals: Refusals, now: datetime
) -> Receipt:
    member = await members.by_ref(connection, community, action.member)
    if member is None:
        return _unknown(action.member)
    await members.set_consent(connection, member.id, collected=action.collected, now=now)
    if action.collected:
        await refusals.lift(connection, community, action.member)
    return DONE


async def _keep_feedback(
    connection: Connection, *, community: Community, action: KeepFeedback, now: datetime
) -> Receipt:
    member = await members.by_ref(connection, community, action.member)
    channel = await channels.by_ref(connection, community, action.channel)
    if member is None or channel is None:
        return _unknown(action.member if member is None else action.channel)
    await feedback.keep(connection, member=member.id, channel=channel.id, opinion=action.opinion, now=now)
    return DONE


def _unknown(ref: Ref) -> Receipt:
    return Receipt(state="failed", error=f"{ref} is not known here")
