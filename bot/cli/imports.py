"""`kinfolk import`: old messages come in."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.output import JsonOption, emit, note, open_app, progress, run
from bot.core.errors import Mistake
from bot.home_lock import is_running

if TYPE_CHECKING:
    from bot.app import App
    from bot.backfill import Backfilled, Wanted
    from bot.core.settings import Settings
    from bot.exports import ExportsImported, Opening
    from bot.importing import Imported
    from storage.intake import Stored

MOST_LINES_NAMED = 5
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
    run(
        lambda settings: _import_jsonl(
            settings, file, community, descriptions=channels, strict=strict, wait=wait, as_json=as_json
        )
    )


async def _import_jsonl(
    settings: Settings,
    file: Path,
    community: str,
    *,
    descriptions: Path | None,
    strict: bool,
    wait: bool,
    as_json: bool,
) -> None:
    from bot.importing import import_jsonl

    began = time.perf_counter()
    async with open_app(settings) as app:
        with progress("Storing") as show:
            imported = await import_jsonl(
                app.database,
                app.clock,
                home=settings.home,
                path=file,
                community=community,
                descriptions=descriptions,
                strict=strict,
                progress=show,
            )
        stored = time.perf_counter() - began
        encoded = await _encode(app) if wait else 0
        waiting, running = await _waiting(app), await is_running(settings.home)
    took = time.perf_counter() - began
    _tell_bad_lines(file, imported)
    if imported.unmet:
        note(f"{descriptions} describes channels that are not in {file}: {', '.join(imported.unmet)}.")
    answer = _answer(imported.stored, skipped=len(imported.bad), encoded=encoded, stored=stored, took=took)
    emit(answer) if as_json else _tell(imported.stored, answer, waiting=waiting, running=running, wait=wait)


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
    run(lambda settings: _import_by_token(platform, settings, wanted, wait=wait, as_json=as_json))


async def _import_by_token(
    platform: Literal["discord", "slack"], settings: Settings, wanted: Wanted, *, wait: bool, as_json: bool
) -> None:
    from bot.backfill import import_discord, import_slack

    reading = {"discord": import_discord, "slack": import_slack}[platform]
    began = time.perf_counter()
    async with open_app(settings) as app:
        with progress("Reading") as show:
            found = await reading(app.database, app.clock, settings=settings, wanted=wanted, progress=show)
        stored = time.perf_counter() - began
        encoded = await _encode(app) if wait else 0
        waiting, running = await _waiting(app), await is_running(settings.home)
    took = time.perf_counter() - began
    _tell_closed(found)
    answer = _answer(found.stored, skipped=len(found.closed), encoded=encoded, stored=stored, took=took)
    emit(answer | {"rooms": found.rooms}) if as_json else _tell(
        found.stored, answer, waiting=waiting, running=running, wait=wait
    )


def _tell_closed(found: Backfilled) -> None:
    for one in found.closed:
        note(f"#{one.name} was skipped: {one.mend}")


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

    async def verb(settings: Settings) -> None:
        from adapters.history.telegram import open_exports

        me = settings.telegram_token.get_secret_value().partition(":")[0]
        opening = functools.partial(
            open_exports, file, chats=chat or (), me=int(me) if me.isdecimal() else 0, now=datetime.now(UTC)
        )
        await _import_exports(settings, opening, community, strict=strict, wait=wait, as_json=as_json)

    run(verb)


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

    async def verb(settings: Settings) -> None:
        from adapters.history.slack import open_exports

        opening = functools.partial(open_exports, file, group_messages=group_messages, now=datetime.now(UTC))
        await _import_exports(settings, opening, community, strict=strict, wait=wait, as_json=as_json)

    run(verb)


async def _import_exports(
    settings: Settings, opening: Opening, community: str | None, *, strict: bool, wait: bool, as_json: bool
) -> None:
    from bot.exports import import_exports

    began = time.perf_counter()
    async with open_app(settings) as app:
        with progress("Storing") as show:
            found = await import_exports(
                app.database,
                app.clock,
                home=settings.home,
                opening=opening,
                community=community,
                strict=strict,
                progress=show,
            )
        stored = time.perf_counter() - began
        encoded = await _encode(app) if wait else 0
        waiting, running = await _waiting(app), await is_running(settings.home)
    took = time.perf_counter() - began
    _tell_bad_records(found)
    answer = _answer(found.stored, skipped=found.bad, encoded=encoded, stored=stored, took=took)
    emit(answer) if as_json else _tell(found.stored, answer, waiting=waiting, running=running, wait=wait)


def _tell_bad_records(found: ExportsImported) -> None:
    for one in found.named[:MOST_LINES_NAMED]:
        note(f"{one.place} was skipped: {one.reason}")
    more = found.bad - min(len(found.named), MOST_LINES_NAMED)
    if more > 0:
        note(f"{more:,} more messages were skipped; --strict would stop at the first.")


async def _encode(app: App) -> int:
    index = await app.index()
    with progress("Encoding") as show:
        return await index.catch_up(show)


async def _waiting(app: App) -> int:
    from storage import outbox

    async with app.database.read() as connection:
        return await outbox.count(connection)


def _answer(new: Stored, *, skipped: int, encoded: int, stored: float, took: float) -> dict[str, object]:
    return {
        "messages": new.messages,
        "members": new.members,
        "channels": new.channels,
        "skipped": skipped,
        "withheld": new.withheld,
        "encoded": encoded,
        "seconds": round(took, 2),
        "stored_seconds": round(stored, 2),
        "encoded_seconds": round(took - stored, 2),
    }


def _tell_bad_lines(file: Path, imported: Imported) -> None:
    for line in imported.bad[:MOST_LINES_NAMED]:
        note(f"{file}, line {line.number} was skipped: {line.reason}")
    more = len(imported.bad) - MOST_LINES_NAMED
    if more > 0:
        note(f"{more:,} more lines were skipped; --strict would stop at the first.")


def _tell(new: Stored, answer: dict[str, object], *, waiting: int, running: bool, wait: bool) -> None:
    note(
        f"{new.messages:,} new messages of {new.members:,} new members in {new.channels:,} new channels, "
        f"stored in {answer['stored_seconds']} s."
    )
    if new.withheld:
        note(f"{new.withheld:,} messages were left out: their authors have not agreed to be collected.")
    if answer["encoded"]:
        note(f"{answer['encoded']:,} messages encoded in {answer['encoded_seconds']} s.")
    if waiting:
        next_step = "the running bot does it now" if running else "run this again with --wait, or start the bot"
        note(f"{waiting:,} messages wait to be encoded: {next_step}.")
    elif wait:
        note('All is read. Try: kinfolk match --text "what somebody likes", or: kinfolk search WORDS')


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
