"""Welcomes newcomers with three channels and one question, and looks again when they answer it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import Button, KeepNewcomer, OpenDirect, Say
from bot.core.decisions import Decision
from bot.core.events import ButtonPressed, MemberJoined, MessagePosted, TimerFired
from bot.core.i18n import _
from bot.core.things import Audience
from bot.core.wording import escape
from brains.skills import interests, weekly, welcome_again
from brains.skills import offers as showing
from brains.skills.reaching import speaking_to
from brains.skills.skill import Skill
from storage import acts, channels, members, newcomers, spaces, traces

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import Action
    from bot.core.decisions import Trace
    from bot.core.things import Channel, Member, Ref
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context
    from storage.acts import Act
    from storage.newcomers import Newcomer

OFFERS = 3
AT_ONCE = 8
"""Newcomers who are welcomed together in the morning."""
WAITING = "welcome.waiting"
"""The sweep that asks for those whose welcome waits: bot/jobs.py."""
USUAL = ("introductions", "welcome", "new-members", "general", "lobby", "新人", "自我介绍")
"""Names that communities give the channel where newcomers are met, likeliest first."""


async def propose(context: Context) -> Decision | None:
    """Welcome whoever comes into the space; answer whoever answers the welcome."""
    match context.event:
        case MemberJoined(channel=None, at=at):
            return await _welcome(context, at)
        case MessagePosted(reply_to=replied) as event if replied is not None and event.text.strip():
            return await _look_again(context, event, replied)
        case TimerFired(schedule=schedule, planned=planned) if schedule == welcome_again.SCHEDULE:
            return await welcome_again.ask(context, planned)
        case TimerFired(schedule=schedule) if schedule == WAITING:
            return await _in_the_morning(context)
        case ButtonPressed():
            return await welcome_again.stop(context)
        case _:
            return None


async def _welcome(context: Context, at: datetime) -> Decision | None:
    member = context.member
    if member is None or member.guest or await _is_aside(context):
        return None
    if why := await _against(context, member, at):
        return Decision(skill=SKILL.name, actions=(), reason=why, about=(member.ref,))
    where = await _where(context)
    if where is None:
        return None
    met = await _met(context, member)
    hello = await _hello(context, member, where)
    before = met.met if met else ""
    # What is not written at night, policy declines with what is noted after it: the welcome waits.
    waits = [KeepNewcomer(member=member.ref, met="waiting", before=before)] if isinstance(hello, OpenDirect) else []
    keep = KeepNewcomer(member=member.ref, met="welcomed", before="waiting" if waits else before)
    reason = context.translate(_("{name} is new here")).format(name=member.name)
    return Decision(skill=SKILL.name, actions=(*waits, hello, keep), reason=reason, about=(member.ref,))


async def _in_the_morning(context: Context) -> Decision | None:
    """Welcome in private who came at an hour at which nobody is written to; None without any, or in a raid."""
    raids = (await context.faculties.moderator(context.community)).raids
    if raids is not None and raids.state(context.now) is not None:
        return None
    async with context.faculties.database.read() as connection:
        came = (await newcomers.waiting(connection, context.community, context.now))[:AT_ONCE]
    actions: list[Action] = []
    for member in came:
        theirs = await speaking_to(context, member)
        actions += [await _private(theirs, member), KeepNewcomer(member=member.ref, met="welcomed", before="waiting")]
    if not came:
        return None
    reason = context.translate(_("{count} newcomers came at an hour at which I write to nobody")).format(
        count=len(came)
    )
    return Decision(skill=SKILL.name, actions=tuple(actions), reason=reason, about=tuple(one.ref for one in came))


async def _hello(context: Context, member: Member, where: Channel) -> Say | OpenDirect:
    """Greet somebody with three channels and a question: in private, where that is wanted and can be."""
    if context.policy.welcome == "private" and "opened" not in context.can.get(member.ref.platform, ()):
        return replace(await _private(context, member), space=context.space)
    text, buttons = await _greeting(context, member, where)
    return Say(to=where.ref, text=text, buttons=buttons)


async def _private(context: Context, member: Member) -> OpenDirect:
    text, buttons = await _greeting(context, member)
    return OpenDirect(member=member.ref, text=text, buttons=buttons, unasked=True)


async def _greeting(context: Context, member: Member, where: Channel | None = None) -> tuple[str, tuple[Button, ...]]:
    """Word a welcome: channels that newcomers find, and a question; aloud, where it is said in a channel."""
    if where is None:
        offers = await showing.newcomers(context, OFFERS)
    else:
        offers = await _aloud(context, member, where)
    hello = context.translate(_("Welcome, **{name}**! Many who are new like these:"))
    if not offers:
        hello = context.translate(_("Welcome, **{name}**!"))
    question = context.translate(_("What do you like to make or do? Answer this message, and I find what fits you."))
    asked, buttons = await _consent(context, member, row=len(offers))
    parts = [showing.introduced(hello.format(name=escape(member.name)), offers), *asked, question]
    wish = await weekly.question(context, row=len(offers))
    return "\n\n".join(parts), (*showing.buttons(context, offers), *buttons, *wish)


async def _aloud(context: Context, member: Member, where: Channel) -> list[Offer]:
    """Offer what newcomers find first, of what all who read along in a channel may read: a guest may be among them."""
    async with context.faculties.database.read() as connection:
        heard = (await channels.aloud(connection, context.community, where.ref, member)).channels
    offers = await showing.newcomers(context, OFFERS, without=(where.ref,))
    return [one for one in offers if one.channel.id in heard]


async def _consent(context: Context, member: Member, *, row: int) -> tuple[list[str], tuple[Button, ...]]:
    """Ask for consent where nobody is collected who did not agree: until then nothing of theirs is learned."""
    if context.policy.consent == "opt_out" or await interests.may_keep(context):
        return [], ()
    words = context.translate(
        _("Here I learn from nobody who has not agreed. Until you do, I keep nothing you write, your answer included.")
    )
    agree = Button(
        label=context.translate(_("You may read what I write")),
        press="privacy.on",
        only=member.ref,
        row=row,
        words="/privacy on",
    )
    return [words], (agree,)


async def _against(context: Context, member: Member, at: datetime) -> str:
    """Say what speaks against a welcome: a raid, or another one not long ago; empty where nothing does."""
    raids = (await context.faculties.moderator(context.community)).raids
    if raids is not None and raids.state(at) is not None:
        return context.translate(_("A raid is on, so nobody is welcomed."))
    met = await _met(context, member)
    if met is not None and not met.waits and at - met.welcomed_at < newcomers.ONCE:
        return context.translate(_("{name} was welcomed not long ago")).format(name=member.name)
    return ""


async def _met(context: Context, member: Member) -> Newcomer | None:
    async with context.faculties.database.read() as connection:
        return await newcomers.of(connection, *await members.alike(connection, context.community, member))


async def _look_again(context: Context, event: MessagePosted, replied: Ref) -> Decision | None:
    """Match what a newcomer says they like."""
    async with context.faculties.database.read() as connection:
        act = await acts.that_made(connection, context.community, replied)
        trace = await traces.by_id(connection, context.community, act.trace) if act else None
    if act is None or act.skill != SKILL.name or context.member is None or not _is_for(act, trace, event.author.ref):
        return None
    found = await showing.for_text(context, event.text, OFFERS)
    offers = await showing.sayable(context, found)
    keep, told = await interests.keeping(context, " ".join(event.text.split()), "welcome")
    if not offers:
        nothing = _("Thank you! Nothing here fits that well yet; have a look around, and ask me: /match")
        words = context.translate(showing.ASIDE if found else nothing)
        say = Say(to=event.channel.ref, text=f"{words}\n\n{told}", reply_to=event.message)
        about = (event.author.ref,)
        return Decision(skill=SKILL.name, actions=(*keep, say), reason=words, evidence=(event.message,), about=about)
    head = context.translate(_("Then you may belong here:"))
    decision = showing.offering(context, SKILL.name, head, offers, phrased=False, tail=told, first=keep)
    aloud = tuple(
        replace(action, only=None, reply_to=event.message) if isinstance(action, Say) else action
        for action in decision.actions
    )
    return replace(decision, actions=aloud, about=(event.author.ref,))


def _is_for(act: Act, trace: Trace | None, member: Ref) -> bool:
    """Say whether this member was spoken to: their buttons tell, and without any the trace does."""
    if isinstance(act.action, OpenDirect):
        return act.action.member == member
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
    """Find the channel where newcomers are met: what staff set, else what is usually called so, else a public one.

    Who came into one of several groups of a platform is met there, if it has an open channel.
    """
    platform, wanted = context.space.platform, context.policy.welcome_channel
    async with context.faculties.database.read() as connection:
        chosen = await channels.find(connection, context.community, wanted) if wanted else None
        every = (await channels.every(connection, context.community)).values()
    here = [one for one in every if one.audience is Audience.EVERYONE and one.ref.platform == platform]
    public = [one for one in here if context.overrides.get(("read", str(one.ref))) != "no"]
    near = [one for one in public if one.ref.is_of(context.space)]
    if chosen is not None and (chosen.ref.is_of(context.space) or (chosen.ref.platform == platform and not near)):
        return chosen
    named = {one.name: one for one in near or public}
    return next((named[name] for name in USUAL if name in named), next(iter(near or public), None))


SKILL = Skill(
    name="welcome",
    purpose=_("Welcomes newcomers with three channels and a question"),
    propose=propose,
    hears=(MemberJoined, MessagePosted, TimerFired),
    patience=20,
)
