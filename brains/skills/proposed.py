"""What was put to the staff, once they approve it: what rests on words that were changed meanwhile is not said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import KeepAnswer, OpenDirect, Say
from bot.core.things import Ref
from brains.skills.standing import DIGEST
from storage import standing
from storage.mending import without

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bot.core.actions import Action
    from brains.skills.skill import Context


async def holding(context: Context, skill: str, proposed: Sequence[Action]) -> list[Action]:
    """Return what of a proposal still holds: an answer goes with any source of it, a digest loses lines."""
    answers = [one for one in proposed if isinstance(one, KeepAnswer)]
    async with context.faculties.database.read() as connection:
        lost = {one.answer: await standing.lost(connection, context.community, one) for one in answers}
    gone = {answer: {Ref.parse(source) for source in sources} for answer, sources in lost.items() if sources}
    said = {one.answer: one.text for one in proposed if isinstance(one, Say | OpenDirect) and one.answer in gone}
    left = {answer: without(text, gone[answer]) if skill == DIGEST else None for answer, text in said.items()}
    return [kept for one in proposed if (kept := _kept(one, gone, left)) is not None]


def _kept(action: Action, gone: Mapping[str, Collection[Ref]], left: Mapping[str, str | None]) -> Action | None:
    """Return an action without what is gone; None where nothing is left to be said."""
    match action:
        case KeepAnswer(answer=answer, sources=sources) if answer in gone:
            rest = tuple(one for one in sources if one.source not in gone[answer])
            return replace(action, sources=rest) if left.get(answer) else None
        case Say(answer=answer) | OpenDirect(answer=answer) if answer in gone:
            text = left.get(answer)
            return replace(action, text=text) if text else None
        case _:
            return action
