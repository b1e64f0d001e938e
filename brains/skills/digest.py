"""What happened: on demand since somebody was away, on a schedule for a community, and for members who want it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import rhythms
from bot.core.actions import KeepSubscription
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import TimerFired
from bot.core.i18n import _
from bot.core.wording import channel as channel_link
from bot.core.wording import escape
from brains.matching.unread import DAY, WINDOW, last_visit
from brains.skills import digest_letters, digest_posts
from brains.skills import digest_words as saying
from brains.skills.digest_looking import NAME, look, zone_of
from brains.skills.digest_sources import rest
from brains.skills.skill import Skill
from brains.skills.steering import member_of
from storage import members, subscriptions, surroundings, talks

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Member
    from brains.skills.skill import Context
    from storage.channels import Reach

MOST = 6
"""Conversations of a digest on demand."""
LATELY = 200
"""Newest messages of somebody that tell when they were last here."""


async def propose(context: Context) -> Decision | None:
    """Answer the command or the button, or write what a timer says is due."""
    if context.press is not None:
        return await _wish(context, rhythms.OFF)
    match context.event:
        case TimerFired(schedule=schedule, planned=planned) if schedule in digest_posts.SCHEDULES:
            return await digest_posts.post(context, digest_posts.SCHEDULES[schedule], planned)
        case TimerFired(schedule=schedule) if schedule == digest_letters.SCHEDULE:
            return await digest_letters.send(context)
        case TimerFired():
            return None
    given = context.command.arguments
    if not given.get("choice"):
        return await _now(context)
    return await _wish(context, " ".join([given["choice"], *given.get("when", "").split()]))


async def _now(context: Context) -> Decision:
    """Tell what happened since they were away, or in so many days; everywhere, or in one channel."""
    member, given = member_of(context), context.command.arguments
    reach = await context.reach()
    room = reach.named(given["channel"]) if given.get("channel") else None
    since = await _since(context, member, reach, int(given.get("days") or 0))
    rooms = [room] if room else None
    generator = context.faculties.generator if context.here.answers == "words" else None
    found = await look(context, reach, since, reader=member, rooms=rooms, most=MOST, generator=generator)
    resting = await rest(context, reach.scope, found)
    zone = await zone_of(context, member)
    if resting.digest.is_empty:
        nothing = context.translate(_("Nothing that is worth a line was said since {since}."))
        words = nothing.format(since=await asyncio.to_thread(saying.day, since, zone))
        return Decision(skill=NAME, actions=(context.answer(words),), reason=words)
    name = channel_link(room.ref, room.name) if room else escape(context.community.name)
    text = await asyncio.to_thread(saying.written, resting.digest, name, context.translate, zone=zone)
    answer = context.answer(text)
    kept = resting.kept(answer.to, member.ref)
    reason = context.translate(_("a digest of {count} conversations")).format(count=len(resting.digest.lines))
    return Decision(
        skill=NAME,
        actions=(kept, replace(answer, answer=kept.answer)),
        reason=reason,
        evidence=resting.evidence,
        about=resting.about(member.ref),
    )


async def _since(context: Context, member: Member, reach: Reach, days: int) -> datetime:
    """Return since when they want to know: so many days ago, or when they were last here, a day ago at the latest."""
    if days:
        return context.now - timedelta(days=days)
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
        scope = await surroundings.without_bots(connection, reach.scope)
        own = await talks.newest(connection, replace(scope, authors=mine), LATELY)
    return max(context.now - WINDOW, min(context.now - DAY, last_visit(own, context.now)))


async def _wish(context: Context, wanted: str) -> Decision:
    """Keep when they want a digest, in private; `off` ends it. Raises Mistake for what is no hour or no zone."""
    member = member_of(context)
    zone = await zone_of(context, member)
    rhythm = rhythms.parse(wanted, zone=zone)
    async with context.faculties.database.read() as connection:
        before = await subscriptions.of(connection, "digest", member.id)
        withheld = await members.withheld(connection, context.community, among=[member.id])
    if rhythm is not None and withheld:
        raise Mistake(_("I collect nothing of yours, so I keep no wish of yours either. /privacy on changes it."))
    when = str(rhythm) if rhythm else rhythms.OFF
    keep = KeepSubscription(member=member.ref, about="digest", when=when, before=before.when if before else "")
    if rhythm is None:
        words = context.translate(_("Noted: I send you no digest. Ask for one whenever you like: /digest"))
    else:
        first = await asyncio.to_thread(rhythm.after, context.now)
        sentence = _("Noted: I write to you {when}, for the first time at {first} ({zone}). `/digest off` ends it.")
        words = context.translate(sentence).format(
            when=saying.often(rhythm, context.translate),
            first=await asyncio.to_thread(saying.day, first, rhythm.zone),
            zone=rhythm.zone,
        )
    reason = context.translate(_("wants a digest: {when}")).format(when=when)
    return Decision(
        skill=NAME, actions=(keep, context.answer(words)), reason=reason, about=(member.ref,), settles=False
    )


SKILL = Skill(
    name=NAME,
    purpose=_("Tells what happened: on demand, in a channel, and to members who want it"),
    propose=propose,
    hears=(TimerFired,),
    commands=("digest",),
    sends=(digest_letters.SCHEDULE,),
    patience=120,
)
