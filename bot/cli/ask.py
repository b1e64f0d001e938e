"""`kinfolk ask`: what the community knows, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.find import warn_of_waiting
from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.settings import Settings
    from bot.core.things import Ref
    from brains.knowledge.answer import Answer
    from brains.knowledge.passages import Passage

SHOWN = 400
"""Characters of a line that is shown."""


def ask(
    question: Annotated[str, typer.Argument(help="What to ask.")],
    reader: Annotated[str | None, typer.Option("--as", help="A member; without one, what everyone may read.")] = None,
    before: Annotated[list[str] | None, typer.Option(help="An earlier question that this one follows up.")] = None,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question in the community's own words, with where they stand; or say that nothing does."""
    run(lambda settings: _ask(settings, question, reader, before or [], name=community, as_json=as_json))


async def _ask(
    settings: Settings, question: str, reader: str | None, before: Sequence[str], *, name: str | None, as_json: bool
) -> None:
    from storage import channels, members, spaces

    if not question.strip():
        raise Mistake("The question is empty. Say what to ask.")
    async with open_app(settings) as app:
        community = await app.community(name)
        await warn_of_waiting(app, community)
        async with app.database.read() as connection:
            member = await members.find(connection, community, reader) if reader else None
            reach = await channels.reach(connection, community, member)
            known = [one.ref for one in await spaces.of(connection, community)]
        answerer = await app.answerer()
        answer = await answerer.answer(community, question, reach=reach, language=settings.language, before=before)
    if as_json:
        emit(_to_json(answer, known))
    else:
        _show(answer, known)


def _to_json(answer: Answer, known: Sequence[Ref]) -> dict[str, object]:
    return {
        "answer": " ".join(claim.text for claim in answer.claims) or None,
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 4),
        "citations": [
            {"message": _id(one), "text": claim.text, "link": _link(one, known)}
            for claim in answer.claims
            for one in claim.passages
        ],
        "nearest": [
            {"message": _id(one.best), "text": one.best.text, "link": _link(one.best, known)} for one in answer.nearest
        ],
    }


def _show(answer: Answer, known: Sequence[Ref]) -> None:
    if answer.abstained:
        out.print(f"I do not know ({answer.confidence:.0%} sure).")
        if answer.nearest:
            out.print("The nearest that was said:")
        for one in answer.nearest:
            _show_line(one.best, one.best.text, known)
        return
    for claim in answer.claims:
        _show_line(claim.passages[0], claim.text, known)
    out.print(f"{answer.confidence:.0%} sure.", style="dim")
    if answer.repeated is not None:
        out.print(f"Asked before: [{_id(answer.repeated)}]", style="dim", markup=False)


def _show_line(one: Passage, text: str, known: Sequence[Ref]) -> None:
    line = " ".join(text.split())
    out.print(f"  {line if len(line) <= SHOWN else line[: SHOWN - 1] + '…'}", markup=False)
    where = one.heading or f"#{one.channel.name}"
    link = _link(one, known)
    out.print(f"    {where} {one.at.date().isoformat()} [{_id(one)}] {link or ''}".rstrip(), style="dim", markup=False)


def _id(one: Passage) -> str:
    from adapters.history.jsonl import imported_id

    return str(one.source) if one.is_note else imported_id(one.source)


def _link(one: Passage, known: Sequence[Ref]) -> str | None:
    from adapters.markup.addresses import address

    return one.url or None if one.is_note else address(one.source, known)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(ask)
