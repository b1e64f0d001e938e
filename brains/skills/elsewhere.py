"""Tells somebody gently that what they wrote has a channel of its own, which they do not know: once a week at most."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Say
from bot.core.decisions import Decision
from bot.core.events import MessagePosted
from bot.core.i18n import _
from bot.core.things import Audience
from brains.skills.skill import Skill
from storage import acts, growth, members, wishes

if TYPE_CHECKING:
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context

NAME = "elsewhere"
SURE = 0.6
"""Share of likelihood that the other channel must have, of all that are open to the author."""
BESIDE = 4.0
"""How many times as likely it must be as the channel in which it was said."""
LEAST = 6
"""Words of which a message must consist before it is looked at: what is shorter is chat."""
LEAST_CHINESE = 12
"""The same, in characters."""
ONCE = timedelta(days=7)
"""A member is told so once in so long."""
LOOKS = timedelta(minutes=1)
"""Between messages of a channel that are looked at, in every mode: asking where each belongs would cost as much as a
`/match` for every message there is, and somebody who is in the wrong place writes more than once."""


async def propose(context: Context) -> Decision | None:
    """Point to a better channel for what begins a conversation in another one."""
    match context.event:
        case MessagePosted(reply_to=None, thread=None, mentioned=False) as event:
            return await _point(context, event) if _says_enough(event.text) else None
        case _:
            return None


def _says_enough(text: str) -> bool:
    return len(text.split()) >= LEAST or sum("\u4e00" <= one <= "\u9fff" for one in text) >= LEAST_CHINESE


async def _point(context: Context, event: MessagePosted) -> Decision | None:
    if context.member is None or context.member.guest or event.channel.audience is not Audience.EVERYONE:
        return None
    if not context.faculties.pace.may(NAME, event.channel.ref, now=context.now, every=LOOKS):
        return None
    better = await _better(context, event)
    if better is None or await _heard_enough(context) or not await _is_unaware(context, better):
        return None
    there = wording.channel(better.channel.ref, better.channel.name)
    words = context.translate(
        _("What you wrote {here} may find more answers in {channel}. Nothing is wrong with it where it is.")
    )
    here = wording.message(event.message, context.translate(_("just now")))
    hint = Say(to=event.channel.ref, text=words.format(here=here, channel=there), only=event.author.ref, unasked=True)
    reason = context.translate(_("This fits #{better} ({score:.0%}) far better than #{here}"))
    return Decision(
        skill=NAME,
        actions=(hint,),
        reason=reason.format(better=better.channel.name, score=better.score, here=event.channel.name),
        evidence=(event.message,),
        about=(event.author.ref,),
        confidence=better.score,
    )


async def _better(context: Context, event: MessagePosted) -> Offer | None:
    """Return the channel that a message fits by far best, where that is not the one in which it was said."""
    if not context.faculties.learned(context.community):
        return None
    vector = await context.vector()
    if vector is None:
        return None
    matchmaker = await context.faculties.matchmaker(context.language)
    offers = await matchmaker.for_text(context.community, event.text, vector, k=2)
    best = next(iter(offers), None)
    if best is None or best.channel.ref == event.channel.ref or best.score < SURE:
        return None
    if best.channel.ref.platform != event.channel.ref.platform:
        return None
    here = next((one.score for one in offers if one.channel.ref == event.channel.ref), 0.0)
    return best if best.score >= BESIDE * here else None


async def _heard_enough(context: Context) -> bool:
    """Say whether the author was told so lately, or wants to hear nothing of the bot's own accord."""
    assert context.member is not None  # noqa: S101 - looked at before
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, context.member)
        if await wishes.word(connection, "reminders", *accounts) is False:
            return True
        lately = await acts.of_skill(connection, context.community, NAME, context.now - ONCE)
    mine = context.member.ref
    return any(mine in {getattr(one.action, "only", None), getattr(one.action, "member", None)} for one in lately)


async def _is_unaware(context: Context, better: Offer) -> bool:
    """Say whether the author is not in that channel, never declined it, and never wrote there, by any account."""
    assert context.member is not None  # noqa: S101 - looked at before
    matchmaker = await context.faculties.matchmaker(context.language)
    if better.channel.id in await matchmaker.settled(context.community, context.member):
        return False
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, context.member)
        return not await growth.wrote_in(connection, better.channel.id, accounts)


SKILL = Skill(
    name=NAME,
    purpose=_("Tells a member gently which channel fits what they wrote better"),
    propose=propose,
    hears=(MessagePosted,),
)
