"""An answer of the bot's in a test: said by a skill, with its quotes, and kept with what it cites."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from bot.core.actions import Button
from bot.core.decisions import Decision
from bot.core.events import CommandGiven, MessagePosted
from bot.core.things import Audience, Ref
from brains.skills.skill import Context, Skill
from storage import channels, members
from storage.notes import digest
from storage.rows import columns, insert_new
from storage.tables import AnswerRow, AnswerSourceRow, MessageRow, NoteRow
from tests.recording import SmallBot

WORDS: dict[str, str] = {}
"""What the skill says when it is asked so: whoever asks does not say the words themselves."""
HELPFUL = Button(label="Helpful", press="quotes.helpful")


async def _quote(context: Context) -> Decision | None:
    match context.event:
        case MessagePosted(text=text, mentioned=True) | CommandGiven(line=text):
            say = context.answer(WORDS[text], buttons=(HELPFUL,))
            return Decision(skill="quotes", actions=(say,), reason="asked")
        case _:
            return None


QUOTES = Skill(
    name="quotes",
    purpose="says what it is told to",
    propose=_quote,
    spoken_to=(MessagePosted,),
    hears=(MessagePosted,),
    commands=("help",),
)
"""Says an answer in `WORDS`, on the common path."""


async def given(
    bot: SmallBot, event: MessagePosted | CommandGiven, cites: Sequence[str], *, alone: bool, standing: str = "given"
) -> str:
    """Let the bot answer an event, citing messages by their references or notes; returns the answer's id."""
    trace = await bot.happens(event)
    assert trace is not None
    [receipt] = trace.receipts
    assert receipt.made is not None
    who = event.author.ref if isinstance(event, MessagePosted) else event.member.ref
    where = event.channel.ref
    await keep(
        bot,
        number=trace.id,
        who=who,
        where=where,
        made=receipt.made,
        cites=cites,
        alone=alone,
        standing=standing,
    )
    return trace.id


async def keep(
    bot: SmallBot,
    *,
    number: str,
    who: Ref,
    where: Ref,
    made: Ref,
    cites: Sequence[str],
    alone: bool,
    standing: str = "given",
) -> None:
    """Keep what an answer cites, as it reads now."""

    async def work(connection) -> None:
        asker = await members.by_ref(connection, bot.community, who)
        assert asker is not None
        row = {
            "id": number,
            "community_id": bot.community.id,
            "member_id": asker.id,
            "channel": str(where),
            "thread": "",
            "asked": "",
            "question": "who has the key?",
            "trace_id": number,
            "made": str(made),
            "card": "",
            "alone": alone,
            "confidence": 0.9,
            "standing": standing,
            "at": bot.clock.now(),
        }
        await insert_new(connection, AnswerRow, [row])
        cited = [await _cited(connection, number, one) for one in cites]
        await insert_new(connection, AnswerSourceRow, cited)

    await bot.database.write(work)


async def _cited(connection, answer: str, source: str) -> dict[str, object]:
    model, key = (NoteRow, NoteRow.id) if source.startswith("note:") else (MessageRow, MessageRow.ref)
    wanted = int(source.removeprefix("note:")) if source.startswith("note:") else source
    rows = await connection.execute(select(*columns(model, "text", "channel_id")).where(key == wanted))
    row = rows.one()
    return {"answer_id": answer, "source": source, "channel_id": row.channel_id, "digest": digest(row.text)}


async def turned(bot: SmallBot, channel: Ref, audience: Audience) -> None:
    """Let a channel be open to others than before."""

    async def work(connection) -> None:
        found = await channels.by_ref(connection, bot.community, channel)
        assert found is not None
        await channels.describe(connection, found.id, description="", audience=audience)

    await bot.database.write(work)
