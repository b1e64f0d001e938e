"""What every way of answering shares: finding an answer, saying it with its buttons, and keeping what it cites."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Anew, Button, Cited, KeepAnswer
from bot.core.decisions import Decision
from bot.core.errors import Mistake, Unavailable
from bot.core.events import is_asked, place
from bot.core.i18n import _
from bot.core.things import Audience, Ref
from brains.knowledge.asking import condense, is_question
from brains.knowledge.rewording import reword
from brains.moderation.detection import Post
from brains.skills import answer_near, answer_words
from brains.skills.casework import is_withheld
from brains.skills.steering import staff_channel
from storage import answers, members
from storage.digests import digest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.core.actions import Say
    from bot.core.events import MessagePosted
    from bot.core.i18n import Translate
    from bot.core.ports import Generator, Vector
    from bot.core.things import Member
    from brains.knowledge.answer import Answer, Claim
    from brains.knowledge.passages import Passage
    from brains.moderation.moderator import Moderator
    from brains.skills.skill import Context
    from storage.channels import Reach

NAME = "answer"
"""The skill that answers what stands under an answer."""
CONTEXT = 3
"""Earlier questions of a thread that a new one may follow."""
LONGEST = 400
"""Characters of a question with what it follows, beyond which it is kept alone."""
AROUND = timedelta(days=1)
"""For so long what somebody wrote belongs to what they ask now."""
OURSELVES = Ref("kinfolk", NAME)
"""Who says what is weighed before it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, those that it follows (oldest first), the message that asked it, and what does not answer it.

    `by` is who asked where they did not ask the bot. What it follows is `borrowed` where somebody else asked that.
    """

    question: str
    before: tuple[str, ...] = ()
    borrowed: bool = False
    message: Ref | None = None
    without: frozenset[Ref] = frozenset()
    by: Member | None = None

    @property
    def whole(self) -> str:
        """Return the question so that it can be understood alone."""
        whole = condense(self.question, self.before)
        return whole if len(whole) <= LONGEST else self.question

    @property
    def kept(self) -> str:
        """Return the question as it is kept: whole, unless that takes words that somebody else asked with."""
        return self.question if self.borrowed else self.whole


async def following(context: Context, event: MessagePosted, question: str) -> Asked:
    """Return a question with those that it follows: what it replies to, or those of its thread; none asked alone."""
    async with context.faculties.database.read() as connection:
        if event.reply_to and (kept := await answers.by_message(connection, context.community, event.reply_to)):
            found = [kept]
        elif event.thread:
            found = await answers.in_thread(connection, context.community, event.thread.ref)
        else:
            found = []
    before = [one for one in found[-CONTEXT:] if one.question and not one.alone]
    return Asked(
        question=question,
        before=tuple(one.question for one in before),
        borrowed=any(one.member != event.author.ref for one in before),
        message=event.message,
    )


async def find(context: Context, asked: Asked, *, reach: Reach, language: str = "", where: Ref | None = None) -> Answer:
    """Answer a question from what is within reach, but for what may not be said `where` it would be.

    Nobody who did not ask for it is told what they themselves wrote lately.

    Raises Mistake where nothing answers questions, Overloaded or Gone.
    """
    if context.faculties.answerer is None:
        raise Mistake(_("I am not set up for this yet. The staff finds the reason with /why."))
    answerer = await context.faculties.answerer()
    answer = await answerer.answer(
        context.community,
        asked.question,
        reach=await _of_humans(context, reach),
        language=language or context.language,
        before=asked.before,
        without=asked.without,
    )
    channel = place(context.event)
    words = " ".join([*asked.before, asked.question])
    near = await answer_near.nearest(context, words, answer.nearest, asked.by or context.member)
    claims = tuple(one for one in answer.claims if not _is_own(context, asked, one.passages[0]))
    answer = replace(answer, claims=claims, nearest=near)
    return await _sayable(context, answer, where or (channel.ref if channel else OURSELVES))


def _is_own(context: Context, asked: Asked, said: Passage) -> bool:
    """Say whether a passage is of whoever asked unasked, about the time when they did."""
    mine = asked.by is not None and not said.is_note and said.author == asked.by.id
    return mine and context.now - said.at < AROUND


async def _of_humans(context: Context, reach: Reach) -> Reach:
    """Leave bots out: what they say quotes others, and an answer must not rest on an earlier one."""
    async with context.faculties.database.read() as connection:
        bots = await members.bots(connection, context.community)
    return replace(reach, scope=replace(reach.scope, not_authors=reach.scope.not_authors | bots))


async def _sayable(context: Context, answer: Answer, where: Ref) -> Answer:
    """Leave out what only asks, and what moderation would take away or, of what was generated, look at."""
    moderator = await context.faculties.moderator(context.community)
    vectors = await _vectors(context, [claim.text for claim in answer.claims])
    bad = {"remove"} if answer.quoted else {"remove", "flag"}
    weighed = [
        (claim, _weigh(context, moderator, claim.text, where, vector))
        for claim, vector in zip(answer.claims, vectors, strict=True)
    ]
    near = [one for one in answer.nearest if _weigh(context, moderator, one.best.text, where) == "allow"]
    claims = tuple(claim for claim, said in weighed if said not in bad and not _only_asks(claim))
    return replace(answer, claims=claims, nearest=tuple(near))


def _only_asks(claim: Claim) -> bool:
    """Say whether a quote is a question that resembles the one asked, which answers nothing."""
    return not claim.passages[0].is_note and is_question(claim.text)


def _weigh(context: Context, moderator: Moderator, text: str, where: Ref, vector: Vector | None = None) -> str:
    post = Post(text=text, author=OURSELVES, channel=where, at=context.now, vector=vector)
    return moderator.weigh(post)


async def _vectors(context: Context, texts: Sequence[str]) -> Sequence[Vector | None]:
    """Encode what is about to be said; without an encoder the rules alone weigh it."""
    if not texts:
        return ()
    try:
        return list(await (await context.faculties.encoder()).encode(list(texts)))
    except Unavailable:
        return [None] * len(texts)


async def answering(context: Context, asked: Asked, answer: Answer, *, more: str = "") -> Decision:
    """Say an answer to whoever asked, or that there is none, and keep what it cites."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    channel = place(context.event)
    assert channel is not None  # noqa: S101 - whoever asks does so somewhere
    say = context.answer("")
    alone = say.only is not None or channel.audience is Audience.DIRECT
    text = await told(context, answer, context.translate, aloud=not alone)
    keep = await keeping(context, asked, answer, say, context.member, alone=alone)
    buttons = await _buttons(context, keep, answer, can_ask=bool(keep.question) and asked.kept == asked.whole)
    stream = _stream(context, answer, text) if is_asked(context.event) else ""
    text = "\n\n".join(one for one in (text, more) if one)
    say = replace(say, text=text, buttons=buttons, stream=stream, answer=keep.answer)
    return await decided(context, answer, (keep, say))


