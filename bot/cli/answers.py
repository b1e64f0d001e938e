"""How answers are judged, timed, and their weights fitted, on a history that is imported for it."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import bench, evals, train
from bot.cli.output import JsonOption, emit, note, open_app, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from uuid import UUID

    from bot.app import App
    from bot.bench import Figures
    from bot.core.settings import Settings
    from bot.core.things import Community, Message
    from brains.evals.answers import AnswersEvaluation
    from brains.knowledge.answering import Answerer
    from brains.training.answers import Fitted
    from storage.channels import Reach

HistoryOption = Annotated[Path, typer.Option("--data", help="History in JSON lines, in which the answers stand.")]
QuestionsOption = Annotated[
    Path, typer.Option(help="Questions in JSON lines: id, split, lang, question, answerable, messages.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A history in a home that is thrown away: what answers from it, and its messages by their points."""

    answerer: Answerer
    reach: Reach
    community: Community
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
async def asking(settings: Settings, data: Path) -> AsyncIterator[tuple[App, Imported, Callable[[int, int], None]]]:
    """Open the app and a history that is asked, with what shows how far that is."""
    async with open_app(settings) as app, imported(app, data) as history:
        with progress("Asking") as show:
            yield app, history, show


@contextlib.asynccontextmanager
async def imported(app: App, data: Path) -> AsyncIterator[Imported]:
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
                    community=community,
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
        async with asking(settings, data) as (_app, history, bar):
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
    history: Annotated[int, typer.Option(min=0, help="Questions of the history itself to learn from as well.")] = 150,
    as_json: JsonOption = False,
) -> None:
    """Fit how likely a message answers, on the questions of the dev split and on a history's own."""

    async def verb(settings: Settings) -> Fitted:
        from brains.training.answers import train
        from brains.training.questions import read

        asked = read(questions)
        async with asking(settings, data) as (_app, found, show):
            return await train(
                found.answerer,
                asked,
                reach=found.reach,
                numbers=found.numbers,
                said=found.in_order,
                most=history,
                progress=show,
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


def bench_answers(
    data: HistoryOption,
    questions: Annotated[
        Path | None, typer.Option(help="Questions in JSON lines, as for eval answers; else the history's own.")
    ] = None,
    count: Annotated[int, typer.Option(min=40, help="How many of them are asked.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """Time answers, alone and ten at once, and count those that the generator puts into fewer words."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.answers import Asking, drawn
        from bot.bench.answers import bench_answers as measure
        from brains.training.questions import of_history, read

        given = [one.text for one in read(questions)] if questions else []
        async with asking(settings, data) as (app, found, show):
            own = [] if given else [case.text for case in of_history(found.in_order, most=count) if case.answers]
            asked = Asking(answerer=found.answerer, community=found.community, reach=found.reach)
            return await measure(asked, own or drawn(given, count), generator=await app.generator(), progress=show)

    figures = run(verb)
    if as_json:
        emit(figures.to_json())
        return
    for name, value in figures.figures.items():
        out.print(f"{name:45} {value:>12,.3f}", markup=False)


def register(_app: typer.Typer) -> None:
    """Add the verbs to their families."""
    evals.family.command("answers")(eval_answers)
    train.family.command("answers")(train_answers)
    bench.family.command("answers")(bench_answers)
