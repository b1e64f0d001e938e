"""Questions answered from what the community knows: `/ask`, a question to the bot, and what stands under an answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import KeepOpinion
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import CommandGiven, MessagePosted, TimerFired
from bot.core.i18n import _
from brains.knowledge.asking import is_question
from brains.knowledge.terms import terms
from brains.skills import answer_staff, answer_unasked
from brains.skills.answering import NAME, Asked, answering, find, following, quiet
from brains.skills.skill import Skill
from brains.skills.steering import member_of, staff_channel
from brains.skills.turned import turned
from storage import answers

if TYPE_CHECKING:
    from brains.skills.skill import Context
    from storage.answers import Kept


CORRECTING = re.compile(r"(?:correction|更正)\s*[:：]", re.IGNORECASE)
"""How a reply begins that corrects an answer, which the skill `draft` hears."""


async def propose(context: Context) -> Decision | None:
    """Answer a command, words to the bot, a button, a reply of the staff, or a question that waited."""
    match context.event:
        case CommandGiven(arguments=given):
            if not terms(given["question"]):
                raise Mistake(_("Ask it in a few words that say what it is about."))
            return await _ask(context, Asked(question=given["question"]))
        case MessagePosted(mentioned=True) as event:
            return await _turned_to(context, event)
        case MessagePosted() as event:
            return await answer_staff.replied(context, event) or await answer_unasked.again(context, event)
        case TimerFired():
            return await answer_unasked.waited(context)
        case _:
            return await _pressed(context)


async def _turned_to(context: Context, event: MessagePosted) -> Decision | None:
    """Answer a question that somebody wrote to the bot, for all to hear who read along."""
    if reply := await answer_staff.replied(context, event):
        return reply
    heard = await turned(context, event)
    if heard.to != NAME:
        return None
    if not is_question(heard.words) or CORRECTING.match(heard.words):
        return quiet(context, _("It asks nothing, so there is nothing to answer."))
    return await _ask(context, await following(context, event, heard.words))


async def _ask(context: Context, asked: Asked) -> Decision:
    """Answer a question, or say that nobody here said it."""
    answer = await find(context, asked, reach=await context.hearing())
    return await answering(context, asked, answer, more=await _help(context) if answer.abstained else "")


async def _help(context: Context) -> str:
    """Say that nobody can be asked, where that is so."""
    if await staff_channel(context) is not None:
        return ""
    return context.translate(_("There is no staff channel here yet, so I cannot pass it on."))


async def _pressed(context: Context) -> Decision:
    """Do what a button under an answer is for."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    async with context.faculties.database.read() as connection:
        kept = await answers.by_id(connection, context.community, context.press.data.get("answer", ""))
    if kept is None or not kept.question:
        raise Mistake(_("I remember this question no more. Ask me again: /ask"))
    match context.press.what:
        case "staff":
            return await answer_staff.ask(context, kept)
        case "helpful":
            return await _helpful(context, kept)
        case _:
            return await _not_this(context, kept)


async def _opinion(context: Context, kept: Kept, *, helpful: bool) -> KeepOpinion:
    member = member_of(context)
    async with context.faculties.database.read() as connection:
        before = await answers.opinion(connection, kept.id, member.id)
    return KeepOpinion(answer=kept.id, member=member.ref, opinion="helpful" if helpful else "not_this", before=before)


async def _helpful(context: Context, kept: Kept) -> Decision:
    said = await _opinion(context, kept, helpful=True)
    words = context.translate(_("Thank you: I shall find this sooner from now on."))
    return Decision(
        skill=NAME,
        actions=(said, context.answer(words)),
        reason=context.translate(_("an answer helped")),
        settles=False,
    )


async def _not_this(context: Context, kept: Kept) -> Decision:
    """Keep that an answer was not it, and give the next best, or say that there is none."""
    said = await _opinion(context, kept, helpful=False)
    async with context.faculties.database.read() as connection:
        now = await answers.sources(connection, kept.id)
        before = await answers.refused(connection, context.community, member_of(context).id, kept.question)
    refused = before.union(now)
    asked = Asked(question=kept.question, message=kept.asked, without=frozenset(refused))
    answer = await find(context, asked, reach=await context.hearing())
    beside = [one for one in answer.nearest if not refused & {each.source for each in one.passages}]
    more = await answering(
        context, asked, replace(answer, nearest=tuple(beside)), more=await _help(context) if answer.abstained else ""
    )
    return replace(
        more, actions=(said, *more.actions), reason=context.translate(_("an answer was not it")), settles=False
    )


SKILL = Skill(
    name=NAME,
    purpose=_("Answers questions from what was said here, with its sources"),
    propose=propose,
    commands=("ask",),
    hears=(MessagePosted, TimerFired),
    spoken_to=(MessagePosted,),
    patience=20,
)
