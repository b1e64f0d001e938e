"""Lets channels grow with their community: proposes new ones, merges and archives, and does what the staff approve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, KeepFeedback, KeepGrowth, Say
from bot.core.decisions import Decision
from bot.core.errors import Mistake, NotAllowed
from bot.core.events import TimerFired
from bot.core.i18n import _
from bot.core.things import Rank
from bot.core.wording import escape
from brains.skills import entering, refused
from brains.skills.growing_cards import NAME, Cards, kept_in
from brains.skills.skill import Skill
from brains.skills.steering import close_message, for_staff, member_of, pressed, ref, staff_channel, who
from storage import channels, feedback, growth, messages, spaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, Grown
    from bot.core.things import Channel
    from brains.matching.growth_finding import Found
    from brains.skills.skill import Context
    from storage.acts import Act

SCHEDULE = "growing.weekly"
"""The timer that sets it off: bot/jobs.py."""
MOST = 2
"""Proposals at once: staff that are asked for more say yes to none."""


async def propose(context: Context) -> Decision | None:
    """Look for proposals once a week, and answer the buttons under them."""
    if context.press is not None:
        match context.press.what:
            case "join" | "pass":
                return await _choose(context, context.press.what)
            case _:
                return await _settle(context)
    match context.event:
        case TimerFired(schedule=schedule) if schedule == SCHEDULE:
            return await _weekly(context)
        case _:
            return None


async def _weekly(context: Context) -> Decision:
    staff = await staff_channel(context)
    if staff is None:
        return Decision(skill=NAME, actions=(), reason=context.translate(_("there is no staff channel")))
    return await cards(context, staff, again=False)


async def on_demand(context: Context) -> Decision:
    """Put to the staff what there is to propose, also what they put off. Raises Mistake without a staff channel."""
    staff = await staff_channel(context)
    if staff is None:
        raise Mistake(_("There is no staff channel here yet, where I could propose channels. /setup staff_channel"))
    decision = await cards(context, staff, again=True)
    asked = [one for one in decision.actions if isinstance(one, AskStaff)]
    if asked:
        words = context.translate(_("{count} changes to the channels are proposed in the staff channel."))
        told = words.format(count=len(asked))
    else:
        told = decision.reason
    return replace(decision, actions=(*decision.actions, context.answer(told)))


async def cards(context: Context, staff: Channel, *, again: bool) -> Decision:
    """Propose the topic most talked of, and what is best merged or archived, else another topic."""
    from brains.matching import growth_finding  # brings scipy, which the other skills do without

    place = await context.embedding()
    apart = {staff.ref} | {one.ref for one in await _named(context)}
    found = await growth_finding.find(
        context.faculties.database,
        place.vectors,
        context.community,
        fingerprint=place.encoder.fingerprint,
        now=context.now,
        apart=apart,
        again=again,
    )
    made = await _made(context, staff, found, place.encoder.fingerprint)
    if not made:
        words = context.translate(_("No topic wants a channel of its own, and no channel is to be merged or archived."))
        return Decision(skill=NAME, actions=(), reason=words)
    kept = [keep for card in made if (keep := kept_in(card)) is not None]
    names = ", ".join(keep.name for keep in kept)
    people = dict.fromkeys(one for topic in found.topics for one in topic.people)
    return Decision(
        skill=NAME,
        actions=(*made, *(replace(keep, made=None) for keep in kept)),
        reason=context.translate(_("These channels could be made or changed: {names}")).format(names=names),
        evidence=tuple(one.ref for one in found.said.values()),
        about=tuple(found.authors[one] for one in people if one in found.authors),
    )


async def _made(context: Context, staff: Channel, found: Found, fingerprint: str) -> list[AskStaff]:
    async with context.faculties.database.read() as connection:
        here = await spaces.of(connection, context.community)
    maker = Cards(context, staff, found, here, translate=await for_staff(context))
    first, *others = [maker.topic(topic, fingerprint) for topic in found.topics[:MOST]] or [None]
    tidying = [*(maker.merge(pair) for pair in found.pairs[:1]), *(maker.archive(room) for room in found.quiet[:1])]
    made = [first, *tidying, *others]
    return [one for one in made if one is not None][:MOST]


async def _settle(context: Context) -> Decision:
    """Do what the staff approve, or keep that they do not want it."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    if context.rank < Rank.STAFF:
        raise NotAllowed(_("Only the staff settles proposals."))
    act = await pressed(context)
    keep = kept_in(act.action) if act is not None and isinstance(act.action, AskStaff) else None
    if act is None or keep is None or not isinstance(act.action, AskStaff):
        raise Mistake(_("This proposal is not there any more."))
    verdicts = {"do": _("approved by {member}"), "later": _("put off by {member}"), "never": _("refused by {member}")}
    verdict = context.translate(verdicts.get(context.press.what, _("done by {member}"))).format(member=who(context))
    if context.press.what == "do":
        actions = await _approved(context, act, act.action.proposed, escape(verdict))
    else:
        standings: dict[str, Grown] = {"later": "later", "never": "never"}
        standing = standings.get(context.press.what, "done")
        kept = replace(keep, made=None, standing=standing, before="proposed")
        actions = (kept, *close_message(act, escape(verdict)))
    return Decision(skill=NAME, actions=actions, reason=f"{keep.name}: {verdict}", approved=ref(context))


