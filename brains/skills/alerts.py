"""Tells the staff once of what is unusual: a spike in a channel, of a term or of bad mood, and of watched words."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from bot.core import wording, zones
from bot.core.actions import AskStaff, Edit, KeepAlert, KeepMute, Subject
from bot.core.decisions import Decision, Mode
from bot.core.errors import Mistake, NotAllowed, Unavailable
from bot.core.events import TimerFired
from bot.core.i18n import _
from bot.core.policies import mode_of
from bot.core.things import Rank
from bot.core.wording import escape, short
from brains.rhythm import sentiment
from brains.skills import alert_cards, raid_known
from brains.skills.alert_cards import MUTES, NAME, QUIET_DAYS, Cards
from brains.skills.skill import Skill
from brains.skills.steering import for_staff, pressed, ref, rewritten, staff_channel, who
from storage import acts, alerts, channels, encodings, members, messages, traces, watchlists

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.core.actions import Action
    from bot.core.i18n import Translate
    from bot.core.things import Channel, Ref
    from brains.rhythm.lookout import Seen
    from brains.rhythm.spikes import Floats
    from brains.rhythm.unusual import Sighting
    from brains.skills.skill import Context
    from storage.acts import Act
    from storage.alerts import Alert
    from storage.channels import Reach

SCHEDULE = "pulse.watch"
"""The timer that sets it off: bot/jobs.py."""
CALM = timedelta(hours=6)
"""For so long after an alert, its subject is not told of again: what flares up anew is the same excitement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a look goes by: what the staff channel's readers may read, what they were told, and what is muted."""

    reach: Reach
    told: Sequence[Alert]
    muted: frozenset[Subject]
    words: tuple[str, ...]

    def silent(self, now: datetime) -> set[Subject]:
        """Return what is not told of now: it was, lately, or is muted; of a word, while it is no news."""
        calm = {one.subject for one in self.told if one.standing == "open" or now - one.at < CALM}
        return calm | self.muted


async def propose(context: Context) -> Decision | None:
    """Look for what is unusual every few minutes, and answer the buttons under what was told."""
    if context.press is not None:
        return await _read(context) if context.press.what == "read" else await _mute(context)
    match context.event:
        case TimerFired(schedule=schedule) if schedule == SCHEDULE:
            return await _watch(context)
        case _:
            return None


async def _watch(context: Context) -> Decision | None:
    """Tell of what is new, and close what is over; nothing where there is no staff channel to be told."""
    staff = await staff_channel(context)
    if staff is None:
        return None
    known = await _known(context, staff)
    seen = await _look(context, known)
    new = list(seen.sightings)
    if mode_of(dict(context.modes), NAME, "") is Mode.WATCH:
        # Nothing that was told is kept there, so that only what the look before did not see is new.
        new = [one for one in new if one.fresh]
    raiders = await raid_known.of(context)
    new = [one for one in new if not raiders.wrote(one.said)]
    over = [one for one in known.told if one.standing == "open" and one.subject not in seen.going]
    told = await _told(context, staff, known.reach, replace(seen, sightings=tuple(new)), raiders) if new else None
    closed = [action for one in over for action in await _closed(context, one)]
    if told is None and not closed:
        return None
    translate = await for_staff(context)
    if told is None:
        names = ", ".join(str(one.subject) for one in over)
        return Decision(skill=NAME, actions=tuple(closed), reason=translate(_("over: {names}")).format(names=names))
    return replace(told, actions=(*told.actions, *closed))


async def _known(context: Context, staff: Channel) -> _Known:
    async with context.faculties.database.read() as connection:
        reach = await channels.aloud(connection, context.community, staff.ref, None)
        bots = await members.bots(connection, context.community)
        since = context.now - timedelta(days=QUIET_DAYS)
        return _Known(
            reach=_without(reach, staff, bots),
            told=await alerts.since(connection, context.community, since),
            muted=frozenset(await alerts.muted(connection, context.community, context.now)),
            words=tuple(one.word for one in await watchlists.every(connection, context.community)),
        )


def _without(reach: Reach, staff: Channel, bots: frozenset[int]) -> Reach:
    """Leave the staff's own channel and what bots say out of what is looked over."""
    rooms = {number: room for number, room in reach.channels.items() if number != staff.id}
    scope = replace(reach.scope, channels=frozenset(rooms), not_authors=reach.scope.not_authors | bots)
    return replace(reach, scope=scope, channels=rooms)


