"""`kinfolk import`: old messages come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.imported import Brought, bring
from bot.cli.output import JsonOption
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from adapters.history.exports import Export
    from bot.app import App
    from bot.backfill import Wanted
    from bot.cli.imported import Progress
    from bot.core.settings import Settings

MOST_NAMED = 5
ChannelOption = Annotated[
    list[str] | None, typer.Option("--channel", help="Only this channel and its threads; may be said several times.")
]
SinceOption = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Nothing older than this day.")
]
AgainOption = Annotated[bool, typer.Option("--again", help="Read what was read already once more.")]
SpaceOption = Annotated[
    str | None,
    typer.Option("--community", help="The community of a space that has none yet; one called like it is made without."),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Import nothing if a single message cannot be read.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Also encode what waits, and return when done.")]

family = typer.Typer(name="import", help="Bring old messages in.", no_args_is_help=True)


@family.callback()
def _import() -> None:
    """Bring old messages in."""


@family.command("jsonl")
def jsonl(
    file: Annotated[Path, typer.Argument(help="History in JSON lines, plain or gzipped.")],
    community: Annotated[str, typer.Option(help="The community's name; it is made if there is none.")],
    channels: Annotated[
        Path | None, typer.Option(help="JSON lines with `channel`, `description` and, if need be, `private`.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing if a single line is bad.")] = False,
    wait: WaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import messages from JSON lines. Rows are stored in seconds; a second import adds nothing."""

    async def verb(app: App, settings: Settings, show: Progress) -> Brought:
        from bot.importing import import_jsonl

        found = await import_jsonl(
            app.database,
            app.clock,
            home=settings.home,
            path=file,
            community=community,
            descriptions=channels,
            strict=strict,
            progress=show,
        )
        bad = [f"{file}, line {line.number} was skipped: {line.reason}" for line in found.bad[:MOST_NAMED]]
        unmet = f"{channels} describes channels that are not in {file}: {', '.join(found.unmet)}."
        notes = [*bad, *_more(len(found.bad), "lines"), *([unmet] if found.unmet else [])]
        return Brought(stored=found.stored, skipped=len(found.bad), notes=notes)

    bring(verb, title="Storing", wait=wait, as_json=as_json)


@family.command("discord")
def discord(
    server: Annotated[
        str | None, typer.Option(help="The server, by name or number, where the bot is on several.")
    ] = None,
    channel: ChannelOption = None,
    since: SinceOption = None,
    community: SpaceOption = None,
    again: AgainOption = False,
    wait: WaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read the old messages of a Discord server, newest first. Stopped at any time, it goes on from there."""
    _read_back("discord", _wanted(server, channel, since, community, again=again), wait=wait, as_json=as_json)


def _wanted(
    server: str | None, channel: list[str] | None, since: datetime | None, community: str | None, *, again: bool
) -> Wanted:
    from bot.backfill import Wanted

    return Wanted(
        server=server,
        channels=tuple(channel or ()),
        since=since and since.replace(tzinfo=UTC),
        community=community,
        again=again,
    )


def _read_back(platform: Literal["discord", "slack"], wanted: Wanted, *, wait: bool, as_json: bool) -> None:
    async def verb(app: App, settings: Settings, show: Progress) -> Brought:
        from bot.backfill import import_discord, import_slack

        reading = {"discord": import_discord, "slack": import_slack}[platform]
        found = await reading(app.database, app.clock, settings=settings, wanted=wanted, progress=show)
        notes = [f"#{one.name} was skipped: {one.mend}" for one in found.closed]
        return Brought(stored=found.stored, skipped=len(found.closed), notes=notes, more={"rooms": found.rooms})

    bring(verb, title="Reading", wait=wait, as_json=as_json)


@family.command("telegram")
def telegram(
    file: Annotated[Path, typer.Argument(help="result.json as Telegram Desktop exports it, or the folder it is in.")],
    chat: Annotated[
        list[str] | None,
        typer.Option(help="Of a whole account's export this group or channel, by name or number; may be repeated."),
    ] = None,
    community: SpaceOption = None,
    strict: StrictOption = False,
    wait: WaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import groups and channels from an export of Telegram Desktop. A second import adds nothing."""

    def opening(settings: Settings) -> AbstractContextManager[Sequence[Export]]:
        from adapters.history.telegram import open_exports

        own = settings.telegram_token.get_secret_value().partition(":")[0]
        return open_exports(file, chats=chat or (), me=int(own) if own.isdecimal() else 0, now=datetime.now(UTC))

    _import_exports(opening, community, strict=strict, wait=wait, as_json=as_json)


@family.command("slack")
def slack(
    file: Annotated[
        Path | None,
        typer.Argument(help="The archive that Slack exports, or its folder; without, channels are read by the token."),
    ] = None,
    group_messages: Annotated[
        bool, typer.Option("--group-messages", help="Of an export also direct messages between several.")
    ] = False,
    channel: ChannelOption = None,
    since: SinceOption = None,
    community: SpaceOption = None,
    strict: StrictOption = False,
    again: AgainOption = False,
    wait: WaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import a workspace from its export, or read the channels that the bot is in. A second import adds nothing."""
    if file is None:
        if group_messages or strict:
            raise Mistake("--group-messages and --strict are for an export: name its file.")
        _read_back("slack", _wanted(None, channel, since, community, again=again), wait=wait, as_json=as_json)
        return
    if channel or since or again:
        raise Mistake("--channel, --since and --again are for reading by the token: leave the file out.")

    export = file

    def opening(_settings: Settings) -> AbstractContextManager[Sequence[Export]]:
        from adapters.history.slack import open_exports

        return open_exports(export, group_messages=group_messages, now=datetime.now(UTC))

    _import_exports(opening, community, strict=strict, wait=wait, as_json=as_json)


def _import_exports(
    opening: Callable[[Settings], AbstractContextManager[Sequence[Export]]],
    community: str | None,
    *,
    strict: bool,
    wait: bool,
    as_json: bool,
) -> None:
    async def verb(app: App, settings: Settings, show: Progress) -> Brought:
        from bot.exports import import_exports

        found = await import_exports(
            app.database,
            app.clock,
            home=settings.home,
            opening=lambda: opening(settings),
            community=community,
            strict=strict,
            progress=show,
        )
        named = [f"{one.place} was skipped: {one.reason}" for one in found.named[:MOST_NAMED]]
        notes = [*named, *_more(found.bad, "messages"), *_elsewhere(found.elsewhere)]
        return Brought(stored=found.stored, skipped=found.bad, notes=notes)

    bring(verb, title="Storing", wait=wait, as_json=as_json)


def _more(bad: int, what: str) -> list[str]:
    """Say how many were skipped beside those that are named."""
    more = bad - MOST_NAMED
    return [f"{more:,} more {what} were skipped; --strict would stop at the first."] if more > 0 else []


def _elsewhere(posts: int) -> list[str]:
    """Say where the posts are to be had that a group only discusses."""
    told = f"{posts:,} posts are of the channel that the group discusses: they come with the export of the channel."
    return [told] if posts else []


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
