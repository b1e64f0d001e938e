"""Carries out what changes Kinfolk's own tables: policy, consent, feedback, links, cases, answers, forgetting."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never
from uuid import UUID

from bot.core.actions import (
    Forget,
    KeepAlert,
    KeepAnswer,
    KeepAppeal,
    KeepCase,
    KeepCode,
    KeepFeedback,
    KeepGrowth,
    KeepInterest,
    KeepMeeting,
    KeepMute,
    KeepNewcomer,
    KeepNote,
    KeepOpinion,
    KeepReport,
    KeepTaste,
    KeepWatchword,
    LinkAccounts,
    LinkCommunities,
    RunSchedule,
    SetConsent,
    SetPolicy,
    SetSchedule,
    SettleCase,
    SetWish,
    TakeBack,
    UnlinkAccount,
)
from bot.core.decisions import Receipt
from bot.core.things import Audience
from storage import (
    alerts,
    answers,
    casebook,
    channels,
    feedback,
    growth,
    interests,
    linking,
    meetings,
    members,
    newcomers,
    notes,
    persons,
    policies,
    proofs,
    redaction,
    schedules,
    tastes,
    watchlists,
    wishes,
)

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import Inward
    from bot.core.clock import Clock
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.db import Database
    from storage.refusals import Refusals

_Plan = KeepGrowth | SetSchedule | RunSchedule | KeepAlert | KeepMute | KeepWatchword
Erase = Callable[["Community", "Member"], Awaitable[None]]
"""Erases everything about a member. What is left is looked for by whoever tells them."""
DONE = Receipt(state="done")
OVER = Receipt(state="failed", error="this code is over, or not confirmed on both sides")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Keeps things for one database. Doing the same twice changes nothing more."""

    database: Database
    clock: Clock
    erase: Erase
    refusals: Refusals

    async def act(self, community: Community, action: Inward, *, trace: str = "") -> Receipt:
        """Carry out an action on our own tables; a case remembers the trace that opened it."""
        now = self.clock.now()
        match action:
            case SetPolicy():
                await self.database.write(functools.partial(_set_policy, community=community, action=action))
            case SetConsent():
                work = functools.partial(_set_consent, community=community, action=action, refusals=self.refusals)
                return await self.database.write(functools.partial(work, now=now))
            case KeepFeedback() | KeepInterest() | KeepNewcomer() | SetWish() | KeepMeeting() | KeepTaste():
                write = functools.partial(_keep_word, community=community, action=action, now=now)
                return await self.database.write(write)
            case KeepCode() | LinkAccounts() | UnlinkAccount() | LinkCommunities():
                link = functools.partial(_link, community=community, action=action, refusals=self.refusals, now=now)
                return await self.database.write(link)
            case KeepCase() | SettleCase() | KeepReport() | KeepAppeal():
                write = functools.partial(_keep_case, community=community, action=action, trace=trace, now=now)
                return await self.database.write(write)
            case TakeBack():
                take_back = functools.partial(redaction.take_back, community=community, action=action, trace=trace)
                await self.database.write(take_back)
            case KeepAnswer() | KeepOpinion() | KeepNote():
                write = functools.partial(_keep_answer, community=community, action=action, trace=trace, now=now)
                return await self.database.write(write)
            case KeepGrowth() | SetSchedule() | RunSchedule() | KeepAlert() | KeepMute() | KeepWatchword():
                await self.database.write(functools.partial(_keep_plan, community=community, action=action, now=now))
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
    await persons.set_consent(connection, member.person, collected=action.collected, now=now)
    if action.collected:
        for one in await persons.accounts(connection, member.person):
            await refusals.lift(connection, one.community, one.member.ref)
    return DONE


async def _keep_plan(connection: Connection, *, community: Community, action: _Plan, now: datetime) -> None:
    """Keep what is planned for the whole community, and what its staff wants to hear of."""
    match action:
        case KeepGrowth():
            await growth.keep(connection, community=community, action=action, now=now)
        case SetSchedule() | RunSchedule():
            await schedules.keep(connection, community, action, now=now)
        case KeepAlert():
            await alerts.keep(connection, community=community, action=action, now=now)
        case KeepMute():
            await alerts.mute(connection, community=community, action=action)
        case KeepWatchword():
            await watchlists.keep(connection, community=community, action=action, now=now)


async def _keep_word(
    connection: Connection,
    *,
    community: Community,
    action: KeepFeedback | KeepInterest | KeepNewcomer | SetWish | KeepMeeting | KeepTaste,
    now: datetime,
) -> Receipt:
    """Keep what a member says of a channel, of themselves, of meeting others, of what they missed."""
    member = await members.by_ref(connection, community, action.member)
    if member is None:
        return _unknown(action.member)
    match action:
        case KeepFeedback(channel=ref, opinion=opinion):
            channel = await channels.by_ref(connection, community, ref)
            if channel is None:
                return _unknown(ref)
            await feedback.keep(connection, member=member.id, channel=channel.id, opinion=opinion, now=now)
        case KeepNewcomer(met=met):
            await newcomers.keep(connection, member=member.id, met=met, now=now)
        case KeepInterest():
            return await _keep_interest(connection, community, member, action, now)
        case SetWish(wish=wish, on=on):
            await wishes.keep(connection, member=member.id, wish=wish, on=on, now=now)
        case KeepTaste():
            await tastes.keep(connection, community, member.id, action, now=now)
        case KeepMeeting():
            wrong = await meetings.keep(connection, community, member, action, now=now)
            return Receipt(state="failed", error=wrong) if wrong else DONE
    return DONE


