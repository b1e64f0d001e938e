"""Posts digests on a schedule: of a community in the channel that staff named, and of single channels in themselves."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import zones
from bot.core.actions import Attachment, Say
from bot.core.decisions import MANY, Decision
from bot.core.errors import Mistake
from bot.core.i18n import _, catalogue
from bot.core.things import Audience
from bot.core.wording import channel as channel_link
from bot.core.wording import escape
from brains.skills import digest_words as saying
from brains.skills.digest_looking import NAME, look, zone_of
from brains.skills.digest_sources import rest
from brains.skills.steering import channel
from storage import channels, schedules

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import Action
    from bot.core.things import Channel
    from brains.rhythm.digest import Digest
    from brains.skills.digest_sources import Resting
    from brains.skills.skill import Context

SCHEDULES = {"digest.daily": "daily", "digest.weekly": "weekly"}
"""The timers that set it off, and how often that is: bot/jobs.py."""
DAYS = {"daily": 1, "weekly": 7}
LONGEST = timedelta(days=14)
"""How far back a digest goes at most."""
MOST = 6
"""Conversations of a community's digest."""
OF_CHANNEL = 5
"""Conversations of a channel's digest."""
PLACES = MANY // 2
"""Digests of one event: each takes the message and a note of what it rests on."""
PICTURE = "digest.png"


async def post(context: Context, often: str, planned: datetime) -> Decision:
    """Write every digest that is due so often, where something is worth a line."""
    context = await _for_all(context)
    since = await since_when(context, often, planned)
    places = await _places(context, often)
    if not places:
        return Decision(skill=NAME, actions=(), reason=context.translate(_("no channel wants a digest now")))
    actions: list[Action] = []
    done: list[Resting] = []
    for room, whole in places[:PLACES]:
        resting = await _resting(context, room, whole=whole, since=since, until=planned)
        if resting.digest.is_empty:
            continue
        kept = resting.kept(room.ref)
        say = await _say(context, room, resting.digest, whole=whole)
        actions += [kept, replace(say, answer=kept.answer)]
        done.append(resting)
    sentence = _("digests for {count} channels; in {silent} of them nothing was worth a line")
    reason = context.translate(sentence).format(count=len(places[:PLACES]), silent=len(places[:PLACES]) - len(done))
    if left := len(places) - PLACES if len(places) > PLACES else 0:
        reason += context.translate(_("; {count} more channels want one than I write at once")).format(count=left)
    return Decision(
        skill=NAME,
        actions=tuple(actions),
        reason=reason,
        evidence=tuple(dict.fromkeys(ref for one in done for ref in one.evidence)),
        about=tuple(dict.fromkeys(ref for one in done for ref in one.about())),
    )


async def since_when(context: Context, often: str, planned: datetime) -> datetime:
    """Return since when a digest tells: its schedule's last instant before this one, whatever days staff set.

    One that comes out of turn tells of as many days as it is named after.
    """
    usual, name = planned - timedelta(days=DAYS[often]), next(one for one, two in SCHEDULES.items() if two == often)
    schedule = next((one for one in context.faculties.schedules if one.name == name), None)
    if schedule is None:
        return usual
    async with context.faculties.database.read() as connection:
        kept = (await schedules.of(connection, context.community)).get(name)
    when = schedules.when(schedule, kept, context.policy.daily_hour)
    every = when.all_after(planned - LONGEST, await zones.opened(context.policy.time_zone))
    *before, last = [planned - LONGEST, *itertools.takewhile(lambda one: one <= planned, every)]
    return before[-1] if before and last == planned else usual


async def _places(context: Context, often: str) -> list[tuple[Channel, bool]]:
    """Return where digests are due: the community's own first, then those that channels want of themselves."""
    found: list[tuple[Channel, bool]] = []
    if context.policy.digest == often and context.policy.digest_channel:
        with contextlib.suppress(Mistake):
            found.append((await channel(context, context.policy.digest_channel), True))
    async with context.faculties.database.read() as connection:
        known = await channels.every(connection, context.community)
    own = {where for (name, where), value in context.overrides.items() if name == "digest" and value == often}
    return found + [(room, False) for room in known.values() if str(room.ref) in own]


async def _resting(context: Context, room: Channel, *, whole: bool, since: datetime, until: datetime) -> Resting:
    """Look for what all who read along in a channel may read: of the whole community, or of that channel alone."""
    read = functools.partial(channels.aloud, community=context.community, where=room.ref, reader=None)
    reach = await context.faculties.database.look(read)
    if not whole:
        reads = context.overrides.get(("read", str(room.ref)), context.policy.read) == "yes"
        within = {room.id: room} if reads and room.audience is not Audience.DIRECT else {}
        reach = replace(reach, channels=within, scope=replace(reach.scope, channels=frozenset(within)))
    silent = {where for (name, where), value in context.overrides.items() if name == "digest" and value == "off"}
    rooms = [one for one in reach.channels.values() if not (whole and str(one.ref) in silent)]
    found = await look(context, reach, since, until=until, rooms=rooms, most=MOST if whole else OF_CHANNEL)
    return await rest(context, reach.scope, found)


async def _say(context: Context, room: Channel, digest: Digest, *, whole: bool) -> Say:
    """Say a digest in its channel; that of the community comes with a picture."""
    zone = await zone_of(context)
    name = escape(context.community.name) if whole else channel_link(room.ref, room.name)
    text = await asyncio.to_thread(saying.written, digest, name, context.translate, zone=zone)
    if not whole:
        return Say(to=room.ref, text=text)
    picture = await asyncio.to_thread(_drawn, context, digest, zone)
    return Say(to=room.ref, text=text, attachments=(Attachment(name=PICTURE, data=picture, instead=text),))


def _drawn(context: Context, digest: Digest, zone: str) -> bytes:
    """Draw the card of a community's digest."""
    from brains.rhythm import card

    return card.draw(saying.card(digest, context.community.name, context.translate, zone=zone))


async def _for_all(context: Context) -> Context:
    """Return the context in the community's language."""
    language = context.policy.language or context.common
    return replace(context, language=language, translate=await catalogue(language))
