"""Channels where somebody belongs: `/match`, a question in words, and the buttons Join, Not for me and Why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import commands
from bot.core.actions import KeepFeedback, KeepInterest
from bot.core.decisions import Decision
from bot.core.errors import Mistake, NotAllowed
from bot.core.events import MessagePosted
from bot.core.i18n import _
from bot.core.things import Audience, Ref
from bot.core.wording import escape, short
from brains.knowledge.asking import is_question
from brains.skills import across, entering, interests, refused, weekly
from brains.skills import offers as showing
from brains.skills.skill import Skill
from brains.skills.turned import turned
from storage import channels, feedback, members, messages, talks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.i18n import Translate
    from bot.core.ports import Scope
    from bot.core.things import Channel, Message
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context, Press
    from storage.channels import Reach
    from storage.interests import Interest

OFFERS = 3
FIRST = ("match", "ask", "privacy", "help")
"""Commands that somebody is told of who greets the bot."""
GREETING = re.compile(
    r"\W*(?:(?:hi+|hello+|hey+|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day))"
    r"(?: (?:there|again|all|everyone|everybody|kinfolk|bot))*"
    r"|(?:你们?|您|大家)?好[呀啊吖哇]?|哈喽|哈啰|嗨+|嘿+|早(?:上好|安)?|(?:上午|中午|下午|晚上)好|晚安)\W*",
    re.IGNORECASE,
)
"""Words that greet and say nothing else."""
GUEST = _("You are a guest here and read only the channels that you are in, so I suggest no others.")


async def propose(context: Context) -> Decision | None:
    """Answer the command, a question in words, or one of the buttons."""
    if isinstance(context.event, MessagePosted):
        return await _reply(context, context.event)
    if context.press is None:
        return await _command(context, " ".join(context.command.arguments.get("interests", "").split()))
    return await _pressed(context, context.press)


async def _pressed(context: Context, press: Press) -> Decision:
    match press.what:
        case "forget":
            return await interests.forget(context, press.data["interest"])
        case "again":
            return await refused.again(context)
        case "across":
            return await across.switch(context, on=True)
        case "decline":
            return await _decline(context)
        case "join":
            return await _join(_no_guest(context))
        case _:
            return await _explain(_no_guest(context))


async def _command(context: Context, said: str) -> Decision:
    """Answer the command: a word of its own, interests that are named, or nothing at all."""
    if said and (wanted := weekly.meant(said)) is not None:
        return await weekly.switch(context, wanted, skill=SKILL.name)
    match said.casefold():
        case "refused":
            return await refused.listed(context)
        case "forget":
            return await interests.forget(context)
        case "across on" | "across off" as wanted:
            return await across.switch(context, on=wanted == "across on")
        case "":
            return await _suggest(_no_guest(context))
        case _:
            return await _by_interests(_no_guest(context), said)


def _no_guest(context: Context) -> Context:
    """Return what a member may have channels offered in. Raises Mistake for a guest."""
    if context.member is not None and context.member.guest:
        raise Mistake(GUEST)
    return context


async def _by_interests(context: Context, said: str) -> Decision:
    """Suggest channels by the interests that were named, and remember these where that may be."""
    offers = await showing.for_text(context, said, OFFERS)
    keep, told = await interests.keeping(context, said, "match")
    if offers:
        head = context.translate(_("You may belong here:"))
        more = await across.question(context, row=len(offers))
        more += await weekly.question(context, row=len(offers))
        return showing.offering(context, SKILL.name, head, offers, tail=told, first=keep, more=more)
    nothing = context.translate(_("Nothing here fits that well yet. Ask me again in a while: /match"))
    return Decision(skill=SKILL.name, actions=(*keep, context.answer(f"{nothing}\n\n{told}")), reason=nothing)


async def _suggest(context: Context) -> Decision:
    """Suggest channels: by what the member told and wrote, or as to a newcomer."""
    assert context.member is not None  # noqa: S101 - commands are given by members
    told = await interests.stated(context)
    if offers := await _by_own_words(context, told):
        head = _("From what you wrote, you may belong here:")
        if told:
            both, alone = (
                _("From what you told me and wrote, you may belong here:"),
                _("From what you told me, you may belong here:"),
            )
            head = both if await _wrote(context) else alone
    else:
        offers = await showing.newcomers(context, OFFERS)
        head = _("I know too little of you yet. These are open to you; name your interests, and I look again: /match")
    more = interests.buttons(context, told, row=len(offers))
    last = len(offers) + len(more)
    more += await across.question(context, row=last)
    more += await weekly.question(context, row=last) if offers else []
    tail = interests.shown(context, told)
    if offers:
        return showing.offering(context, SKILL.name, context.translate(head), offers, tail=tail, more=more)
    words = context.translate(_("Nothing here fits well yet. Ask me again in a while."))
    answer = context.answer("\n\n".join([words, *([tail] if tail else [])]), buttons=more)
    return Decision(skill=SKILL.name, actions=(answer,), reason=words)


async def _reply(context: Context, event: MessagePosted) -> Decision | None:
    """Suggest channels to whoever wrote to the bot, by these words alone: everybody there hears the answer."""
    heard = await turned(context, event)
    words, said = heard.words, heard.said
    if said is None and GREETING.fullmatch(words):
        return _greet(context)
    if heard.to != SKILL.name:
        elsewhere = _("It asks about the matter, which another skill answers.")
        return _quiet(context, elsewhere if said is None else _("It answers what another skill said, which hears it."))
    if context.member is None or context.member.guest or not words:
        guest = context.member is not None and context.member.guest
        return _quiet(context, GUEST if guest else _("There are no words to go by."))
    keep, told = await _answered(context, event, words)
    found = await showing.for_text(context, words, OFFERS)
    if offers := await showing.sayable(context, found):
        head = context.translate(_("You may belong here:"))
        return showing.offering(context, SKILL.name, head, offers, phrased=False, tail=told, first=keep)
    if said is not None and not found:
        # Whoever only says thanks wants no more.
        return _quiet(context, _("It answers me, and no channel fits these words."))
    nothing = _("No channel fits these words well. Name your interests with /match; /help says more.")
    sentence = context.translate(showing.ASIDE if found else nothing)
    answer = context.answer("\n\n".join([sentence, *([told] if told else [])]))
    return Decision(skill=SKILL.name, actions=(*keep, answer), reason=sentence, evidence=(event.message,))


async def _answered(context: Context, event: MessagePosted, words: str) -> tuple[tuple[KeepInterest, ...], str]:
    """Return what keeps words in private that answer what the bot asked there; nothing where it asked nothing."""
    if event.channel.audience is not Audience.DIRECT or is_question(words):
        return (), ""
    return await interests.answered(context, words)


def _quiet(context: Context, why: str) -> Decision:
    """Say nothing, for a reason that the trace keeps."""
    return Decision(skill=SKILL.name, actions=(), reason=context.translate(why))


def _greet(context: Context) -> Decision:
    """Greet back, and say what the bot can do."""
    hello = context.translate(
        _("Hello! I help you find where you belong here. Tell me what you like to make or do, or use one of these:")
    )
    known = (command for name in FIRST if (command := commands.find(name)))
    lines = [f"- **/{one.name}**: {context.translate(one.help)}" for one in known]
    reason = context.translate(_("was greeted"))
    return Decision(skill=SKILL.name, actions=(context.answer("\n".join([hello, *lines])),), reason=reason)


async def _wrote(context: Context) -> bool:
    """Say whether the asker wrote anything, by any account, where everyone may read it."""
    assert context.member is not None  # noqa: S101 - commands are given by members
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, context.member)
        public = (await channels.reach(connection, context.community, None)).scope
        return bool(await talks.newest(connection, replace(public, authors=accounts), 1))


async def _by_own_words(context: Context, told: Sequence[Interest]) -> list[Offer]:
    try:
        return await showing.for_member(context, OFFERS, told=told)
    except NotAllowed:
        raise Mistake(
            _("I collect nothing of yours, so I know none of your words. Name your interests: /match. Or: /privacy on")
        ) from None


async def _join(context: Context) -> Decision:
    channel = _channel(context, await context.reach())
    opinion = await _opinion(context, channel, feedback.JOINED)
    bringing = await entering.brought(context, channel)
    words = context.translate(entering.told(context, channel, bringing)).format(channel=showing.title(channel))
    reason = context.translate(_("{member} wants to join #{channel}"))
    return Decision(
        skill=SKILL.name,
        actions=(*bringing, opinion, context.answer(words)),
        reason=reason.format(member=context.member.name if context.member else "?", channel=channel.name),
    )


async def _decline(context: Context) -> Decision:
    channel = _channel(context, await context.reach())
    opinion = await _opinion(context, channel, feedback.DECLINED)
    words = refused.noted(context, channel)
    reason = context.translate(_("#{channel} is not for {member}"))
    return Decision(
        skill=SKILL.name,
        actions=(opinion, context.answer(words)),
        reason=reason.format(channel=channel.name, member=context.member.name if context.member else "?"),
    )


async def _explain(context: Context) -> Decision:
    """Say all that speaks for a channel: how likely it fits, why, and which words of whom."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    reach, data = await context.reach(), context.press.data
    channel = _channel(context, reach)
    head = context.translate(_("Why {channel}")).format(channel=showing.title(channel))
    reasons, evidence = data["reasons"].splitlines(), await _evidence(context, reach.scope)
    if len(evidence) < len(data["evidence"].splitlines()):
        # They may rest on somebody, even name somebody, who withheld consent since.
        reasons = [context.translate(_("Some of what spoke for it is not there any more. Ask me anew: /match"))]
    lines = [head, *(f"- {escape(reason)}" for reason in reasons)]
    lines += [f"- {sure}" for sure in how_sure(context.translate, data)]
    lines += [line for pair in evidence for line in _pair(context, pair)]
    words = "\n".join(lines)
    reason = context.translate(_("asked why #{channel}")).format(channel=channel.name)
    return Decision(skill=SKILL.name, actions=(context.answer(words),), reason=reason, settles=False)