async def _keep_interest(
    connection: Connection, community: Community, member: Member, action: KeepInterest, now: datetime
) -> Receipt:
    if not action.kept:
        await interests.drop(connection, *await members.alike(connection, community, member), text=action.text)
        return DONE
    if await members.withheld(connection, community, among=[member.id]):
        return Receipt(state="failed", error=f"nothing of {action.member} may be kept")
    await interests.keep(connection, member=member.id, text=action.text, source=action.source, now=now)
    return DONE


async def _link(
    connection: Connection,
    *,
    community: Community,
    action: KeepCode | LinkAccounts | UnlinkAccount | LinkCommunities,
    refusals: Refusals,
    now: datetime,
) -> Receipt:
    match action:
        case LinkCommunities():
            return await _link_communities(connection, community, action, refusals, now)
        case KeepCode() | LinkAccounts() | UnlinkAccount():
            member = await members.by_ref(connection, community, action.member)
            if member is None:
                return _unknown(action.member)
    match action:
        case KeepCode():
            await _keep_code(connection, member, action, now)
        case UnlinkAccount():
            await persons.unlink(connection, member, now)
        case LinkAccounts():
            return await _link_accounts(connection, member, action, now)
    return DONE


async def _keep_code(connection: Connection, member: Member, action: KeepCode, now: datetime) -> None:
    match action.step:
        case "made":
            await proofs.make(connection, member, action.code, action.subject, now)
        case "entered":
            await proofs.enter(connection, member, action.code, action.subject, now)
        case "confirmed":
            await proofs.confirm(connection, member, action.code, action.subject, now)
        case "dropped":
            await proofs.drop(connection, action.code)


async def _link_accounts(connection: Connection, member: Member, action: LinkAccounts, now: datetime) -> Receipt:
    """Link what both confirmed; who makes it may do so from another account row of the same reference."""
    other = await members.by_number(connection, action.other)
    if other is not None and other.person == member.person:
        return DONE
    proof = await proofs.find(connection, action.code, "person", now)
    if proof is None or not proof.links(member.ref, action.other):
        return OVER
    await persons.link(connection, proof.maker.member, proof.claimed.member, now)
    await proofs.drop(connection, action.code)
    return DONE


async def _link_communities(
    connection: Connection, community: Community, action: LinkCommunities, refusals: Refusals, now: datetime
) -> Receipt:
    if await linking.joined(connection, action.other) == community.id:
        return DONE
    proof = await proofs.find(connection, action.code, "community", now)
    if proof is None or proof.maker.community.id != community.id:
        return OVER
    if not proof.confirmed or proof.claimed.community.id != action.other:
        return OVER
    if await linking.clash(connection, community, proof.claimed.community):
        return Receipt(state="failed", error="both imported people or channels of the same names")
    await proofs.drop(connection, action.code)
    await linking.join(connection, community, proof.claimed.community, now, refusals=refusals)
    return DONE


async def _keep_case(
    connection: Connection,
    *,
    community: Community,
    action: KeepCase | SettleCase | KeepReport | KeepAppeal,
    trace: str,
    now: datetime,
) -> Receipt:
    policy = (await policies.load(connection, community)).policy
    quarantine = timedelta(hours=policy.quarantine_hours)
    match action:
        case SettleCase():
            wrong = await casebook.settle(connection, community, action, quarantine=quarantine, now=now)
        case KeepAppeal():
            wrong = await casebook.appeal(connection, community, action, quarantine=quarantine, now=now)
        case KeepCase() | KeepReport():
            member = await members.by_ref(connection, community, action.member)
            if member is None:
                return _unknown(action.member)
            if isinstance(action, KeepCase):
                keep = functools.partial(casebook.keep, quarantine=quarantine, trace=trace, now=now)
                wrong = await keep(connection, community, member, action)
            else:
                wrong = await casebook.report(connection, community, member, action, now=now)
    return Receipt(state="failed", error=wrong) if wrong else DONE


async def _keep_note(connection: Connection, community: Community, action: KeepNote, now: datetime) -> Receipt:
    channel = await channels.by_ref(connection, community, action.channel)
    if channel is None or channel.audience is Audience.DIRECT:
        return _unknown(action.channel)
    point = UUID(action.note)
    if not action.text:
        await notes.drop(connection, community, point, now=now)
        return DONE
    wrong = await notes.keep(
        connection,
        community,
        point=point,
        channel=channel.id,
        question=action.question,
        text=action.text,
        owner=action.owner,
        sources=action.sources,
        digests=action.digests,
        now=now,
    )
    return Receipt(state="failed", error=wrong) if wrong else DONE


async def _keep_answer(
    connection: Connection,
    *,
    community: Community,
    action: KeepAnswer | KeepOpinion | KeepNote,
    trace: str,
    now: datetime,
) -> Receipt:
    if isinstance(action, KeepNote):
        return await _keep_note(connection, community, action, now)
    member = await members.by_ref(connection, community, action.member)
    if member is None:
        return _unknown(action.member)
    if isinstance(action, KeepAnswer):
        await answers.keep(connection, community, member, action, trace=trace, now=now)
        return DONE
    known = await answers.judge(connection, community, member, action, now=now)
    return DONE if known else Receipt(state="failed", error="this answer is not kept any more")


def _unknown(ref: Ref) -> Receipt:
    return Receipt(state="failed", error=f"{ref} is not known here")
