"""`kinfolk doctor`: is everything well, and what can each platform do?"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import typer

from bot.cli.output import JsonOption, emit, open_app, out, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.ports import Finding
    from bot.core.settings import Settings

STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red"}
ALONE = "speak to one member alone"
WIDEST = 400
"""Columns of the table of what each platform can, however narrow the terminal: a cut name tells nothing."""


def doctor(as_json: JsonOption = False) -> None:
    """Check everything, and show what the bot can do on which platform. Exit code 1 when something is bad."""
    run(lambda settings: _doctor(settings, as_json=as_json))


async def _doctor(settings: Settings, *, as_json: bool) -> None:
    from bot.checkup import look_over
    from bot.platforms import EVERY

    async with open_app(settings) as app:
        findings = await look_over(app)
        able = {one.name: one.open(app).can for one in EVERY if one.open}
    if as_json:
        checks = [{"check": one.name, "state": one.state, "words": one.words} for one in findings]
        emit({"checks": checks, "can": {platform: sorted(can) for platform, can in able.items()}})
    else:
        _show(findings, able)
    if any(one.state == "bad" for one in findings):
        raise typer.Exit(1)


def _show(findings: Sequence[Finding], able: Mapping[str, frozenset[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from bot.core.actions import Outward
    from bot.policy import BUTTONS, FILES

    width = max(len(one.name) for one in findings) + 2
    for one in findings:
        out.print(f"[{STYLES[one.state]}]{one.state:>4}[/]  {one.name:<{width}}", end="")
        out.print(one.words, markup=False)
    table = Table("what", *able)
    for name in [*(kind.__name__ for kind in get_args(Outward)), BUTTONS, FILES]:
        table.add_row(name, *(_able(name, can) for can in able.values()))
    table.add_row(ALONE, *(_alone(can) for can in able.values()))
    out.print()
    Console(width=WIDEST).print(table)


def _able(name: str, can: frozenset[str]) -> str:
    """Say whether a platform lets the bot do something, or only to what it said itself."""
    if name in can:
        return "yes"
    return "its own" if f"{name}-own" in can else "-"


def _alone(can: frozenset[str]) -> str:
    """Say whether a platform lets the bot speak so that one member alone sees it."""
    if "only" in can:
        return "yes"
    return "where they asked" if "only-asked" in can else "-"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(doctor)
