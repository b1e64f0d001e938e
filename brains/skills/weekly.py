"""Suggestions once a week, for members who want them: `/match weekly`, the buttons Weekly and Stop."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from bot.core import rhythms
from bot.core.actions import Button, KeepSubscription, Subscribed
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.rhythms import OFF, Rhythm
from brains.skills.digest_words import WEEKDAYS
from brains.skills.reaching import may_write
from brains.skills.steering import member_of
from storage import members, outreach, subscriptions

if TYPE_CHECKING:
    from bot.core.things import Member
    from brains.skills.skill import Context

NAME = "suggest"
"""The skill that sends them."""
ABOUT: Subscribed = "suggestions"
DAY = re.compile(
    r"mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
    r"|(?:每?周|每?星期)[一二三四五六日天]",
    re.IGNORECASE,
)
HOUR = re.compile(r"\d{1,2}(?::00|点|h)?")
GUEST = _("You are a guest here and read only the channels that you are in, so I suggest no others.")


def meant(said: str) -> str | None:
    """Return what stands behind `weekly` where it says when; None where somebody names interests that begin so."""
    word, *rest = said.split()
    if word.casefold() not in rhythms.WEEKLY:
        return None
    before = ["", *rest]
    told = (_tells_when(one, earlier) for one, earlier in zip(rest, before, strict=False))
    return " ".join(rest) if all(told) else None


def _tells_when(word: str, before: str) -> bool:
    """Say whether a word is a day, an hour, a zone or the end of it; what stands behind an hour is meant as a zone."""
    if word.casefold() in rhythms.STOPS or DAY.fullmatch(word) or HOUR.fullmatch(word):
        return True
    return bool(HOUR.fullmatch(before)) or "/" in word


async def switch(context: Context, wanted: str, *, skill: str) -> Decision:
    """Keep when somebody wants suggestions, by a day, an hour and a zone or less of it; `off` ends it.

    Raises Mistake where that cannot be.
    """
    if wanted.casefold() in rhythms.STOPS:
        return await stop(context, skill=skill)
    member = member_of(context)
    await _possible(context, member)
    rhythm = await _rhythm(context, member, wanted)
    keep = await _keep(context, member, str(rhythm))
    words = _(
        "Noted: {when} ({zone}) I write to you which channels may fit you, if any do. `/match weekly off` ends it."
    )
    answer = context.translate(words).format(when=often(context, rhythm), zone=rhythm.zone)
    reason = context.translate(_("wants suggestions once a week"))
    return Decision(skill=skill, actions=(keep, context.answer(answer)), reason=reason, about=(member.ref,))


async def stop(context: Context, *, skill: str) -> Decision:
    """Send somebody no more suggestions."""
    member = member_of(context)
    keep = await _keep(context, member, OFF)
    words = context.translate(_("Noted: I send you no suggestions. Ask for some whenever you like: /match"))
    reason = context.translate(_("wants no suggestions"))
    return Decision(skill=skill, actions=(keep, context.answer(words)), reason=reason, about=(member.ref,))


async def ending(context: Context, member: Member) -> tuple[KeepSubscription, ...]:
    """Return what ends suggestions to somebody who gets some; nothing where they get none."""
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, member)
        held = await subscriptions.of(connection, ABOUT, *accounts)
    return (await _keep(context, member, OFF),) if held is not None and held.when != OFF else ()


async def question(context: Context, *, row: int) -> list[Button]:
    """Ask by a button whether somebody wants suggestions each week, where they never said; else nothing."""
    member = member_of(context)
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, member)
        said = await subscriptions.of(connection, ABOUT, *accounts)
        withheld = await members.withheld(connection, context.community, among=[member.id])
    if said is not None or withheld or member.guest or not await may_write(context, member):
        return []
    label = context.translate(_("Weekly"))
    return [Button(label=label, press=f"{NAME}.weekly", only=member.ref, row=row, words="/match weekly")]


def often(context: Context, rhythm: Rhythm) -> str:
    """Say on which day and at which hour."""
    assert rhythm.weekday is not None  # noqa: S101 - suggestions come once a week
    sentence = context.translate(_("every {day} at {hour}:00"))
    return sentence.format(day=context.translate(WEEKDAYS[rhythm.weekday]), hour=rhythm.hour)


async def _possible(context: Context, member: Member) -> None:
    """Refuse where nothing of theirs may be kept, or where nobody may write to them first. Raises Mistake."""
    if member.guest:
        raise Mistake(GUEST)
    async with context.faculties.database.read() as connection:
        withheld = await members.withheld(connection, context.community, among=[member.id])
    if withheld:
        raise Mistake(_("I collect nothing of yours, so I keep no wish of yours either. /privacy on changes it."))
    if not await may_write(context, member):
        raise Mistake(
            _("I may not write to you first here. Open a conversation with me, and say it there: /match weekly")
        )


async def _rhythm(context: Context, member: Member, wanted: str) -> Rhythm:
    """Read when; without a word, on this day at this hour, at which they are here. Raises Mistake for a quiet hour."""
    async with context.faculties.database.read() as connection:
        zone = await outreach.zone_of(connection, context.community, context.policy, member)
    quiet = context.policy.quiet
    if not wanted:
        here = context.now.astimezone(await asyncio.to_thread(rhythms.clock_of, zone))
        hour = quiet.end if quiet is not None and quiet.holds(here.hour) else here.hour
        return Rhythm(weekday=here.weekday(), hour=hour, zone=zone)
    rhythm = await asyncio.to_thread(rhythms.parse, f"weekly {wanted}", zone=zone)
    assert rhythm is not None  # noqa: S101 - it does not say `off`
    if quiet is not None and quiet.holds(rhythm.hour):
        sentence = _("From {begin}:00 to {end}:00 I write to nobody here. Choose another hour.")
        raise Mistake(sentence, begin=quiet.begin, end=quiet.end)
    return rhythm


async def _keep(context: Context, member: Member, when: str) -> KeepSubscription:
    async with context.faculties.database.read() as connection:
        before = await subscriptions.of(connection, ABOUT, member.id)
    return KeepSubscription(member=member.ref, about=ABOUT, when=when, before=before.when if before else "")
