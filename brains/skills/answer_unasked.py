"""Answers that nobody asked the bot for, where a channel wants that: to what was asked before, and to what waits."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Say
from bot.core.events import MessagePosted, TimerFired
from bot.core.i18n import catalogue, written
from brains.knowledge.asking import is_question, seeks_place
from brains.skills.answering import Asked, decided, find, judging, keeping, told
from storage import answers, channels, questions

if TYPE_CHECKING:
    from bot.core.actions import KeepAnswer
    from bot.core.decisions import Decision
    from bot.core.things import Channel, Member, Ref
    from brains.knowledge.answer import Answer
    from brains.skills.skill import Context
    from storage.questions import Question

SCHEDULE = "questions"
"""What fires when a question has waited long enough."""
WINDOW = timedelta(minutes=3)
"""For so long after that a question is looked at: an answer that comes much later helps nobody."""
PAUSE = timedelta(minutes=5)
"""Between two answers in one channel that nobody asked for, at least."""


async def again(context: Context, event: MessagePosted) -> Decision | None:
    """Answer at once what was asked and answered before, in a channel that wants it."""
    if context.here.speak != "helpful" or context.member is None or event.author.bot:
        return None
    if event.reply_to is not None or not is_question(event.text) or seeks_place(event.text):
        return None
    if context.faculties.answerer is None or await _spoke_lately(context, event.channel.ref):
        return None
    question = Asked(question=event.text, message=event.message, by=context.member)
    answer = await find(context, question, reach=await context.hearing())
    if answer.repeated is None or not _is_sure(context, answer):
        return None
    actions = await _actions(context, question, answer, context.member, context.answer(""))
    return await decided(context, answer, actions)


async def waited(context: Context) -> Decision | None:
    """Answer a question that nobody else answered in time in a channel, a newcomer's first."""
    assert isinstance(context.event, TimerFired)  # noqa: S101 - asked about it alone
    room = await _helpful(context, context.event) if context.event.schedule == SCHEDULE else None
    if room is None:
        return None
    until = context.now - timedelta(minutes=context.policy.answer_after_minutes)
    read = functools.partial(
        questions.unanswered, community=context.community, channels=[room.id], since=until - WINDOW, until=until
    )
    for one in await context.faculties.database.look(read):
        if not is_question(one.message.text) or seeks_place(one.message.text):
            continue
        answer = await _late(context, one, room)
        if answer is not None:
            question = Asked(question=one.message.text, message=one.message.ref)
            say = Say(to=room.ref, text="", thread=one.thread, reply_to=one.message.ref)
            return await decided(context, answer, await _actions(context, question, answer, one.author, say))
    return None


async def _helpful(context: Context, event: TimerFired) -> Channel | None:
    """Return the channel that it is about, where staff want unasked answers and none was given lately."""
    if event.about is None or context.here.speak != "helpful" or context.here.read != "yes":
        return None
    async with context.faculties.database.read() as connection:
        room = await channels.by_ref(connection, context.community, event.about)
    return room if room is not None and not await _spoke_lately(context, room.ref) else None


async def _spoke_lately(context: Context, channel: Ref) -> bool:
    """Say whether a question was answered aloud in a channel a moment ago."""
    async with context.faculties.database.read() as connection:
        lately = await answers.since(connection, context.community, channel, context.now - PAUSE)
    return any(not one.alone and one.standing == "given" for one in lately)


async def _late(context: Context, one: Question, room: Channel) -> Answer | None:
    """Return the answer to a question that waited, from what all may read who see it; None where it is not sure."""
    read = functools.partial(channels.aloud, community=context.community, where=room.ref, reader=one.author)
    reach = await context.faculties.database.look(read)
    question = Asked(question=one.message.text, message=one.message.ref, by=one.author)
    answer = await find(context, question, reach=reach, language=_language(context, one.message.text), where=room.ref)
    return answer if _is_sure(context, answer) else None


def _is_sure(context: Context, answer: Answer) -> bool:
    return not answer.abstained and answer.confidence >= context.policy.answer_confidence


def _language(context: Context, text: str) -> str:
    """Return the language in which to answer what nobody asked the bot."""
    return written([text]) or context.policy.language or context.common


async def _actions(context: Context, asked: Asked, answer: Answer, author: Member, say: Say) -> tuple[KeepAnswer, Say]:
    """Return what answers a message under it, and keeps what that cites."""
    translate = await catalogue(_language(context, asked.question))
    keep = await keeping(context, asked, answer, say, author, alone=False)
    text = await told(context, answer, translate, aloud=True)
    return keep, replace(say, text=text, buttons=judging(keep.answer, translate), answer=keep.answer)
