"""What `moderate` does unasked: it looks at what is said, and proposes what should follow."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Delete, Warn
from bot.core.decisions import Decision, Mode
from bot.core.errors import Unavailable
from bot.core.events import MessagePosted
from bot.core.policies import mode_of
from bot.core.things import Audience
from brains.moderation import ladder
from brains.moderation.detection import Post, verdict
from brains.skills import cards, casefile, letters, need, raid
from brains.skills.casework import (
    KINDS,
    NAME,
    can,
    exhibit,
    is_told_first,
    is_withheld,
    kept,
    opened,
    record,
    sanction,
    strictness,
    takes,
)
from brains.skills.steering import for_staff, rewritten
from storage import acquaintance, cases, exhibits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, AskStaff, Edit, Exhibit, KeepCase
    from bot.core.events import MessageEdited
    from bot.core.ports import Picture
    from bot.core.things import Member
    from brains.moderation.detection import Detection
    from brains.moderation.ladder import Step
    from brains.moderation.moderator import Moderator
    from brains.skills.skill import Context
    from storage.acquaintance import Acquaintance
    from storage.cases import Case

FRESH = timedelta(days=1)
"""For so long after somebody came in they have written nothing before, whether that is collected or not."""
JOINING = timedelta(hours=1)
"""For so long what a member does joins the case about them that is open."""
THINKING = 3.0
"""Seconds that an encoding is waited for; without it, rules and letters judge alone."""
LOOKING = 12.0
"""Seconds that the pictures of a message are waited for."""
VERSIONS = 3
"""Versions of one message that have cases of their own."""
EACH = 10
"""So many more messages of a case are written into its card at once, after the first few."""
LONGEST = 700
"""Characters of a reason."""
AIMED = frozenset({"spam", "scam", "raid", "hate"})
"""What is against others even where it speaks of harming oneself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What speaks against a message, and the open case of its author that it joins, if there is one.

    `picture` tells the first picture that came with it from others: whoever calls the message spam means all of it.
    """

    event: MessagePosted | MessageEdited
    member: Member
    detections: Sequence[Detection]
    case: Case | None
    picture: str = ""

    @property
    def surest(self) -> Detection:
        """Return what is strictest, and of that the surest."""
        return max(self.detections, key=lambda one: (one.severity == "remove", one.score))

    @property
    def removes(self) -> bool:
        """Say whether the message should go."""
        return verdict(list(self.detections)) == "remove"


async def examine(context: Context, event: MessagePosted | MessageEdited) -> Decision | None:
    """Look at a message as it is said or changed, and propose what should follow; None where nothing should."""
    moderator = await context.faculties.moderator(context.community)
    post = await _post(context, event)
    pictures = await _pictures(context, event)
    post = await _encoded(context, moderator, post)
    translate = await for_staff(context)
    begins = moderator.raids is not None and moderator.raids.state(post.at) is None
    seen = moderator.examine(post, translate, pictures=pictures)
    if seen.raid is not None and context.member is not None and event.author.ref in seen.raid.members:
        return await raid.said(context, event, context.member, seen, begins=begins)
    found = seen.detections
    against = [one for one in found if one.kind != "self_harm"]
    if context.member is None:
        return await _by_words_alone(context, event, against)
    needing = [one for one in found if one.kind == "self_harm"]
    if needing and not any(one.kind in AIMED for one in against):
        # Hard words of somebody in need are no reason to punish them.
        return await need.offer_help(context, event, context.member, needing)
    if against and event.channel.audience is not Audience.DIRECT:
        hashes = [one for picture in pictures for one in picture.hashes[:1]]
        return await _hold(context, event, context.member, against, picture=next(iter(hashes), ""))
    return None


async def _encoded(context: Context, moderator: Moderator, post: Post) -> Post:
    """Return a post with its vector, where that comes in time; while there is no encoder yet, nobody waits for one."""
    if not moderator.encoder:
        return post
    with contextlib.suppress(TimeoutError, Unavailable):
        async with asyncio.timeout(THINKING):
            return await moderator.encoded(replace(post, vector=await context.vector()), context.faculties.encoder)
    return post


async def _pictures(context: Context, event: MessagePosted | MessageEdited) -> Sequence[Picture]:
    """Look at the pictures of a message, as far as they are to be had in time."""
    look = context.faculties.look
    if look is None or not event.files:
        return ()
    try:
        async with asyncio.timeout(LOOKING):
            return await look(event.message.platform, event.files)
    except TimeoutError:
        return ()


async def _post(context: Context, event: MessagePosted | MessageEdited) -> Post:
    """Return a message as detectors see it."""
    known = None
    if context.member is not None:
        member = context.member.id
        known = await context.faculties.database.look(lambda there: acquaintance.of(there, member, event.at))
    return Post(
        text=event.text,
        author=event.author.ref,
        channel=event.channel.ref,
        at=event.at,
        message=event.message,
        files=event.files,
        before=await _earlier(context, known, event),
        joined_at=known.joined_at if known else None,
        registered_at=event.author.registered_at,
        roles=event.author.roles,
        space=context.space,
    )


async def _earlier(context: Context, known: Acquaintance | None, event: MessagePosted | MessageEdited) -> int | None:
    """Return how much its author wrote earlier; None for somebody of whom nothing is collected, who may be here long.

    Whoever came in a moment ago wrote nothing before, collected or not.
    """
    fresh = known is not None and known.joined_at is not None and event.at - known.joined_at < FRESH
    if known is None or context.member is None or (not fresh and await is_withheld(context, context.member)):
        return None
    return known.messages


async def _hold(
    context: Context,
    event: MessagePosted | MessageEdited,
    member: Member,
    against: Sequence[Detection],
    *,
    picture: str = "",
) -> Decision | None:
    """Open a case or add to it, with what is done at once, what the staff is asked, and what the member is told."""
    async with context.faculties.database.read() as connection:
        judged = await cases.of_message(connection, context.community, event.message)
        mine = await cases.of_member(connection, context.community, member.id)
    if any(_has_said(one, event) for one in judged):
        return None
    case = next((one for one in mine if _goes_on(one, context, event, versions=len(judged))), None)
    found = Finding(event=event, member=member, detections=against, case=case, picture=picture)
    return await _propose(context, found)


def _has_said(case: Case, event: MessagePosted | MessageEdited) -> bool:
    """Say whether a case rests on a message as it reads now: what is judged once is not judged again for an edit."""
    said = next((one.text for one in case.exhibits if one.message == event.message), None)
    return said == event.text or (said == "" and isinstance(event, MessagePosted))


def _goes_on(case: Case, context: Context, event: MessagePosted | MessageEdited, *, versions: int) -> bool:
    """Say whether what a member does belongs to a case about them: an open one, of detectors, and not long ago.

    A case holds one version of a message; another has a case of its own, so that staff judge what they read. What is
    done apart from a raid does not belong to one either.
    """
    shown = any(one.message == event.message for one in case.exhibits)
    joins = not shown or versions >= VERSIONS
    ours = case.is_open and bool(case.detectors) and case.kind != "raid"
    return joins and ours and context.now - case.opened_at < JOINING


async def _propose(context: Context, found: Finding) -> Decision:
    step, points = await _step(context, found)
    shown = await _exhibits(context, found)
    quotes = bool(shown[-1].text) or not found.event.text
    more = opened(
        context,
        member=found.member.ref,
        about=found.surest.kind,
        reason=_reason(found.detections) if quotes else await _unquoted(context, found.detections),
        exhibits=shown,
        detectors=tuple(dict.fromkeys(one.detector for one in found.detections)),
        score=found.surest.score,
        step=step,
        points=points,
        case=found.case.id if found.case else "",
    )
    taken: list[Action] = []
    if found.removes:
        taken.append(Delete(message=found.event.message, channel=found.event.channel.ref))
    act = sanction(more, step, more.reason) if step is not None else None
    done = [*taken, *([act] if act else [])]
    told = await letters.notice(context, found.member, more) if step is not None else None
    warned = [replace(told, text=await _unquoted(context, [found.surest]))] if isinstance(told, Warn) else []
    at_once = [one for one in (*done, *warned) if _is_done_at_once(context, found.event, one)]
    asked = await (
        _shown(context, found.case, more, at_once) if found.case else cards.card(context, more, done=at_once)
    )
    ends = (told, act) if await is_told_first(context, found.member, more.step) else (act, told)
    actions = (more, *([asked] if asked else []), *taken, *(one for one in ends if one is not None))
    return Decision(
        skill=NAME,
        actions=actions,
        reason=more.reason,
        evidence=(found.event.message,),
        about=(found.member.ref,),
        confidence=found.surest.score,
    )


async def _shown(context: Context, case: Case, more: KeepCase, done: Sequence[Action]) -> Edit | AskStaff | None:
    """Write into the card of a case what came to it, so that staff judge all of it; of many, not each one.

    Where none came to be, one is posted now.
    """
    count = len(case.exhibits)
    before = await casefile.card(context, case)
    now = _with(case, more)
    if before is None:
        waits = await casefile.is_card_coming(context, case)
        return None if waits else await cards.card(context, now, reports=case.reports, done=done)
    if count >= cards.SHOWN and count % EACH:
        return None
    translate = await for_staff(context)
    text = await cards.sheet(context, now, translate, reports=case.reports)
    return next(iter(rewritten(before, text, buttons=cards.verdicts(case.id, translate))), None)


def _with(case: Case, more: KeepCase) -> KeepCase:
    """Return a case with what comes to it."""
    exhibits = (*case.exhibits, *(one for one in more.exhibits if one not in case.exhibits))
    detectors = tuple(dict.fromkeys([*case.detectors, *more.detectors]))
    return replace(kept(case), exhibits=exhibits, detectors=detectors, step=more.step or case.step, points=more.points)


async def _step(context: Context, found: Finding) -> tuple[Step | None, int]:
    """Return what is done to the member now and the points of the case; nothing while only a human should look.

    What wants the staff's word first, or is theirs to do by hand, is not done yet: a verdict finds nothing taken
    already, and the member is told of nothing that does not happen.
    """
    before = found.case.points if found.case else 0
    if not found.removes or _mode(context, found.event) is Mode.ASK:
        return None, before
    adds = ladder.POINTS[found.surest.kind]
    held = (await record(context, found.member, beside=found.case.id if found.case else "")).points
    step = ladder.step(strictness(context), held + before, adds)
    if (
        step.rung in context.here.asked_first
        or not takes(context, found.member.ref, step)
        or (found.case and found.case.step == step.rung != "timeout")
    ):
        return None, before
    return step, before + adds


def _is_done_at_once(context: Context, event: MessagePosted | MessageEdited, action: Action) -> bool:
    """Say whether an act will neither wait for the staff nor be left to them by the platform."""
    if type(action).__name__.lower() in context.here.asked_first or not can(context, action):
        return False
    return _mode(context, event) is Mode.ACT


def _mode(context: Context, event: MessagePosted | MessageEdited) -> Mode:
    return mode_of(dict(context.modes), NAME, str(event.channel.ref))


async def _exhibits(context: Context, found: Finding) -> tuple[Exhibit, ...]:
    """Return the message, and others of the same author that it repeats."""
    related = dict.fromkeys(ref for one in found.detections for ref in one.related if ref != found.event.message)
    async with context.faculties.database.read() as connection:
        others = await exhibits.of(connection, context.community, found.member.id, list(related))
    if others and await is_withheld(context, found.member):
        others = tuple(replace(one, text="") for one in others)
    return (*others, await exhibit(context, found.event, found.member, picture=found.picture))


async def _by_words_alone(
    context: Context, event: MessagePosted | MessageEdited, against: Sequence[Detection]
) -> Decision | None:
    """Propose to take away what somebody wrote of whom nothing is held: there can be no case about them."""
    if verdict(list(against)) != "remove" or event.channel.audience is Audience.DIRECT:
        return None
    gone = Delete(message=event.message, channel=event.channel.ref)
    surest = max(one.score for one in against)
    reason = await _unquoted(context, against)
    return Decision(skill=NAME, actions=(gone,), reason=reason, evidence=(event.message,), confidence=surest)


def _reason(detections: Sequence[Detection]) -> str:
    """Say why, each detector in turn, the surest first."""
    ordered = sorted(detections, key=lambda one: (one.severity != "remove", -one.score))
    return "; ".join(dict.fromkeys(one.reason for one in ordered))[:LONGEST]


async def _unquoted(context: Context, detections: Sequence[Detection]) -> str:
    """Say why in none of their words, of somebody of whom nothing is collected."""
    translate = await for_staff(context)
    return ", ".join(dict.fromkeys(translate(KINDS[one.kind]) for one in detections))
