"""`kinfolk doctor`: is everything well, and what can each platform do?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.output import JsonOption, emit, open_app, out, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.ports import Finding
    from bot.core.settings import Settings

STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red"}


def doctor(as_json: JsonOption = False) -> None:
    """Check everything, and show what the bot can do on which platform. Exit code 1 when something is bad."""
    run(lambda settings: _doctor(settings, as_json=as_json))


async def _doctor(settings: Settings, *, as_json: bool) -> None:
    from bot.checkup import look_over
    from bot.platforms import CONSOLE, EVERY

    async with open_app(settings) as app:
        findings = await look_over(app)
        able = {one: one.open(app).can for one in EVERY}
    if as_json:
        checks = [{"check": one.name, "state": one.state, "words": one.words} for one in findings]
        emit({"checks": checks, "can": {platform.name: sorted(can) for platform, can in able.items()}})
    else:
        _show(findings, {one.label: can for one, can in able.items() if one is not CONSOLE})
    if any(one.state == "bad" for one in findings):
        raise typer.Exit(1)


def _show(findings: Sequence[Finding], able: Mapping[str, frozenset[str]]) -> None:
    from rich.table import Table

    from bot.checkup import capabilities

    width = max(len(one.name) for one in findings) + 2
    for one in findings:
        out.print(f"[{STYLES[one.state]}]{one.state:>4}[/]  {one.name:<{width}}", end="")
        out.print(one.words, markup=False)
    table = Table("it can", *able)
    for row in capabilities(able):
        table.add_row(*row)
    out.print()
    out.print(table)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(doctor)
