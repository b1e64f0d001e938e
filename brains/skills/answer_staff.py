"""Questions that the staff answers: one card each, and whoever asked is told what staff reply to it."""

from __future__ import annotations

import functools
import re
import secrets
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.core import wording
from bot.core.actions import AskStaff, KeepAnswer, KeepNote, OpenDirect, Say
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import place
from bot.core.i18n import _
from bot.core.ports import Scope
from bot.core.things import Audience
from bot.core.wording import escape, quote
from brains.skills import answer_words, letters
from brains.skills.answering import NAME, Asked, find
from brains.skills.steering import for_staff, member_of, staff_channel, who
from brains.skills.turned import NAMING
from storage import answers, channels, members, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action
    from bot.core.events import MessagePosted
    from bot.core.i18n import Translate
    from bot.core.things import Channel, Ref
    from brains.knowledge.passages import Conversation
    from brains.skills.skill import Context
    from storage.answers import Kept

THERE = _("The staff has this question already. I tell you as soon as they answer.")
WAITING = 9
"""Members who wait for one card at most: each is told by two actions, of which a decision holds twenty."""
_BETWEEN = re.compile(r"\W+")


async def ask(context: Context, kept: Kept) -> Decision:
    """Bring a question to the staff, once; whoever asks the same waits for the same card. Raises Mistake."""
    staff = await staff_channel(context)
    if staff is None:
        raise Mistake(
            _(
                "There is no staff channel here yet, so I cannot pass this on. "
                "Ask the owner for one: /setup staff_channel"
            )
        )
    if not kept.question:
        raise Mistake(_("I remember this question no more. Ask me again: /ask"))
    async with context.faculties.database.read() as connection:
        waiting = [one for one in await answers.waiting(connection, context.community) if _same(one, kept)]
    if any(one.member == member_of(context).ref for one in waiting):
        raise Mistake(THERE)
    keep = _owed(context, kept)
    if card := await _shared(context, waiting, keep):
        words = context.translate(THERE)
        actions: tuple[Action, ...] = (replace(keep, card=card), context.answer(words))
    else:
        words = context.translate(_("I asked the staff. I tell you as soon as they answer."))
        actions = (keep, await _card(context, kept, staff, keep.answer), context.answer(words))
    return Decision(
        skill=NAME,
        actions=actions,
        reason=context.translate(_("{member} asks the staff")).format(member=who(context)),
        settles=False,
    )


def _owed(context: Context, kept: Kept) -> KeepAnswer:
    """Return what keeps that the staff owes an answer: one by itself, which cites nothing of what was shown before it.

    Whoever else presses the button under somebody's question is told alone.
    """
    channel = place(context.event)
    assert channel is not None  # noqa: S101 - buttons are pressed somewhere
    mine = kept.member == member_of(context).ref
    return KeepAnswer(
        answer=secrets.token_hex(6),
        member=member_of(context).ref,
        channel=kept.channel if mine else channel.ref,
        thread=kept.thread if mine else None,
        asked=kept.asked,
        question=kept.question,
        alone=kept.alone if mine else True,
        standing="asked_staff",
    )


async def _shared(context: Context, waiting: Sequence[Kept], keep: KeepAnswer) -> Ref | None:
    """Return the card that somebody else waits for, whose answer may be told where it is asked now; None for none."""
    within = await context.reach()
    if not keep.alone:
        aloud = functools.partial(
            channels.aloud, community=context.community, where=keep.channel, reader=context.member
        )
        within = await context.faculties.database.look(aloud)
    many = Counter(one.card for one in waiting)
    for one in waiting:
        home = await _home(context, one)
        if home is not None and home.id in within.channels and many[one.card] < WAITING:
            return one.card
    return None


def _same(one: Kept, other: Kept) -> bool:
    """Say whether two ask the same, in the same words."""
    return _bare(one.question) == _bare(other.question)


def _bare(question: str) -> str:
    return _BETWEEN.sub(" ", question).strip().casefold()


async def _card(context: Context, kept: Kept, staff: Channel, answer: str) -> AskStaff:
    """Return the card: what is asked, by whom, where, and what is near of what all of the staff may read.

    It names conversations and quotes none, so that nothing of them stays when they change.
    """
    translate = await for_staff(context)
    read = functools.partial(channels.aloud, community=context.community, where=staff.ref, reader=None)
    found = await find(context, Asked(question=kept.question), reach=await context.faculties.database.look(read))
    async with context.faculties.database.read() as connection:
        asker = await members.by_ref(connection, context.community, kept.member)
        room = await channels.by_ref(connection, context.community, kept.channel)
    named = wording.member(kept.member, asker.name if asker else kept.member.id)
    open_room = room if room is not None and room.audience is not Audience.DIRECT and not kept.alone else None
    where = wording.channel(open_room.ref, open_room.name) if open_room else translate(_("alone with me"))
    lines = [
        translate(_("**Question** of {member}, {where}:")).format(member=named, where=where),
        quote(kept.question),
        "",
        *_near(context, found.nearest, translate),
        translate(_("Reply to this message: I pass your answer on, and know it from then on.")),
    ]
    return AskStaff(to=staff.ref, text="\n".join(lines), skill=NAME, proposed=(), answer=answer)