async def _look(context: Context, known: _Known) -> Seen:
    from brains.rhythm.lookout import Lookout, Seen  # brings scipy, which the other skills do without

    silent = known.silent(context.now)
    lookout = Lookout(
        database=context.faculties.database,
        scope=known.reach.scope,
        rooms=known.reach.channels,
        moods=await _moods(context),
    )
    watched = [word for word in known.words if Subject(kind="word", name=word) not in known.muted]
    if not known.reach.channels:
        return Seen()
    return await lookout.look(context.now, watched=watched, known=silent)


async def _moods(context: Context) -> Callable[[Sequence[str]], Awaitable[Floats]] | None:
    """Return what tells how likely texts are in a bad mood, by the vectors that are kept; None without a head for them.

    A text that is not encoded yet, or that is gone, counts as neutral.
    """
    try:
        fingerprint = (await context.faculties.encoder()).fingerprint
    except Unavailable:
        return None
    head = await asyncio.to_thread(sentiment.shipped)
    if not head.serves(fingerprint):
        return None

    async def moods(texts: Sequence[str]) -> Floats:
        read = functools.partial(encodings.kept, fingerprint=fingerprint, texts=list(dict.fromkeys(texts)))
        vectors = await context.faculties.database.look(read)
        found = np.zeros(len(texts))
        rows = [at for at, text in enumerate(texts) if text in vectors]
        if rows:
            made = np.stack([vectors[texts[at]] for at in rows]).astype(np.float32)
            found[rows] = head.scores(made)[:, sentiment.NEGATIVE]
        return found

    return moods


async def _told(
    context: Context, staff: Channel, reach: Reach, seen: Seen, raiders: raid_known.Raiders
) -> Decision | None:
    """Put what is unusual to the staff, in one alert, and keep that they were told of each."""
    translate = await for_staff(context)
    first, alert = seen.sightings[0], uuid4().hex
    authors = {one.author for one in alert_cards.shown_of(first.said)} | {cause.author for cause in seen.causes}
    async with context.faculties.database.read() as connection:
        people = await members.by_numbers(connection, authors - {0})
    zone = await zones.opened(context.policy.time_zone)
    cards = Cards(translate=translate, rooms=reach.channels, people=people, zone=zone)
    card = cards.card(staff.ref, alert, seen.sightings, seen.causes, raiders.lines(translate))
    kept = [_kept(one, alert if one is first else uuid4().hex) for one in seen.sightings]
    names = ", ".join(_named(one.subject, reach) for one in seen.sightings)
    return Decision(
        skill=NAME,
        actions=(card, *kept),
        reason=translate(_("unusual: {names}")).format(names=names),
        evidence=tuple(one.ref for one in alert_cards.shown_of(first.said)),
        about=tuple(one.ref for one in people.values()),
    )


def _kept(one: Sighting, alert: str) -> KeepAlert:
    return KeepAlert(
        alert=alert,
        subject=one.subject,
        began=datetime.fromtimestamp(one.said[0].at, UTC),
        count=len(one.said),
        standing="open" if one.spike is not None else "over",
    )


def _named(subject: Subject, reach: Reach) -> str:
    """Name what an alert is about in plain text."""
    room = next((room for room in reach.channels.values() if str(room.ref) == subject.name), None)
    return f"#{room.name}" if room is not None else subject.name


async def _closed(context: Context, alert: Alert) -> list[Action]:
    """Keep that an alert is over, and write it under its message."""
    keep = KeepAlert(
        alert=alert.id, subject=alert.subject, began=alert.began, count=alert.count, standing="over", before="open"
    )
    translate = await for_staff(context)
    act = await _latest(context, alert.id)
    text = getattr(act.action, "text", "") if act is not None else ""
    if act is None or not text:
        return [keep]
    zone = await zones.opened(context.policy.time_zone)
    since = context.now.astimezone(zone).strftime("%H:%M")
    words = translate(_("Over since {time} ({zone}).")).format(time=since, zone=escape(str(zone)))
    left = tuple(replace(one, token="") for one in getattr(act.action, "buttons", ()))
    return [keep, *(replace(one, offered=left) for one in rewritten(act, f"{text}\n\n_{words}_", buttons=left))]


