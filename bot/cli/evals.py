"""`kinfolk eval`: how good the answers are, beside baselines in the same run."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.digest_evals import digests
from bot.cli.output import JsonOption, emit, encoding, note, out, run
from bot.cli.recommend import exposure, recommender
from bot.cli.safety import safety
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from bot.core.settings import Settings
    from brains.evals.evaluation import Evaluation
    from brains.evals.learning import LearningEvaluation
    from brains.evals.memory import MemoryEvaluation
    from brains.evals.moderation_report import Report, Section

DataOption = Annotated[Path, typer.Option(help="The data; docs/benchmarks.md says in which format.")]


class Target(StrEnum):
    """What the labels of a file mean."""

    TOXICITY = "toxicity"
    SPAM = "spam"


class Part(StrEnum):
    """Which half of some pairs is judged."""

    TUNE = "tune"
    TEST = "test"
    ALL = "all"


family = typer.Typer(name="eval", help="Measure how good the answers are.", no_args_is_help=True)
family.command()(safety)


@family.command()
def groups(
    data: DataOption,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only half-years that begin from this day on.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge whether a channel that was hidden in another one is proposed as a group of its own."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.groups import groups as judge

        async with encoding(settings) as (_app, encoder, show):
            first = since.replace(tzinfo=UTC) if since else None
            return await judge(data, encoder=encoder, since=first, progress=show)

    _show(run(verb), as_json=as_json)


@family.command()
def match_text(
    data: DataOption,
    zero_shot: Annotated[bool, typer.Option("--zero-shot", help="From the descriptions alone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge in which channel a text belongs."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.match_text import match_text as judge

        async with encoding(settings) as (_app, encoder, show):
            return await judge(data, encoder=encoder, zero_shot=zero_shot, progress=show)

    _show(run(verb), as_json=as_json)


@family.command()
def retrieval(
    data: DataOption,
    queries: Annotated[
        Path | None, typer.Option(help="Another folder, whose questions are put to these documents.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge whether what answers a question is found."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.retrieval import retrieval as judge

        async with encoding(settings) as (_app, encoder, show):
            return await judge(data, encoder=encoder, queries=queries, progress=show)

    _show(run(verb), as_json=as_json)


@family.command()
def discussed(
    data: Annotated[Path, typer.Option(help="History in JSON lines whose texts link to topics.")],
    part: Annotated[
        Part, typer.Option(help="Which half of the pairs: settings were chosen on `tune` alone.")
    ] = Part.TEST,
    as_json: JsonOption = False,
) -> None:
    """Judge whether the older topic is found that a new one links to."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.discussed import discussed as judge

        async with encoding(settings) as (_app, encoder, show):
            return await judge(data, encoder=encoder, part=part.value, progress=show)

    _show(run(verb), as_json=as_json)


@family.command()
def threads(
    data: Annotated[
        Path,
        typer.Option(
            help="JSON lines, gzip allowed: logs of rows `split, file, lines, links` with [a, b] for line b answering "
            "line a, or dialogues of rows `ts, room, conv, user, text`."
        ),
    ],
    split: Annotated[str, typer.Option(help="Which files of the logs to judge.")] = "test",
    as_json: JsonOption = False,
) -> None:
    """Judge whether conversations that run through each other in one channel are told apart."""

    async def verb(_settings: Settings) -> Evaluation:
        import asyncio

        from brains.evals.threads import threads as judge
        from brains.knowledge.untangle import load

        return await asyncio.to_thread(judge, data, split=split, untangler=load(), tell=note)

    _show(run(verb), as_json=as_json)


@family.command()
def spikes(
    data: Annotated[Path, typer.Option(help="Rows of `user, channel, ts` (or `room`), gzip allowed.")],
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="From which day on: figures were chosen before it.")
    ],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to this day.")] = None,
    count: Annotated[
        int, typer.Option(min=10, help="At how many instants spikes are put in, each in every size.")
    ] = 200,
    as_json: JsonOption = False,
) -> None:
    """Judge whether spikes are found that are put into real times, how soon, and how many alarms are false."""

    async def verb(_settings: Settings) -> Evaluation:
        import asyncio

        from brains.evals.spikes import judge

        begin, end = (one.replace(tzinfo=UTC).timestamp() if one else float("inf") for one in (since, until))
        return await asyncio.to_thread(judge, data, begin=begin, end=end, count=count)

    found = run(verb)
    if as_json:
        emit(found.to_json())
    else:
        out.print(_table(_head(found), {"kinfolk": found.ours, **found.baselines}))
        for line in found.notes:
            note(line)