def _near(context: Context, found: Sequence[Conversation], translate: Translate) -> list[str]:
    """Name conversations by their day and channel, a line each."""
    near = [one.best for one in found if not one.best.is_note][: answer_words.NEAREST]
    if not near:
        return []
    lines = [
        f"- {wording.message(one.source, answer_words.day(one.at, translate))}, "
        f"{wording.channel(one.channel.ref, one.channel.name)}"
        for one in near
    ]
    return [translate(_("The nearest conversations:")), *lines, ""]


async def replied(context: Context, event: MessagePosted) -> Decision | None:
    """Pass on what staff reply to a card; None for any other message."""
    card = event.reply_to or (event.thread.ref if event.thread else None)
    if card is None or not context.policy.staff_channel:
        return None
    staff = await staff_channel(context)
    if staff is None or event.channel.ref != staff.ref or context.member is None:
        return None
    async with context.faculties.database.read() as connection:
        asked = await answers.by_card(connection, context.community, card)
    owed = [one for one in asked if one.standing == "asked_staff"]
    words = NAMING.sub("", event.text).strip()
    if not asked or not words:
        return None
    if not owed:
        return Decision(skill=NAME, actions=(), reason=context.translate(_("This question was answered already.")))
    return await _pass_on(context, owed[:WAITING], words)


async def _pass_on(context: Context, owed: list[Kept], words: str) -> Decision:
    """Tell everybody who asked, each where and as they asked, and keep it for whoever asks next."""
    actions: list[Action] = []
    for one in owed:
        actions += await _telling(context, one, words)
    translate = await for_staff(context)
    entry = await _entry(context, owed[0], words)
    done = _("Passed on. Whoever asks this next gets your answer at once.") if entry else _("Passed on.")
    actions += [*entry, replace(context.answer(translate(done)), only=None)]
    return Decision(
        skill=NAME,
        actions=tuple(actions),
        reason=translate(_("{member} answered a question that was put to the staff")).format(member=who(context)),
        about=tuple(dict.fromkeys(one.member for one in owed)),
        approved=member_of(context).ref,
    )


async def _telling(context: Context, one: Kept, words: str) -> list[Action]:
    async with context.faculties.database.read() as connection:
        asker = await members.by_ref(connection, context.community, one.member)
    if asker is None:
        return []
    translate = await letters.theirs(context, asker)
    head = translate(_("The staff answers your question “{question}”:"))
    text = f"{head.format(question=escape(wording.short(one.question)))}\n{quote(words)}"
    keep = KeepAnswer(
        answer=one.id,
        member=one.member,
        channel=one.channel,
        question=one.question,
        standing="answered",
        before=one.standing,
    )
    if one.alone:
        return [keep, OpenDirect(member=one.member, text=text)]
    return [keep, Say(to=one.channel, text=text, thread=one.thread, reply_to=one.asked, answer=one.id)]


async def _entry(context: Context, one: Kept, words: str) -> list[Action]:
    """Return what makes an entry of the FAQ of what staff answer, where all may read it who could read the question.

    The answer is the staff's own, and the question a member's: the entry rests on the message that asked, where that
    is kept, so that it goes with it.
    """
    home = await _home(context, one)
    if home is None or not one.question:
        return []
    async with context.faculties.database.read() as connection:
        scope = Scope(community=context.community.id)
        stands = await messages.by_refs(connection, scope, [one.asked]) if one.asked else {}
    return [
        KeepNote(
            note=uuid4().hex,
            channel=home.ref,
            question=one.question,
            text=words,
            owner=member_of(context).ref,
            sources=tuple(stands),
        )
    ]


async def _home(context: Context, one: Kept) -> Channel | None:
    """Return the channel with which an answer of the staff's lies: whoever reads that may read it.

    It is where the question was asked, or, asked of the bot alone, the first that everyone reads; none where the bot
    does not read there.
    """
    async with context.faculties.database.read() as connection:
        every = list((await channels.every(connection, context.community)).values())
    read = [room for room in every if context.overrides.get(("read", str(room.ref)), context.policy.read) == "yes"]
    asked_in = next((room for room in every if room.ref == one.channel and room.audience is not Audience.DIRECT), None)
    if asked_in is not None and (asked_in in read or asked_in.audience is not Audience.EVERYONE):
        return asked_in if asked_in in read else None
    return next((room for room in read if room.audience is Audience.EVERYONE), None)