async def _latest(context: Context, alert: str) -> Act | None:
    """Return the act that said last what stands in the message of an alert."""
    async with context.faculties.database.read() as connection:
        named = await acts.naming(connection, context.community, alert)
    said = [one for one in named if isinstance(one.action, AskStaff | Edit) and one.undone_by is None]
    return said[-1] if said else None


async def _read(context: Context) -> Decision:
    """Show what was said to whoever asks, as far as they may read it now."""
    _check(context)
    refs = await _evidence(context)
    scope = (await context.reach()).scope
    async with context.faculties.database.read() as connection:
        found = [one for ref_ in refs if (one := await messages.by_ref(connection, scope, ref_)) is not None]
        people = await members.by_numbers(connection, {one.author for one in found})
    if not found:
        raise Mistake(_("Nothing of it is there any more that you may read."))
    zone = await zones.opened(context.policy.time_zone)
    lines = [
        f"- {wording.message(one.ref, one.sent_at.astimezone(zone).strftime('%H:%M'))} "
        f"**{escape(people[one.author].name)}**: {escape(short(one.text))}"
        for one in found
        if one.author in people
    ]
    reason = context.translate(_("{member} looked at what an alert is about")).format(member=who(context))
    answer = context.answer("\n".join(lines))
    return Decision(
        skill=NAME,
        actions=(answer,),
        reason=reason,
        evidence=tuple(one.ref for one in found),
        about=tuple(one.ref for one in people.values()),
        settles=False,
    )


async def _evidence(context: Context) -> Sequence[Ref]:
    """Return the messages that an alert rests on, by the trace that told of it."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    async with context.faculties.database.read() as connection:
        named = await acts.naming(connection, context.community, context.press.data["alert"])
        first = next((one for one in named if isinstance(one.action, AskStaff)), None)
        trace = await traces.by_id(connection, context.community, first.trace) if first is not None else None
    decisions = trace.verdict.decisions if trace is not None else ()
    return [ref_ for decision in decisions if decision.skill == NAME for ref_ in decision.evidence]


async def _mute(context: Context) -> Decision:
    """Tell nothing of a subject for a while, or tell of it again; the message says so, and how to change it."""
    _check(context)
    assert context.press is not None  # noqa: S101 - a button was pressed
    data, act = context.press.data, await pressed(context)
    subject, alert = Subject.parse(data["subject"]), data["alert"]
    async with context.faculties.database.read() as connection:
        before = (await alerts.muted(connection, context.community, context.now)).get(subject)
    until = context.now + MUTES[data["for"]] if context.press.what == "mute" else None
    keep = KeepMute(subject=subject, until=until, before=before, by=ref(context))
    translate = await for_staff(context)
    if until is None:
        words = translate(_("{member} wants to hear of this again.")).format(member=who(context))
        buttons = alert_cards.muting(translate, alert, subject)
    else:
        words = await _until(context, data["for"], until, translate)
        buttons = (alert_cards.unmuting(translate, alert, subject),)
    latest = await _latest(context, alert) or act
    text = getattr(latest.action, "text", "") if latest is not None else ""
    shown = (alert_cards.reading(translate, alert), *buttons)
    edits = rewritten(latest, f"{text}\n\n_{escape(words)}_", buttons=shown) if latest is not None else ()
    under = tuple(replace(one, offered=getattr(latest.action, "buttons", ())) for one in edits if latest is not None)
    return Decision(skill=NAME, actions=(keep, *under), reason=words)


async def _until(context: Context, span: str, until: datetime, translate: Translate) -> str:
    if span == "good":
        return translate(_("{member}: nothing more of this.")).format(member=who(context))
    zone = await zones.opened(context.policy.time_zone)
    sentence = translate(_("{member}: nothing of this until {time} ({zone})."))
    return sentence.format(member=who(context), time=f"{until.astimezone(zone):%Y-%m-%d %H:%M}", zone=zone)


def _check(context: Context) -> None:
    """Let nobody but the staff use the buttons under an alert. Raises NotAllowed."""
    if context.rank < Rank.STAFF:
        raise NotAllowed(_("Alerts are for the staff."))


SKILL = Skill(
    name=NAME,
    purpose=_("Tells the staff of what is unusual: spikes, bad mood, and the words that they watch"),
    propose=propose,
    hears=(TimerFired,),
    patience=60,
)
