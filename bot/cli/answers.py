"""`kinfolk ask`: what the community knows, on the command line; and how answers are judged and their weights fitted."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import evals, train
from bot.cli.find import warn_of_waiting
from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from uuid import UUID

    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Message, Ref
    from brains.evals.answers import AnswersEvaluation
    from brains.knowledge.answer import Answer
    from brains.knowledge.answering import Answerer
    from brains.knowledge.passages import Passage
    from brains.training.answers import Fitted
    from storage.channels import Reach

HistoryOption = Annotated[Path, typer.Option("--data", help="History in JSON lines, in which the answers stand.")]
QuestionsOption = Annotated[
    Path, typer.Option(help="Questions in JSON lines: id, split, lang, question, answerable, messages.")
]


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


SHOWN = 400
"""Characters of a line that is shown."""


def _id(one: Passage) -> str:
    from adapters.history.jsonl import imported_id

    return str(one.source) if one.is_note else imported_id(one.source)


def _link(one: Passage, known: Sequence[Ref]) -> str | None:
    from adapters.markup.addresses import address

    return one.url or None if one.is_note else address(one.source, known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A history in a home that is thrown away: what answers from it, and its messages by their points."""

    answerer: Answerer
    reach: Reach
    said: Mapping[UUID, Message]

    @property
    def numbers(self) -> dict[str, int]:
        """Return the numbers of messages by their imported ids."""
        from adapters.history.jsonl import imported_id

        return {imported_id(one.ref): one.id for one in self.said.values()}

    @property
    def points(self) -> dict[UUID, int]:
        """Return the numbers of messages by their points."""
        return {point: one.id for point, one in self.said.items()}

    @property
    def in_order(self) -> list[Message]:
        """Return the messages, oldest first."""
        return sorted(self.said.values(), key=lambda one: (one.sent_at, one.id))


@contextlib.asynccontextmanager
async def imported(app: App, settings: Settings, data: Path) -> AsyncIterator[Imported]:
    """Import a history into a home of its own; its vectors are kept in ours, so that the next run is quick."""
    from bot.importing import import_jsonl
    from bot.indexing import Index
    from brains.knowledge.answering import Answerer
    from brains.knowledge.retrieval import Retrieval
    from storage import channels, communities, messages
    from storage.db import Database
    from storage.encodings import KeepingEncoder
    from storage.vectors import open_folder

    encoder = KeepingEncoder(await app.encoder(), app.database)
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:
        home = Path(folder)
        async with Database.open(f"sqlite:///{home / 'kinfolk.db'}", home=home) as database:
            with progress("Importing") as show:
                await import_jsonl(database, app.clock, home=home, path=data, community="history", progress=show)
            vectors = open_folder(home / "vectors", encoder.fingerprint, encoder.size)
            try:
                with progress("Encoding") as show:
                    await Index(database=database, encoder=encoder, vectors=vectors).catch_up(show)
                async with database.read() as connection:
                    community = await communities.find(connection, None)
                    reach = await channels.reach(connection, community, None)
                    said = await messages.all_of(connection, reach.scope)
                retrieval = Retrieval(database=database, vectors=vectors, encoder=encoder)
                yield Imported(
                    answerer=Answerer(finder=retrieval, encoder=encoder, vectors=vectors),
                    reach=reach,
                    said=said,
                )
            finally:
                await vectors.close()


def eval_answers(
    data: HistoryOption,
    questions: QuestionsOption,
    split: Annotated[str, typer.Option(help="The split that is judged; all questions, if empty.")] = "test",
    show: Annotated[int, typer.Option(min=0, help="Questions to print with what is answered, to be read.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Judge what is answered, what is cited, and what is left unanswered, beside the best message by words or sense."""

    async def verb(settings: Settings) -> AnswersEvaluation:
        from brains.evals.answers import judge
        from brains.training.questions import read

        asked = read(questions, split=split)
        if not asked:
            raise Mistake(f"{questions} holds no question of the split {split!r}.")
        async with open_app(settings) as app, imported(app, settings, data) as history:
            with progress("Asking") as bar:
                return await judge(
                    history.answerer,
                    asked,
                    reach=history.reach,
                    numbers=history.numbers,
                    points=history.points,
                    progress=bar,
                )

    found = run(verb)
    if as_json:
        emit(found.to_json())
        return
    _show_evaluation(found, show)


def _show_evaluation(found: AnswersEvaluation, show: int) -> None:
    from rich.table import Table

    for line in found.told[:show]:
        out.print(line, markup=False)
    table = Table(title=f"answers: {found.n:,} questions, {found.seconds:.0f} s")
    table.add_column("")
    for name in found.judges:
        table.add_column(name, justify="right")
    for measure in next(iter(found.judges.values())):
        table.add_row(measure, *(f"{of[measure]:.3f}" if measure in of else "" for of in found.judges.values()))
    out.print(table)
    for name, between in found.intervals.items():
        out.print(f"{name}, 95 %: {between.low:.3f} to {between.high:.3f}")
    for line in found.notes:
        note(line)


def train_answers(
    data: HistoryOption,
    questions: QuestionsOption,
    to: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the shipped file, if nowhere is named.")
    ] = None,
    history: Annotated[int, typer.Option(min=0, help="Questions of the history itself to learn from as well.")] = 120,
    as_json: JsonOption = False,
) -> None:
    """Fit how likely a message answers, on the questions of the dev split and on a history's own."""

    async def verb(settings: Settings) -> Fitted:
        from brains.training.answers import train
        from brains.training.questions import read

        asked = read(questions, split="dev")
        async with open_app(settings) as app, imported(app, settings, data) as found:
            with progress("Looking") as bar:
                return await train(
                    found.answerer,
                    asked,
                    reach=found.reach,
                    numbers=found.numbers,
                    said=found.in_order,
                    most=history,
                    progress=bar,
                )

    from brains.knowledge.confidence import SHIPPED
    from brains.training.answers import write

    fitted = run(verb)
    file = to or SHIPPED
    write(fitted, file)
    if as_json:
        emit({"file": str(file), **fitted.figures})
        return
    out.print(f"{file}: written, with its card beside it.")
    for name, value in fitted.figures.items():
        out.print(f"{name:40} {value:.3f}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(ask)
    evals.family.command("answers")(eval_answers)
    train.family.command("answers")(train_answers)
