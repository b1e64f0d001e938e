"""Questions answered from what the community knows: `/ask`, a question to the bot, and what stands under an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import Button, KeepOpinion
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import CommandGiven, MessagePosted, TimerFired
from bot.core.i18n import _
from brains.knowledge.asking import is_question
from brains.skills import answer_staff, answer_unasked, answer_words
from brains.skills.answering import NAME, Asked, answering, asked_before, button, find, quiet
from brains.skills.skill import Skill
from brains.skills.steering import member_of, staff_channel
from brains.skills.turned import turned
from storage import answers

if TYPE_CHECKING:
    from brains.knowledge.answer import Answer
    from brains.skills.skill import Context
    from storage.answers import Kept


async def propose(context: Context) -> Decision | None:
    """Answer a command, words to the bot, a button, a reply of the staff, or a question that waited."""
    match context.event:
        case CommandGiven(arguments=given):
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
    if not is_question(heard.words):
        return quiet(context, _("It asks nothing, so there is nothing to answer."))
    before = await asked_before(context, event)
    return await _ask(context, Asked(question=heard.words, before=before, message=event.message))


async def _ask(context: Context, asked: Asked) -> Decision:
    """Answer a question, or say that nobody here said it."""
    answer = await find(context, asked, reach=await context.hearing())
    if answer.abstained:
        return await _abstain(context, asked, answer)
    return await answering(context, asked, answer)


async def _abstain(context: Context, asked: Asked, answer: Answer) -> Decision:
    return await answering(context, asked, answer, more=await _help(context))


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
    """Keep that an answer was not it, and offer what is near beside what it cited."""
    said = await _opinion(context, kept, helpful=False)
    asked = Asked(question=kept.question)
    answer = await find(context, asked, reach=await context.hearing())
    async with context.faculties.database.read() as connection:
        refused = set(await answers.sources(connection, kept.id))
    beside = [one for one in answer.nearest if not refused & {each.source for each in one.found}]
    called = await answer_words.names(context, [one.best for one in beside])
    near = answer_words.nearest(beside, called, context.translate, context.language)
    head = _("Noted. Perhaps it is in one of these:") if near else _("Noted. I know nothing else about it.")
    text = "\n".join([context.translate(head), *near])
    if await staff_channel(context) is None:
        text += "\n" + await _help(context)
        buttons: tuple[Button, ...] = ()
    else:
        buttons = (button(kept.id, context.translate),)
    return Decision(
        skill=NAME,
        actions=(said, replace(context.answer(text), buttons=buttons)),
        reason=context.translate(_("an answer was not it")),
        evidence=tuple(one.best.source for one in beside[: answer_words.NEAREST]),
        settles=False,
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
