"""The FAQ in the staff's hands: kept by hand, proposed from what is asked often, bettered, corrected, taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bot.core.actions import AskStaff, Cited, Edit, KeepAnswer, KeepNote, Say
from bot.core.decisions import Decision, Receipt
from bot.core.events import MessageDeleted, MessageEdited
from bot.core.things import Audience, Rank, Ref
from brains.knowledge.answer import Answer, Claim
from brains.knowledge.passages import Passage
from brains.knowledge.repeated import repeated
from brains.skills import draft, staff
from brains.skills.skill import Skill
from storage import answers, channels, messages, notes
from storage.digests import digest
from tests.recording import ANA, GENERAL, PLATFORM, STAFF, WEI, SmallBot, small_bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bot.core.events import MessagePosted, Named
    from bot.core.things import Community
    from brains.skills.skill import Context
    from storage.channels import Reach

MARA = replace(ANA, ref=Ref(PLATFORM, "mara"), name="Mara", rank=Rank.STAFF)
OPEN = replace(GENERAL, audience=Audience.EVERYONE)
QUESTION = "How do I open the workshop door?"


class Known:
    """Answers by what a member said, where there is something."""

    def __init__(self) -> None:
        self.bot: SmallBot | None = None
        self.by: Ref | None = None

    async def answer(
        self, community: Community, question: str, *, reach: Reach, language: str, before: Sequence[str] = ()
    ) -> Answer:
        claims = []
        if self.by is not None:
            assert self.bot is not None
            async with self.bot.database.read() as connection:
                said = await messages.by_ref(connection, reach.scope, self.by)
            assert said is not None
            passage = Passage(
                source=said.ref,
                number=said.id,
                channel=reach.channels[said.channel],
                author=said.author,
                text=said.text,
                at=said.sent_at,
            )
            claims = [Claim(text=said.text, passages=[passage])]
        return Answer(question=question, claims=claims, nearest=[], confidence=0.9)


async def _answers(context: Context) -> Decision | None:
    """Answer every question as the skill of that name does, in two words."""
    if getattr(context.event, "command", "") != "ask":
        return None
    keep = KeepAnswer(answer="a1", member=ANA.ref, channel=GENERAL.ref, question=context.command.arguments["question"])
    said = replace(context.answer("Ring twice."), only=None, answer="a1")
    return Decision(skill="answer", actions=(keep, said), reason="asked")


ASK = Skill(name="answer", purpose="Answers", propose=_answers, commands=("ask",))


@pytest.fixture
async def known() -> Known:
    return Known()


@pytest.fixture
async def bot(home: Path, known: Known) -> AsyncIterator[SmallBot]:
    async def answerer() -> Known:
        return known

    async with small_bot(home, skills=[draft.SKILL, staff.SKILL, ASK], answerer=answerer) as opened:
        known.bot = opened
        await opened.tune("staff_channel", str(STAFF.ref))
        await opened.follow(says(opened, "hello"), says(opened, "hi", by=MARA, channel=STAFF))
        yield opened


def says(bot: SmallBot, text: str, *, by: Named = ANA, channel: Named = OPEN, **more) -> MessagePosted:
    return replace(bot.posted(text, by=by, **more), channel=channel)


async def entries(bot: SmallBot) -> list[tuple[str, str]]:
    async with bot.database.read() as connection:
        scope = await channels.readable(connection, bot.community, None)
        return [(one.heading, one.text) for one in await notes.entries(connection, scope)]


async def does(bot: SmallBot, **given: str) -> str:
    """Give /draft as Mara in the open channel, and return what she is told."""
    before = len(bot.plaza.said)
    await bot.happens(replace(bot.command("draft", by=MARA, rank=Rank.STAFF, **given), channel=OPEN))
    return "\n".join(bot.plaza.said[before:])


async def test_an_entry_is_kept_by_hand_listed_and_taken_away(bot: SmallBot) -> None:
    assert "Kept" in await does(bot, action="faq", question="When is it open?", answer="From 9.")
    listed = await does(bot, action="list")
    assert "When is it open?: From 9." in listed
    number = listed.split("**")[1]
    assert "There is no entry" in await does(bot, action="remove", question="99")
    assert "Removed" in await does(bot, action="remove", question=number)
    assert await entries(bot) == []
    assert "no entries yet" in await does(bot, action="list")
    assert "An entry is a question and its answer" in await does(bot, action="faq", question="When?")
    await bot.happens(replace(bot.command("draft", by=WEI, action="faq", question="When?", answer="x"), channel=OPEN))
    assert await entries(bot) == [], "members keep nothing"


async def test_in_a_closed_channel_staff_say_who_may_read_an_entry(bot: SmallBot) -> None:
    closed = replace(STAFF, audience=Audience.MEMBERS)
    for given, told in ({}, "Say who may read"), ({"channel": str(GENERAL.ref)}, "Kept"):
        more = {"action": "faq", "question": "When?", "answer": "At 9.", **given}
        await bot.happens(replace(bot.command("draft", by=MARA, rank=Rank.STAFF, **more), channel=closed))
        assert told in bot.plaza.said[-1]
    assert await entries(bot) == [("When?", "At 9.")]


def asked(bot: SmallBot) -> list[MessagePosted]:
    return [
        says(bot, QUESTION),
        says(bot, QUESTION.lower(), by=WEI),
        says(bot, QUESTION + " Please?"),
        says(bot, "Is anybody at the harbour tonight?", by=WEI),
    ]


async def test_what_is_asked_often_is_proposed_once_and_kept_when_it_is_approved(bot: SmallBot, known: Known) -> None:
    assert "no question was asked three times" in await does(bot, action="faq")
    said = says(bot, "Ring the left bell twice.", by=WEI)
    questions = asked(bot)
    await bot.follow(*questions, said)
    assert "1 questions are asked often, and I found no answer" in await does(bot, action="faq")
    known.by = said.message
    assert "1 entries are proposed" in await does(bot, action="faq")
    [card] = [one for one in bot.plaza.done if isinstance(one, AskStaff)]
    assert "asked 3 times by 2 members" in card.text
    assert "Ring the left bell twice." not in card.text, "it would stay there when its author takes it back"
    assert str(said.message) in card.text
    [keep] = card.proposed
    assert isinstance(keep, KeepNote)
    assert keep.sources == (keep.sources[0], said.message)
    assert keep.sources[0] in {one.message for one in questions}
    approve = next(one for one in card.buttons if one.press == "staff.approve")
    await bot.happens(bot.press(approve.token, by=MARA, rank=Rank.STAFF))
    [(question, text)] = await entries(bot)
    assert (question.casefold()[:32], text) == (QUESTION.casefold(), "Ring the left bell twice.")
    assert "no question was asked three times" in await does(bot, action="faq"), "it is an entry already"


async def test_what_was_changed_since_it_was_proposed_is_not_kept_in_its_old_words(bot: SmallBot, known: Known) -> None:
    said = says(bot, "Ring the left bell twice.", by=WEI)
    await bot.follow(*asked(bot), said)
    known.by = said.message
    await does(bot, action="faq")
    [card] = [one for one in bot.plaza.done if isinstance(one, AskStaff)]
    edited = MessageEdited(
        message=said.message, channel=OPEN, author=WEI, text="Never mind.", at=bot.clock.now(), revision=1
    )
    await bot.follow(edited)
    approve = next(one for one in card.buttons if one.press == "staff.approve")
    await bot.happens(bot.press(approve.token, by=MARA, rank=Rank.STAFF))
    async with bot.database.read() as connection:
        assert await notes.waiting(connection, bot.community) == []
    assert await entries(bot) == []


async def test_staff_better_a_proposed_entry_by_replying_to_its_card(bot: SmallBot, known: Known) -> None:
    said = says(bot, "Ring the left bell twice.", by=WEI)
    await bot.follow(*asked(bot), said)
    known.by = said.message
    await does(bot, action="faq")
    card = next(act for act in await bot.acts(bot.told[-1]) if isinstance(act.action, AskStaff))
    reply = {"channel": STAFF, "mentioned": True, "reply_to": card.receipt.made}
    await bot.happens(says(bot, "No, the right one.", by=WEI, **reply))
    assert await entries(bot) == []
    await bot.happens(says(bot, "Ring the right bell once.", by=MARA, **reply))
    assert [text for _question, text in await entries(bot)] == ["Ring the right bell once."]
    closed = [one for one in bot.plaza.done if isinstance(one, Edit)]
    assert "kept in the words of Mara" in closed[-1].text
    await bot.happens(bot.command("undo", by=MARA, rank=Rank.STAFF))


@pytest.mark.parametrize("word", ["Correction:", "更正："])
async def test_staff_correct_an_answer_once_and_it_stays_corrected(bot: SmallBot, word: str) -> None:
    await bot.happens(replace(bot.command("ask", question=QUESTION)))
    [answer] = [act for act in await bot.acts(bot.told[-1]) if isinstance(act.action, Say)]
    reply = {"mentioned": True, "reply_to": answer.receipt.made}
    await bot.happens(says(bot, f"{word} ring once", by=WEI, **reply))
    assert "只有管理员可以更正" in bot.plaza.said[-1]
    assert await entries(bot) == []
    await bot.happens(says(bot, f"@kinfolk {word} Ring once, on the left.", by=MARA, **reply))
    assert await entries(bot) == [(QUESTION, "Ring once, on the left.")]
    [edit] = [one for one in bot.plaza.done if isinstance(one, Edit)]
    assert (edit.message, "Ring once, on the left." in edit.text) == (answer.receipt.made, True)
    thanked = await bot.happens(says(bot, "Thanks!", by=MARA, **reply))
    assert thanked is not None
    assert thanked.verdict.decisions == ()


async def test_a_correction_that_is_undone_brings_back_an_entry_that_goes_with_its_sources(
    bot: SmallBot, known: Known
) -> None:
    said = says(bot, "Ring the left bell twice.", by=WEI)
    await bot.follow(*asked(bot), said)
    known.by = said.message
    await does(bot, action="faq")
    [card] = [one for one in bot.plaza.done if isinstance(one, AskStaff)]
    approve = next(one for one in card.buttons if one.press == "staff.approve")
    await bot.happens(bot.press(approve.token, by=MARA, rank=Rank.STAFF))
    async with bot.database.read() as connection:
        [entry] = await notes.entries(connection, await channels.readable(connection, bot.community, None))
    await bot.happens(replace(bot.command("ask", question=QUESTION)))
    [answer] = [act for act in await bot.acts(bot.told[-1]) if isinstance(act.action, Say)]
    cited = Cited(source=entry.source, channel=entry.channel, digest=digest(entry.text).hex())
    await bot.database.write(lambda connection: answers.cite(connection, "a1", [cited]))
    reply = {"mentioned": True, "reply_to": answer.receipt.made}
    corrected = await bot.happens(says(bot, "Correction: Ring once.", by=MARA, **reply))
    assert corrected is not None
    assert [text for _question, text in await entries(bot)] == ["Ring once."]
    await bot.happens(bot.command("undo", by=MARA, rank=Rank.STAFF, message=corrected.id))
    assert [text for _question, text in await entries(bot)] == ["Ring the left bell twice."]
    await bot.follow(MessageDeleted(message=said.message, channel=OPEN, at=bot.clock.now()))
    assert await entries(bot) == [], "it rests on what is not there any more"


async def test_an_answer_whose_message_cannot_be_corrected_goes_on_following_what_it_cites(bot: SmallBot) -> None:
    await bot.happens(replace(bot.command("ask", question=QUESTION)))
    [answer] = [act for act in await bot.acts(bot.told[-1]) if isinstance(act.action, Say)]
    bot.plaza.script.append(Receipt(state="failed", error="it is too old"))
    reply = {"mentioned": True, "reply_to": answer.receipt.made}
    await bot.happens(says(bot, "Correction: Ring once.", by=MARA, **reply))
    async with bot.database.read() as connection:
        kept = await answers.by_id(connection, bot.community, "a1")
    assert kept is not None
    assert kept.standing != "corrected", "its old words still stand"
    assert await entries(bot) == [(QUESTION, "Ring once.")]


def test_questions_count_as_repeated_when_enough_members_asked_them() -> None:
    same, other = np.eye(4, dtype=np.float32)[0], np.eye(4, dtype=np.float32)[1]
    vectors = np.stack([same, other, same, same, other])
    assert repeated(vectors, [1, 1, 2, 1, 2]) == [[0, 2, 3]]
    assert repeated(vectors, [1, 1, 1, 1, 2]) == []
    assert repeated(vectors, [1, 1, 2, 1, 2], times=2) == [[0, 2, 3], [1, 4]]
    assert repeated(np.zeros((0, 4), np.float32), []) == []
