"""Welcomes newcomers with three channels and one question, and looks again when they answer it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import Say
from bot.core.decisions import Decision
from bot.core.events import MemberJoined, MessagePosted
from bot.core.i18n import _
from bot.core.things import Audience
from bot.core.wording import escape
from brains.skills import offers as showing
from brains.skills.skill import Skill
from storage import acts, channels, spaces, traces

if TYPE_CHECKING:
    from bot.core.decisions import Trace
    from bot.core.things import Channel, Ref
    from brains.skills.skill import Context
    from storage.acts import Act

OFFERS = 3
USUAL = ("introductions", "welcome", "new-members", "general", "lobby", "新人", "自我介绍")
"""Names that communities give the channel where newcomers are met, likeliest first."""


async def propose(context: Context) -> Decision | None:
    """Welcome whoever comes into the space; answer whoever answers the welcome."""
    match context.event:
        case MemberJoined(channel=None):
            return await _welcome(context)
        case MessagePosted(reply_to=replied) as event if replied is not None and event.text.strip():
            return await _look_again(context, event, replied)
        case _:
            return None


async def _welcome(context: Context) -> Decision | None:
    if await _is_aside(context) or (context.member is not None and context.member.guest):
        return None
    where = await _where(context)
    if where is None or context.member is None:
        return None
    offers = await showing.newcomers(context, OFFERS, without=where)
    hello = context.translate(_("Welcome, **{name}**! Many who are new like these:"))
    question = context.translate(_("What do you like to make or do? Answer this message, and I find what fits you."))
    text = showing.introduced(hello.format(name=escape(context.member.name)), offers) + f"\n\n{question}"
    buttons = tuple(showing.buttons(context, offers))
    say = Say(to=where.ref, text=text, buttons=buttons)
    reason = context.translate(_("{name} is new here")).format(name=context.member.name)
    return Decision(skill=SKILL.name, actions=(say,), reason=reason, about=(context.member.ref,))


async def _look_again(context: Context, event: MessagePosted, replied: Ref) -> Decision | None:
    """Match what a newcomer says they like."""
    async with context.faculties.database.read() as connection:
        act = await acts.that_made(connection, context.community, replied)
        trace = await traces.by_id(connection, context.community, act.trace) if act else None
    if act is None or act.skill != SKILL.name or context.member is None or not _is_for(act, trace, event.author.ref):
        return None
    offers = await showing.for_text(context, event.text, OFFERS)
    if not offers:
        words = context.translate(
            _("Thank you! Nothing here fits that well yet; have a look around, and ask me: /match")
        )
        say = Say(to=event.channel.ref, text=words, reply_to=event.message)
        about = (event.author.ref,)
        return Decision(skill=SKILL.name, actions=(say,), reason=words, evidence=(event.message,), about=about)
    head = context.translate(_("Then you may belong here:"))
    decision = showing.offering(context, SKILL.name, head, offers, phrased=False)
    aloud = tuple(
        replace(action, only=None, reply_to=event.message) if isinstance(action, Say) else action
        for action in decision.actions
    )
    return replace(decision, actions=aloud, about=(event.author.ref,))


def _is_for(act: Act, trace: Trace | None, member: Ref) -> bool:
    """Say whether this member was spoken to: their buttons tell, and without any the trace does."""
    if isinstance(act.action, Say) and act.action.buttons:
        return any(button.only == member for button in act.action.buttons)
    return trace is not None and any(member in decision.about for decision in trace.verdict.decisions)


async def _is_aside(context: Context) -> bool:
    """Say whether they came where the bot does not read, beside the spaces where the community is: to its staff."""
    if context.overrides.get(("read", str(context.space))) != "no":
        return False
    async with context.faculties.database.read() as connection:
        return len(await spaces.of(connection, context.community)) > 1


async def _where(context: Context) -> Channel | None:
    """Find the channel where newcomers are met: what staff set, else what is usually called so, else a public one."""
    platform = context.space.platform
    async with context.faculties.database.read() as connection:
        if wanted := context.policy.welcome_channel:
            chosen = await channels.find(connection, context.community, wanted)
            if chosen.ref.platform == platform:
                return chosen
        every = (await channels.every(connection, context.community)).values()
    here = [one for one in every if one.audience is Audience.EVERYONE and one.ref.platform == platform]
    public = [one for one in here if context.overrides.get(("read", str(one.ref))) != "no"]
    named = {one.name: one for one in public}
    return next((named[name] for name in USUAL if name in named), public[0] if public else None)


SKILL = Skill(
    name="welcome",
    purpose=_("Welcomes newcomers with three channels and a question"),
    propose=propose,
    hears=(MemberJoined, MessagePosted),
    patience=20,
)