def _stream(context: Context, answer: Answer, text: str) -> str:
    """Return the handle of an answer whose quotes become fewer words; empty where they stay, as the staff's own do.

    It takes seconds, which would hold up a channel, so that only what is said to one member alone gets it.
    """
    generator = context.faculties.generator
    kept = answer.abstained or any(one.is_note for one in answer.passages)
    if generator is None or kept or context.here.answers != "words" or context.language not in generator.languages:
        return ""
    return context.stream(_shortening(context, generator, answer, text))


async def _shortening(context: Context, generator: Generator, answer: Answer, text: str) -> AsyncIterator[str]:
    """Give the quotes at once, and in their place what was made of them if all of it may be said."""
    yield text
    encoder, channel = await context.faculties.encoder(), place(context.event)
    made = await reword(answer, generator, encoder, language=context.language)
    if made is None or channel is None:
        return
    fit = await _sayable(context, made, channel.ref)
    if len(fit.claims) == len(made.claims):
        yield Anew(await told(context, fit, context.translate, aloud=False))


async def told(context: Context, answer: Answer, translate: Translate, *, aloud: bool) -> str:
    """Write an answer down, or that there is none."""
    if answer.abstained:
        called = await answer_words.names(context, [one.best for one in answer.nearest[: answer_words.NEAREST]])
        return answer_words.unknown(answer, called, translate, aloud=aloud)
    called = await answer_words.names(context, answer.passages)
    return answer_words.answered(answer, called, translate)