@family.command()
def sentiment(
    data: Annotated[Path, typer.Option(help="Rows `text, label`, and maybe `split` and `lang`; gzip allowed.")],
    lang: Annotated[str | None, typer.Option(help="Only rows of this `lang`.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge whether messages are told negative, neutral and positive."""

    async def verb(settings: Settings) -> Evaluation:
        from brains.evals.sentiment import sentiment as judge

        async with encoding(settings) as (_app, encoder, show):
            return await judge(data, encoder=encoder, language=lang, progress=show)

    _show(run(verb), as_json=as_json)


@family.command()
def memory(data: DataOption, as_json: JsonOption = False) -> None:
    """Judge whether what resembles confirmed spam is recognised, disguised or not, and ordinary chat left alone."""

    async def verb(settings: Settings) -> MemoryEvaluation:
        from brains.evals.memory import judge

        async with encoding(settings) as (_app, encoder, show):
            return await judge(data, encoder=encoder, progress=show)

    found = run(verb)
    if as_json:
        emit(found.to_json())
    else:
        _show_memory(found)


@family.command()
def learning(data: DataOption, as_json: JsonOption = False) -> None:
    """Judge what a community's first verdicts are worth, in random order and uncertain ones first."""

    async def verb(settings: Settings) -> LearningEvaluation:
        from brains.evals.learning import judge

        async with encoding(settings) as (app, encoder, show):
            heads = (await app.moderators()).heads()
            if heads is None:
                raise Mistake("There are no heads to correct. Make them: kinfolk train heads")
            return await judge(data, encoder=encoder, heads=heads, progress=show)

    found = run(verb)
    if as_json:
        emit(found.to_json())
    else:
        _show_learning(found)


def _show_learning(found: LearningEvaluation) -> None:
    from rich.table import Table

    table = Table(title=f"learning: {found.n:,} test messages, {found.seconds:.0f} s")
    for column in ("", "order", "verdicts", "error", "95 %", "recall at flag", "false alarms at flag", "promoted"):
        table.add_column(column)
    for name, before in found.before.items():
        table.add_row(name, "", "0", *(f"{before[one]:.3f}" for one in ("error",)), "", *_flags(before), "")
        for order, steps in found.after[name].items():
            for count, one in steps.items():
                between = f"{one['error low']:.3f}-{one['error high']:.3f}"
                table.add_row("", order, count, f"{one['error']:.3f}", between, *_flags(one), f"{one['promoted']:.0%}")
    out.print(table)
    for line in found.notes:
        note(line)


def _flags(one: Mapping[str, float]) -> tuple[str, str]:
    return f"{one['recall at flag']:.3f}", f"{one['false alarms at flag']:.4f}"


def _show_memory(found: MemoryEvaluation) -> None:
    from rich.table import Table

    sets = [name for name in next(iter(found.recall["ours"].values())) if " " not in name]
    table = Table(title=f"memory: {found.n:,} later messages of campaigns, {found.seconds:.0f} s")
    for column in ("", "as", *sets, *(f"false alarms/1,000 {chat}" for chat in found.alarms["ours"])):
        table.add_column(column)
    for method, ways in found.recall.items():
        for how, shares in ways.items():
            told = [f"{shares[one]:.3f} ({shares[f'{one} low']:.3f}-{shares[f'{one} high']:.3f})" for one in sets]
            alarms = [f"{one:.2f}" if how == "as written" else "" for one in found.alarms[method].values()]
            table.add_row(method if how == "as written" else "", how, *told, *alarms)
    out.print(table)
    for line in found.notes:
        note(line)


@family.command()
def moderation(
    data: Annotated[Path, typer.Option(help="A folder of public data, or a file of rows `split, label, text`.")],
    target: Annotated[Target | None, typer.Option(help="What the labels of a file mean.")] = None,
    only: Annotated[str, typer.Option(help="Sections of the folder to judge, with commas between.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Judge what the heads find and what they spare, beside rivals."""

    async def verb(settings: Settings) -> Report:
        from brains.evals.moderation import moderation as judge
        from brains.evals.moderation import moderation_file

        if data.is_file() and target is None:
            raise Mistake("Say what the labels of the file mean: --target toxicity or --target spam.")
        async with encoding(settings) as (_app, encoder, show):
            if target is not None:
                return await moderation_file(data, target.value, encoder=encoder, progress=show)
            parts = [part.strip() for part in only.split(",") if part.strip()]
            return await judge(data, encoder=encoder, only=parts, progress=show, tell=note)

    report = run(verb)
    if as_json:
        emit(report.to_json())
        return
    for section in report.sections:
        _show_section(section)


def _show_section(section: Section) -> None:
    title = f"{section.name}: {section.n:,} cases, {section.seconds:.0f} s"
    out.print(_table(title, section.judges, digits=4))
    for name, interval in section.intervals.items():
        out.print(f"{name}, 95 %: {interval.low:.3f} to {interval.high:.3f}")
    for line in section.notes:
        out.print(line)


def _head(found: Evaluation) -> str:
    return f"{found.task}: {found.n:,} cases, {found.seconds:.0f} s"


def _table(title: str, judges: Mapping[str, Mapping[str, float]], *, digits: int = 3) -> Table:
    """Make a table of a measure a line: there are more of them than a terminal has room for columns."""
    from rich.table import Table

    measures = dict.fromkeys(name for figures in judges.values() for name in figures)
    table = Table(title=title)
    table.add_column("")
    for judge in judges:
        table.add_column(judge, justify="right", overflow="fold")
    for measure in measures:
        cells = (figures.get(measure) for figures in judges.values())
        table.add_row(measure, *("" if one is None else f"{one:.{digits}f}" for one in cells))
    return table


def _show(evaluation: Evaluation, *, as_json: bool) -> None:
    if as_json:
        emit(evaluation.to_json())
        return
    out.print(_table(_head(evaluation), {"kinfolk": evaluation.ours, **evaluation.baselines}))
    beside = evaluation.comparison
    low, high = beside.interval.low, beside.interval.high
    out.print(f"{beside.metric} beside {beside.baseline}: {beside.difference:+.3f} (95 %: {low:+.3f} to {high:+.3f})")
    for line in evaluation.notes:
        note(line)


family.command()(recommender(_show))
family.command()(exposure)
family.command()(digests(_show))


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