async def _approved(context: Context, act: Act, proposed: Sequence[Action], verdict: str) -> tuple[Action, ...]:
    """Return what was proposed, without replies to what is gone; the card is closed before anybody is told."""
    read = await _still_said(context, proposed)
    doing = [
        replace(one, standing="done", before="proposed") if isinstance(one, KeepGrowth) else one for one in proposed
    ]
    first = [one for one in doing if not (isinstance(one, Say) and one.reply_to)]
    replies = [one for one in doing if isinstance(one, Say) and one.reply_to in read]
    return (*first, *close_message(act, verdict), *replies)


async def _still_said(context: Context, proposed: Sequence[Action]) -> set[object]:
    """Return the messages that are still there for everyone to read, of those that are to be replied to."""
    wanted = [one.reply_to for one in proposed if isinstance(one, Say) and one.reply_to]
    async with context.faculties.database.read() as connection:
        scope = (await channels.reach(connection, context.community, None)).scope
        return {one for one in wanted if await messages.by_ref(connection, scope, one) is not None}


async def _choose(context: Context, what: str) -> Decision:
    """Bring somebody into the channel that was made, or never suggest it to them."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    mine = member_of(context)
    reach = await context.reach()
    async with context.faculties.database.read() as connection:
        made = await growth.made_by(connection, context.community, context.press.data["growth"])
        room = reach.channel(made) if made else None
        if room is None:
            raise Mistake(_("This channel is not there any more."))
        before = (await feedback.of(connection, mine.id)).get(room.id, "")
    opinion = feedback.JOINED if what == "join" else feedback.DECLINED
    keep = KeepFeedback(member=mine.ref, channel=room.ref, opinion=opinion, before=before)
    link = wording.channel(room.ref, room.name)
    brought = await entering.brought(context, room) if what == "join" else ()
    joined = context.translate(entering.told(context, room, brought)).format(channel=link)
    told = context.answer(joined if what == "join" else refused.noted(context, room))
    sentence = _("{member} wants to join #{channel}") if what == "join" else _("#{channel} is not for {member}")
    reason = context.translate(sentence).format(member=mine.name, channel=room.name)
    # Others press the same button after them.
    return Decision(skill=NAME, actions=(*brought, keep, told), reason=reason, settles=False)


async def _named(context: Context) -> list[Channel]:
    """Return the channels that settings name: none of them is proposed to be changed."""
    wanted = [one for one in (context.policy.welcome_channel, context.policy.digest_channel) if one]
    async with context.faculties.database.read() as connection:
        known = (await channels.every(connection, context.community)).values()
    return [one for one in known if str(one.ref) in wanted or one.name in wanted]


SKILL = Skill(
    name=NAME,
    purpose=_("Proposes new channels to the staff, and which to merge or archive"),
    propose=propose,
    hears=(TimerFired,),
    patience=120,
)
