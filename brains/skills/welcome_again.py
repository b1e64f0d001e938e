"""Asks newcomers a week after their welcome, once and in private, whether they found their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Button, KeepNewcomer, OpenDirect, Say, SetWish
from bot.core.decisions import Decision
from bot.core.i18n import _
from bot.core.wording import escape, short
from brains.skills import interests, weekly
from brains.skills import offers as showing
from brains.skills.reaching import may_write, speaking_to
from brains.skills.steering import member_of
from storage import acts, members, messages, newcomers, wishes

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import Action
    from bot.core.things import Member, Ref
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context

NAME = "welcome"
SCHEDULE = "welcome.daily"
OFFERS = 3
MOST = 8
"""Newcomers asked on one day; the others are on the next."""
LATE = timedelta(hours=3)
"""A sweep that is made up for later than this waits for the next day: at night nobody is written to."""
ALIVE = timedelta(days=14)
"""What was said longer ago is no conversation that is going on."""
LOOKED_AT = 10
"""Newest messages of a channel, of which the longest shows what is talked about there."""


async def ask(context: Context, planned: datetime) -> Decision | None:
    """Ask whoever is due and has not settled; None where there is nobody, it is late, or a raid is on."""
    raids = (await context.faculties.moderator(context.community)).raids
    if context.now - planned > LATE or (raids is not None and raids.state(context.now) is not None):
        return None
    actions: list[Action] = []
    asked: list[Ref] = []
    for member in await _due(context):
        if len(asked) == MOST:
            break  # looking for what fits the others would take the time that all of these have
        if not await may_write(context, member):
            continue
        written_to = await _question(await speaking_to(context, member), member)
        if written_to is not None:
            actions += [written_to, KeepNewcomer(member=member.ref, met="followed", before="welcomed")]
            asked.append(member.ref)
    if not asked:
        return None
    reason = context.translate(_("{count} newcomers may not have found their place yet")).format(count=len(asked))
    return Decision(skill=NAME, actions=tuple(actions), reason=reason, about=tuple(asked))


async def stop(context: Context) -> Decision:
    """Ask somebody nothing more unasked, for good."""
    member = member_of(context)
    async with context.faculties.database.read() as connection:
        before = await wishes.word(connection, "reminders", member.id)
    wish = SetWish(member=member.ref, wish="reminders", on=False, before=before)
    weekly_too = await weekly.ending(context, member)
    words = context.translate(_("I write to you no more of my own accord. Ask me whenever you like: /match"))
    reason = context.translate(_("wants to be asked nothing more"))
    return Decision(skill=NAME, actions=(wish, *weekly_too, context.answer(words)), reason=reason)


async def _due(context: Context) -> list[Member]:
    """Return whom to ask: welcomed a week ago, collected, not settled, and fine with being asked."""
    found: list[Member] = []
    async with context.faculties.database.read() as connection:
        waiting = await newcomers.due(connection, context.community, context.now)
        withheld = await members.withheld(connection, context.community, among=[one.id for one in waiting])
        for member in waiting:
            accounts = await members.alike(connection, context.community, member)
            met = await newcomers.of(connection, member.id)
            if member.guest or member.id in withheld or met is None:
                continue
            if await wishes.word(connection, "reminders", *accounts) is False:
                continue
            if not await newcomers.has_settled(connection, accounts, met.welcomed_at):
                found.append(member)
    return found


async def _question(context: Context, member: Member) -> OpenDirect | None:
    """Ask whether they found their place, with channels that may be it; None without any."""
    offers = await _offers(context, member)
    if not offers:
        return None
    head = context.translate(_("You came to {community} a week ago. Did you find your place? These may fit you:"))
    question = context.translate(_("Or tell me here what you like to make or do, and I look again."))
    parts = [showing.plain(head.format(community=escape(context.community.name)), offers)]
    parts += [talk] if (talk := await _talk(context, offers)) else []
    stop_asking = Button(
        label=context.translate(_("Stop asking")), press="welcome.stop", only=member.ref, row=len(offers)
    )
    buttons = (*showing.buttons(context, offers), stop_asking)
    return OpenDirect(member=member.ref, text="\n\n".join([*parts, question]), buttons=buttons, unasked=True)


async def _offers(context: Context, member: Member) -> list[Offer]:
    """Offer by what they told and wrote, then what newcomers find; first what was not in their welcome already."""
    async with context.faculties.database.read() as connection:
        met = await newcomers.of(connection, member.id)
        since = met.welcomed_at if met else context.now
        done = await acts.of_skill(connection, context.community, NAME, since - timedelta(minutes=1))
    shown = {
        button.data["channel"]
        for act in done
        if isinstance(act.action, Say | OpenDirect)
        for button in act.action.buttons
        if button.only == member.ref and "channel" in button.data
    }
    told = await interests.stated(context)
    found = await showing.for_member(context, OFFERS * 2, told=told)
    usual = await showing.newcomers(context, showing.CHOICE)
    both = {one.channel.id: one for one in [*usual, *found]}
    order = dict.fromkeys([*(one.channel.id for one in found), *both])
    return sorted((both[number] for number in order), key=lambda one: str(one.channel.ref) in shown)[:OFFERS]


async def _talk(context: Context, offers: list[Offer]) -> str:
    """Name a conversation that goes on in one of the channels offered, the best first; empty where none does."""
    reach = await context.reach()
    async with context.faculties.database.read() as connection:
        bots = await members.bots(connection, context.community)
        for offer in offers:
            if offer.channel.id not in reach.channels:
                continue
            scope = replace(
                reach.scope,
                channels=frozenset({offer.channel.id}),
                not_authors=reach.scope.not_authors | bots,
                since=context.now - ALIVE,
            )
            if said := await messages.newest(connection, scope, LOOKED_AT):
                best = max(said, key=lambda one: len(short(one.text)))
                head = context.translate(_("In {channel} they talk about this just now ({link}):"))
                link = wording.message(best.ref, context.translate(_("read it")))
                where = wording.channel(offer.channel.ref, offer.channel.name)
                return f"{head.format(channel=where, link=link)}\n> {escape(short(best.text))}"
    return ""
