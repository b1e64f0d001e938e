"""Sends members who want it a digest of their own, at their hour, of what they may read and care for."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import rhythms
from bot.core.actions import Button, KeepSubscription, OpenDirect, RunSchedule
from bot.core.decisions import MANY, Decision
from bot.core.i18n import _, catalogue
from bot.core.wording import escape
from brains.skills import digest_words as saying
from brains.skills import letters
from brains.skills.digest_looking import NAME, look
from brains.skills.digest_sources import rest
from storage import channels, subscriptions

if TYPE_CHECKING:
    from bot.core.actions import Action
    from bot.core.things import Member, Ref
    from brains.skills.digest_sources import Resting
    from brains.skills.skill import Context
    from storage.subscriptions import Due

SCHEDULE = "digest.personal"
"""The sweep that sets it off: bot/jobs.py."""
MOST = 5
"""Conversations of a member's digest."""
AT_ONCE = (MANY - 1) // 3
"""Members at once: each takes a note that they had it, one of what it rests on, and the message itself. Where more are
due, the schedule comes again as soon as these were written to."""
LONGEST = timedelta(days=14)
"""How far back a digest goes at most, after a time in which nothing was sent."""


async def send(context: Context) -> Decision | None:
    """Write to those whose hour has come, some at once; where nothing is worth a line, note that, and send nothing."""
    async with context.faculties.database.read() as connection:
        every = await subscriptions.digests(connection, context.community, context.now)
    waiting = every[:AT_ONCE]
    if not waiting:
        return None
    actions: list[Action] = []
    evidence: list[Ref] = []
    about: list[Ref] = []
    silent = 0
    for one in waiting:
        mine, resting = await _letter(context, one)
        actions += mine
        silent += resting.digest.is_empty
        evidence += resting.evidence
        about += resting.about(one.member.ref)
    if len(every) > len(waiting):
        actions.append(RunSchedule(name=SCHEDULE, at=context.now))
    sentence = _("digests for {count} members whose hour has come; for {silent} nothing was worth a line")
    reason = context.translate(sentence).format(count=len(waiting), silent=silent)
    return Decision(
        skill=NAME,
        actions=tuple(actions),
        reason=reason,
        evidence=tuple(dict.fromkeys(evidence)),
        about=tuple(dict.fromkeys(about)),
    )


async def _letter(context: Context, due: Due) -> tuple[list[Action], Resting]:
    """Return what is done for one member, first the note that they had it: after a crash nobody is written to twice."""
    rhythm = rhythms.stored(due.when)
    assert rhythm is not None  # noqa: S101 - what is off is never due
    planned = max(due.planned, await asyncio.to_thread(rhythm.last, context.now))
    context = await addressing(context, due.member)
    read = functools.partial(channels.reach, community=context.community, reader=due.member, alone=True)
    reach = await context.faculties.database.look(read)
    usual = planned - timedelta(days=1 if rhythm.weekday is None else 7)
    since = max(min(due.last_at or usual, usual), planned - LONGEST)
    found = await look(context, reach, since, until=planned, reader=due.member, most=MOST)
    resting = await rest(context, reach.scope, found)
    had = KeepSubscription(member=due.member.ref, about="digest", when=due.when, before=due.when, served=planned)
    if resting.digest.is_empty:
        return [had], resting
    kept = resting.kept(due.member.ref, due.member.ref)
    name = escape(context.community.name)
    text = await asyncio.to_thread(saying.written, resting.digest, name, context.translate, zone=rhythm.zone)
    ends = context.translate(_("You get this {when}. `/digest off` ends it."))
    text = f"{text}\n\n_{ends.format(when=saying.often(rhythm, context.translate))}_"
    letter = OpenDirect(member=due.member.ref, text=text, buttons=(stop(context, due.member),), answer=kept.answer)
    return [had, kept, letter], resting


def stop(context: Context, member: Member) -> Button:
    """Return the button that ends it; the footer says the command, so it needs no words of its own."""
    return Button(label=context.translate(_("Stop")), press=f"{NAME}.stop", only=member.ref)


async def addressing(context: Context, member: Member) -> Context:
    """Return the context as that of a member, in the language that they speak."""
    language = await letters.language_of(context, member)
    return replace(context, member=member, language=language, translate=await catalogue(language))
