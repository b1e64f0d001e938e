"""`kinfolk train`: fit what is shipped, or what a community's own machine learns, from data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import CommunityOption, JsonOption, emit, encoding, note, open_app, out, run
from bot.cli.train_encoder import encoder
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.core.settings import Settings
    from brains.training.run import Outcome
    from brains.training.sentiment_run import Outcome as Sentiment
    from brains.training.untangle_run import Outcome as Untangled

family = typer.Typer(name="train", help="Learn from data.", no_args_is_help=True)
family.command()(encoder)


@family.command()
def heads(
    data: Annotated[
        Path, typer.Option(help="The folder with moderation/ and gitter_livechat/; see docs/benchmarks.md.")
    ],
    to: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the shipped file, if nowhere is named.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data and seed give the same file.")] = 7,
    force: Annotated[
        bool, typer.Option("--force", help="Write even above the fairness bar; the card says so.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit the moderation heads and write them with their card."""

    async def verb(settings: Settings) -> Outcome:
        from datetime import UTC, datetime

        from brains.moderation.heads import SHIPPED
        from brains.training.run import train_heads

        async with encoding(settings) as (_app, encoder, show):
            return await train_heads(
                data,
                to or SHIPPED.parent,
                encoder=encoder,
                date=datetime.now(UTC).date().isoformat(),
                seed=seed,
                force=force,
                progress=show,
                tell=lambda head: note(f"Fitting {head}"),
            )

    _show(run(verb), as_json=as_json)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    from dataclasses import asdict

    above = [line.group for line in outcome.fairness if line.above]
    if as_json:
        emit(
            {
                "file": str(outcome.file),
                "card": str(outcome.card),
                "examples": outcome.examples,
                "figures": [asdict(one) for one in outcome.figures],
                "ordinary": {name: {"vector": rates[0], "alone": rates[1]} for name, rates in outcome.ordinary.items()},
                "above_the_bar": above,
            }
        )
        return
    flagged, alone = outcome.ordinary["any"]
    out.print(
        f"{outcome.file}: five heads from {outcome.examples:,} examples; {outcome.card} says what they are worth."
    )
    out.print(f"Ordinary chat flagged by any: {flagged:.3%} with the vector, {alone:.3%} without.")
    out.print(f"Fairness bar: {'crossed by ' + ', '.join(above) if above else 'kept'}.")


@family.command()
def threads(
    data: Annotated[
        Path, typer.Option(help="Logs with reply links, rows `split, file, lines, links`; splits train and dev.")
    ],
    to: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the shipped file, if nowhere is named.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data and seed give the same file.")] = 7,
    quieter: Annotated[
        bool, typer.Option("--quieter", help="Teach it the same logs thinned too, as of quieter channels.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit what tells conversations in one channel apart, and write it with its card."""

    async def verb(_settings: Settings) -> Untangled:
        from datetime import UTC, datetime

        from brains.knowledge.untangle import SHIPPED
        from brains.training.untangle_run import train_threads

        date = datetime.now(UTC).date().isoformat()
        return await train_threads(data, to or SHIPPED.parent, date=date, seed=seed, quieter=quieter, tell=note)

    outcome = run(verb)
    shares = {"development": round(outcome.development, 4), "thinned": round(outcome.thinned, 4)}
    if as_json:
        emit({"file": str(outcome.file), "card": str(outcome.card), "examples": outcome.examples, **shares})
        return
    out.print(f"{outcome.file}: from {outcome.examples:,} messages; {outcome.card} says what it is worth.")
    out.print(f"Right on development: {outcome.development:.3f}, where channels are quieter {outcome.thinned:.3f}.")


@family.command()
def sentiment(
    data: Annotated[Path, typer.Option(help="The folder with sentiment/; see docs/benchmarks.md.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the shipped file, if nowhere is named.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data and seed give the same file.")] = 7,
    force: Annotated[
        bool, typer.Option("--force", help="Write even above the fairness bar; the card says so.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit the sentiment head, which tells the mood of a channel, and write it with its card."""

    async def verb(settings: Settings) -> Sentiment:
        from datetime import UTC, datetime

        from brains.rhythm.sentiment import SHIPPED
        from brains.training.sentiment_run import train_sentiment

        async with encoding(settings) as (_app, encoder, show):
            date = datetime.now(UTC).date().isoformat()
            where = to or SHIPPED.parent
            return await train_sentiment(data, where, encoder=encoder, date=date, seed=seed, force=force, progress=show)

    outcome = run(verb)
    above = [line.group for line in outcome.fairness if line.above]
    if as_json:
        emit(
            {
                "file": str(outcome.file),
                "card": str(outcome.card),
                "examples": outcome.examples,
                "recall": round(outcome.recall, 4),
                "above_the_bar": above,
            }
        )
        return
    out.print(f"{outcome.file}: from {outcome.examples:,} texts; {outcome.card} says what it is worth.")
    out.print(f"Macro recall of tweets on unseen folds: {outcome.recall:.3f}. Fairness bar: {_bar(above)}.")


def _bar(above: list[str]) -> str:
    return f"crossed by {', '.join(above)}" if above else "kept"


@family.command("community")
def train_community(community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Learn a community's own corrections of the heads from its staff's verdicts, and say what came of it."""

    async def verb(settings: Settings) -> dict[str, object]:
        async with open_app(settings) as app:
            whose = await app.community(community)
            await app.encoder()
            learner = await app.learner()
            await learner.encode()
            report = await learner.learn(whose)
            if report is None:
                raise Mistake("Verdicts changed meanwhile, or there are no heads to correct. Try again.")
            return {"community": whose.name, **report}

    report = run(verb)
    if as_json:
        emit(report)
    else:
        _show_corrections(report)


def _show_corrections(report: dict[str, object]) -> None:
    heads = report["heads"]
    assert isinstance(heads, dict)  # noqa: S101 - as `correct` writes it
    if not heads:
        out.print("No verdict has matured yet, so nothing was learned.")
    for head, one in heads.items():
        ended = "promoted" if one["promoted"] else "not promoted"
        out.print(
            f"{head}: {one['lessons']} lessons, {one['held_back']} held back: {ended}, {one['why']}", markup=False
        )
        if one["loss_before"]:
            losses = f"log loss {one['loss_before']:.3f} -> {one['loss_after']:.3f}"
            errors = f"errors {one['errors_before']} -> {one['errors_after']}"
            alarms = f"ordinary messages flagged {one['alarms_before']} -> {one['alarms_after']} of {one['ordinary']}"
            out.print(f"  {losses}, {errors}, {alarms}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
