"""Writes to members who want it once a week which channels may fit them, and whom they may like to meet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.core import rhythms
from bot.core.actions import Button, KeepMeeting, KeepSubscription, KeepSuggested, OpenDirect
from bot.core.decisions import Decision
from bot.core.errors import NotAllowed
from bot.core.events import TimerFired
from bot.core.i18n import _
from bot.core.wording import escape
from brains.skills import interests, people_meeting, people_words, weekly
from brains.skills import offers as showing
from brains.skills.reaching import speaking_to
from brains.skills.skill import Skill
from brains.skills.steering import member_of
from storage import meetings, members, suggested

if TYPE_CHECKING:
    from bot.core.actions import Action
    from bot.core.things import Ref
    from brains.matching.circle import Common
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context
    from storage.subscriptions import Due

SCHEDULE = "suggestions.personal"
"""The sweep that sets it off: bot/jobs.py."""
OFFERS = 3
LOOKED_AT = 12
"""Channels among which those are looked for that were not suggested lately."""
PEOPLE = 5
"""Members among whom one is looked for who was not shown lately."""
AT_ONCE = 5
"""Members at once, of whom each takes up to four actions; the next sweep is five minutes later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is written to one member and noted of it; nothing where nothing fits."""

    actions: tuple[Action, ...] = ()
    evidence: tuple[Ref, ...] = ()


async def propose(context: Context) -> Decision | None:
    """Write to those whose hour has come; keep who wants it, and who wants it no more."""
    if context.press is not None:
        wanted = rhythms.OFF if context.press.what == "stop" else ""
        return await weekly.switch(context, wanted, skill=SKILL.name)
    match context.event:
        case TimerFired(schedule=schedule) if schedule == SCHEDULE:
            return await _round(context)
        case _:
            return None


async def _round(context: Context) -> Decision | None:
    """Write to those whose hour has come, first noting that they had it: after a crash nobody is written to twice."""
    async with context.faculties.database.read() as connection:
        waiting = (await suggested.due(connection, context.community, context.now))[:AT_ONCE]
    if not waiting:
        return None
    actions: list[Action] = []
    evidence: list[Ref] = []
    silent = 0
    for one in waiting:
        letter = await _letter(await speaking_to(context, one.member))
        actions += [await _had(context, one), *letter.actions]
        evidence += letter.evidence
        silent += not letter.actions
    sentence = _("suggestions for {count} members whose hour has come; for {silent} nothing fits that is new")
    return Decision(
        skill=SKILL.name,
        actions=tuple(actions),
        reason=context.translate(sentence).format(count=len(waiting), silent=silent),
        evidence=tuple(dict.fromkeys(evidence)),
        about=tuple(one.member.ref for one in waiting),
    )


async def _had(context: Context, due: Due) -> KeepSubscription:
    rhythm = rhythms.stored(due.when)
    assert rhythm is not None  # noqa: S101 - what is off is never due
    planned = await asyncio.to_thread(rhythm.last, context.now)
    return KeepSubscription(member=due.member.ref, about=weekly.ABOUT, when=due.when, before=due.when, served=planned)


async def _letter(context: Context) -> Letter:
    """Write to a member what fits them and is new to them."""
    member = member_of(context)
    offers = [] if member.guest else await _offers(context)
    somebody = None if member.guest else await _somebody(context)
    if not offers and somebody is None:
        return Letter()
    blocks: list[str] = []
    buttons: list[Button] = showing.buttons(context, offers)
    noted: list[Action] = []
    if offers:
        head = context.translate(_("Channels of **{community}** that may fit you:"))
        blocks.append(showing.plain(head.format(community=escape(context.community.name)), offers))
        rooms = tuple(one.channel.ref for one in offers)
        noted.append(KeepSuggested(member=member.ref, channels=rooms, at=context.now))
    if somebody is not None:
        head = context.translate(_("In **{community}** you may get on with:"))
        meeting = uuid4().hex
        blocks += [
            head.format(community=escape(context.community.name)),
            people_words.shown(context.translate, somebody, ""),
        ]
        buttons += people_words.offered(context.translate, member, somebody.member, meeting, len(offers))
        noted.append(KeepMeeting(meeting=meeting, member=member.ref, other=somebody.member.ref, said="shown"))
    ends = context.translate(_("`/match weekly off` ends these messages."))
    blocks.append(f"_{ends}_")
    end = Button(label=context.translate(_("Stop")), press=f"{SKILL.name}.stop", only=member.ref, row=len(offers) + 1)
    letter = OpenDirect(member=member.ref, text="\n\n".join(blocks), buttons=(*buttons, end), unasked=True)
    said = [message.ref for offer in offers for pair in offer.evidence for message in pair]
    said += [somebody.example.ref] if somebody is not None and somebody.example is not None else []
    return Letter(actions=(letter, *noted), evidence=tuple(said))


async def _offers(context: Context) -> list[Offer]:
    """Return the channels that fit a member by what is their own, and were not offered lately or passed over twice."""
    member = member_of(context)
    try:
        found = await showing.for_member(context, LOOKED_AT, told=await interests.stated(context))
    except NotAllowed:
        return []
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, member)
        known = await members.by_numbers(connection, accounts)
        worn = await suggested.worn(
            connection,
            context.community,
            {one.channel.id: one.channel for one in found},
            accounts=accounts,
            refs=[one.ref for one in known.values()],
            now=context.now,
        )
    return [one for one in found if one.channel.id not in worn and not one.guess][:OFFERS]


async def _somebody(context: Context) -> Common | None:
    """Return a member whom they may like to meet, where they want to be introduced, and who was not shown of late."""
    member = member_of(context)
    if context.faculties.circle is None or not await people_meeting.word(context, member):
        return None
    found = await (await people_meeting.circle(context)).suggest(context.community, member, k=PEOPLE)
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
        before = await meetings.of(connection, *mine)
    lately = {one.other for one in before if one.first in mine and context.now - one.shown_at < meetings.A_WHILE}
    return next((one for one in found if one.member.id not in lately), None)


SKILL = Skill(
    name=weekly.NAME,
    purpose=_("Writes to members who want it each week which channels may fit them"),
    propose=propose,
    hears=(TimerFired,),
    sends=(SCHEDULE,),
    patience=60,
)
