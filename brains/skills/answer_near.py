"""Which conversations are near enough to a question to be named, where nothing answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brains.knowledge.terms import terms
from storage import answers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.core.things import Member, Ref
    from brains.knowledge.passages import Conversation
    from brains.skills.skill import Context

WORDED, WORDLESS = 0.86, 0.93
"""The least score of a conversation that shares a term with the question, and of one that shares none.

Scores are in units of a cosine, and this encoder's lie between .7 and 1. Of twenty questions in English and Chinese to
the sample town, those on nothing that was said there reached .87 at most where they shared a term, .92 where not."""


async def nearest(
    context: Context, question: str, found: Sequence[Conversation], asker: Member | None
) -> tuple[Conversation, ...]:
    """Leave out what is far, and what was only asked: by the same member, or of the bot, and replied to by nobody."""
    async with context.faculties.database.read() as connection:
        asked = await answers.of_messages(connection, context.community, [one.best.source for one in found])
    return near(question, found, asked=asked, asker=asker.id if asker else 0)


def near(
    question: str, found: Sequence[Conversation], *, asked: Collection[Ref] = (), asker: int = 0
) -> tuple[Conversation, ...]:
    """Return the conversations that may help who asks; `asked` are messages that asked the bot, `asker` a number."""
    wanted = set(terms(question))
    return tuple(
        one
        for one in found
        if (one.answered or (one.best.source not in asked and (not asker or one.best.author != asker)))
        and one.score >= (WORDED if wanted & _terms(one) else WORDLESS)
    )


def _terms(one: Conversation) -> set[str]:
    said = [*one.found, *one.passages]
    return {term for passage in said for text in (passage.text, passage.heading) for term in terms(text)}
