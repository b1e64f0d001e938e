"""`kinfolk train`: learning by hand what is otherwise learned in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.core.settings import Settings

family = typer.Typer(name="train", help="Learn from data.", no_args_is_help=True)


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
        _show(report)


def _show(report: dict[str, object]) -> None:
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