async def keeping(
    context: Context, asked: Asked, answer: Answer, say: Say, member: Member, *, alone: bool
) -> KeepAnswer:
    """Return what keeps an answer: of who is not collected without the words of the question."""
    near = [] if answer.claims else [one.best for one in answer.nearest[: answer_words.NEAREST]]
    return KeepAnswer(
        answer=secrets.token_hex(6),
        member=member.ref,
        channel=say.to,
        thread=say.thread,
        asked=asked.message,
        question="" if await is_withheld(context, member) else asked.kept,
        alone=alone,
        confidence=answer.confidence,
        sources=tuple(dict.fromkeys(cited(one) for one in (*answer.passages, *near, *_repeated(answer)))),
        standing="abstained" if answer.abstained else "given",
    )


def _repeated(answer: Answer) -> list[Passage]:
    return [answer.repeated] if answer.repeated is not None and answer.claims else []


def cited(passage: Passage) -> Cited:
    """Return a passage as an answer cites it: by its reference, its channel, and what it reads now."""
    return Cited(source=passage.source, channel=passage.channel.id, digest=digest(passage.text).hex())


async def _buttons(context: Context, keep: KeepAnswer, answer: Answer, *, can_ask: bool) -> tuple[Button, ...]:
    """Give an answer its buttons. They carry its id, never what was asked or said.

    The staff is asked only what they would understand: `can_ask` says that the question is kept so.
    """
    translate = context.translate
    helping = () if answer.abstained else judging(keep.answer, translate)
    asks = can_ask and await staff_channel(context) is not None
    return (*helping, button(keep.answer, translate)) if asks else helping


def judging(answer: str, translate: Translate) -> tuple[Button, ...]:
    """Return the buttons by which members say what they think of an answer."""
    data = {"answer": answer}
    return (
        Button(label=translate(_("Helpful")), press=f"{NAME}.helpful", data=data),
        Button(label=translate(_("Not this")), press=f"{NAME}.not_this", data=data),
    )


def button(answer: str, translate: Translate) -> Button:
    """Return the button that asks the staff."""
    return Button(label=translate(_("Ask staff")), press=f"{NAME}.staff", data={"answer": answer})


async def decided(context: Context, answer: Answer, actions: Sequence[KeepAnswer | Say]) -> Decision:
    """Propose an answer, with the evidence and whose it is; no word of either stands in the reason."""
    cited = answer.passages or [one.best for one in answer.nearest[: answer_words.NEAREST]]
    return Decision(
        skill=NAME,
        actions=tuple(actions),
        reason=_reason(context, answer),
        evidence=tuple(one.source for one in cited),
        about=await authors(context, cited),
        confidence=answer.confidence,
    )


def _reason(context: Context, answer: Answer) -> str:
    if answer.abstained:
        sentence = context.translate(
            _("an answer is {sure:.0%} likely, which is too little: only what is near is named")
        )
        return sentence.format(sure=answer.confidence)
    rooms = ", ".join(dict.fromkeys(f"#{one.channel.name}" for one in answer.passages))
    how = _("quotes what was said in {channels}; {sure:.0%} sure that it answers")
    made = _("puts what was said in {channels} into words; {sure:.0%} sure that it answers")
    return context.translate(how if answer.quoted else made).format(channels=rooms, sure=answer.confidence)


async def authors(context: Context, passages: Sequence[Passage]) -> tuple[Ref, ...]:
    """Return who wrote what an answer rests on, so that it is found when they are forgotten."""
    async with context.faculties.database.read() as connection:
        known = await members.by_numbers(connection, [one.author for one in passages if not one.is_note])
    return tuple(one.ref for one in known.values())


def quiet(context: Context, why: str) -> Decision:
    """Say nothing, for a reason that the trace keeps."""
    return Decision(skill=NAME, actions=(), reason=context.translate(why))