def how_sure(translate: Translate, data: Mapping[str, str]) -> list[str]:
    """Say how likely an offer is, and what of: a chance of two in a hundred is no bad fit, since people join few."""
    if (score := float(data.get("score", 0))) > 0:
        return [translate(_("I am about {score:.0%} sure that it belongs there.")).format(score=score)]
    if (chance := float(data.get("chance", 0))) > 0:
        sentence = translate(
            _("Of a hundred members like you, about {count} find their way there within three months.")
        )
        return [sentence.format(count=max(1, round(100 * chance)))]
    return []


def _pair(context: Context, pair: Sequence[Message]) -> list[str]:
    """Quote what the member said beside what was said there."""
    *mine, theirs = pair
    yours = [f"> {context.translate(_('You: {text}')).format(text=escape(short(message.text)))}" for message in mine]
    return ["", *yours, f"> {context.translate(_('There: {text}')).format(text=escape(short(theirs.text)))}"]


async def _evidence(context: Context, scope: Scope) -> list[list[Message]]:
    """Read the messages behind an offer again: those that the asker may still read."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    pairs = [[int(number) for number in line.split()] for line in context.press.data["evidence"].splitlines()]
    async with context.faculties.database.read() as connection:
        said = await messages.by_number(connection, scope, [number for pair in pairs for number in pair])
    return [[said[number] for number in pair] for pair in pairs if all(number in said for number in pair)]


def _channel(context: Context, reach: Reach) -> Channel:
    """Return the channel of an offer, if the asker may still read it: it may have been closed since."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    channel = reach.channel(Ref.parse(context.press.data["channel"]))
    if channel is None:
        raise Mistake(_("This channel is not there any more."))
    return channel


async def _opinion(context: Context, channel: Channel, opinion: str) -> KeepFeedback:
    assert context.member is not None  # noqa: S101 - buttons are pressed by members
    async with context.faculties.database.read() as connection:
        before = (await feedback.of(connection, context.member.id)).get(channel.id, "")
    return KeepFeedback(member=context.member.ref, channel=channel.ref, opinion=opinion, before=before)


SKILL = Skill(
    name="match",
    purpose=_("Suggests the channels where a member belongs"),
    propose=propose,
    commands=("match",),
    spoken_to=(MessagePosted,),
    patience=20,
)
