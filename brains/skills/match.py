"""Channels where somebody belongs: `/match`, a question in words, and the buttons Join, Not for me and Why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import Invite, KeepFeedback
from bot.core.decisions import Decision
from bot.core.errors import Mistake, NotAllowed
from bot.core.events import MessagePosted
from bot.core.i18n import _
from bot.core.things import Ref
from bot.core.wording import channel as link
from bot.core.wording import escape, short
from brains.skills import offers as showing
from brains.skills.skill import Skill
from brains.skills.turned import turned
from storage import feedback, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.ports import Scope
    from bot.core.things import Channel, Message
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context
    from storage.channels import Reach

OFFERS = 3
GUEST = _("You are a guest here and read only the channels that you are in, so I suggest no others.")


async def propose(context: Context) -> Decision | None:
    """Answer the command, a question in words, or one of the buttons."""
    if isinstance(context.event, MessagePosted):
        return await _reply(context, context.event)
    if context.member is not None and context.member.guest:
        raise Mistake(GUEST)
    if context.press is None:
        return await _suggest(context)
    match context.press.what:
        case "join":
            return await _join(context)
        case "decline":
            return await _decline(context)
        case _:
            return await _explain(context)


async def _suggest(context: Context) -> Decision:
    """Suggest channels: by the interests that were named, by the member's own words, or as to a newcomer."""
    assert context.member is not None  # noqa: S101 - commands are given by members
    interests = context.command.arguments.get("interests", "")
    if interests:
        offers = await showing.for_text(context, interests, OFFERS)
        head = _("You may belong here:")
    elif offers := await _by_own_words(context):
        head = _("From what you wrote, you may belong here:")
    else:
        offers = await showing.newcomers(context, OFFERS)
        head = _("I know too little of you yet. These are open to you; name your interests, and I look again: /match")
    if not offers:
        words = context.translate(_("Nothing here fits well yet. Ask me again in a while."))
        return Decision(skill=SKILL.name, actions=(context.answer(words),), reason=words)
    return showing.offering(context, SKILL.name, context.translate(head), offers)


async def _reply(context: Context, event: MessagePosted) -> Decision | None:
    """Suggest channels to whoever wrote to the bot, by these words alone: everybody there hears the answer."""
    heard = await turned(context, event)
    words, said = heard.words, heard.said
    if heard.to != SKILL.name:
        elsewhere = _("It asks about the matter, which another skill answers.")
        return _quiet(context, elsewhere if said is None else _("It answers what another skill said, which hears it."))
    if context.member is None or context.member.guest or not words:
        guest = context.member is not None and context.member.guest
        return _quiet(context, GUEST if guest else _("There are no words to go by."))
    if offers := await showing.for_text(context, words, OFFERS):
        head = context.translate(_("You may belong here:"))
        return showing.offering(context, SKILL.name, head, offers, phrased=False)
    if said is not None:
        # Whoever only says thanks wants no more.
        return _quiet(context, _("It answers me, and no channel fits these words."))
    sentence = context.translate(
        _("No channel fits these words well. Name your interests with /match; /help says more.")
    )
    return Decision(skill=SKILL.name, actions=(context.answer(sentence),), reason=sentence, evidence=(event.message,))


def _quiet(context: Context, why: str) -> Decision:
    """Say nothing, for a reason that the trace keeps."""
    return Decision(skill=SKILL.name, actions=(), reason=context.translate(why))


async def _by_own_words(context: Context) -> list[Offer]:
    assert context.member is not None  # noqa: S101 - commands are given by members
    matchmaker = await context.faculties.matchmaker(context.language)
    try:
        return await matchmaker.for_member(context.community, context.member, k=OFFERS)
    except NotAllowed:
        raise Mistake(
            _("I collect nothing of yours, so I know none of your words. Name your interests: /match. Or: /privacy on")
        ) from None


async def _join(context: Context) -> Decision:
    channel = _channel(context, await context.reach())
    opinion = await _opinion(context, channel, feedback.JOINED)
    words = context.translate(_("You are in {channel} now. Say hello!")).format(channel=showing.title(channel))
    invite = Invite(member=opinion.member, channel=channel.ref)
    reason = context.translate(_("{member} wants to join #{channel}"))
    return Decision(
        skill=SKILL.name,
        actions=(invite, opinion, context.answer(words)),
        reason=reason.format(member=context.member.name if context.member else "?", channel=channel.name),
    )


async def _decline(context: Context) -> Decision:
    channel = _channel(context, await context.reach())
    opinion = await _opinion(context, channel, feedback.DECLINED)
    noted = context.translate(_("Noted: I do not suggest {channel} to you again."))
    words = noted.format(channel=link(channel.ref, channel.name))
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
    lines = [head, *(f"- {escape(reason)}" for reason in data["reasons"].splitlines())]
    if (score := float(data["score"])) > 0:
        sure = context.translate(_("Among the channels open to you, its share of likelihood is {score:.0%}."))
        lines.append(f"- {sure.format(score=score)}")
    lines += [line for pair in await _evidence(context, reach.scope) for line in _pair(context, pair)]
    words = "\n".join(lines)
    reason = context.translate(_("asked why #{channel}")).format(channel=channel.name)
    return Decision(skill=SKILL.name, actions=(context.answer(words),), reason=reason, settles=False)


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
