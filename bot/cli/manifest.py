"""`kinfolk manifest`: what a platform is to be told of the app, to be pasted where apps are made."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.output import emit, out

family = typer.Typer(name="manifest", help="Print what a platform is to know of the app.", no_args_is_help=True)


@family.callback()
def manifest() -> None:
    """Print what a platform is to know of the app."""


@family.command()
def slack(
    admin: Annotated[
        bool, typer.Option("--admin", help="Ask whoever installs it for a token too, to delete what others wrote.")
    ] = False,
    compact: Annotated[bool, typer.Option("--json", help="Print it on one line.")] = False,
) -> None:
    """Print the manifest of the Slack app, as JSON."""
    import orjson

    from adapters.slack.manifest import manifest as made
    from bot.living import commands_of
    from brains.skills import SKILLS

    document = made(commands_of(SKILLS), admin=admin)
    if compact:
        emit(document)
    else:
        out.print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(), markup=False)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
