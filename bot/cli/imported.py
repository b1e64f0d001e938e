"""What all ways of importing share: storing, encoding where that is waited for, and telling what came of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.cli.output import emit, note, open_app, progress, run
from bot.home_lock import is_running

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.settings import Settings
    from storage.intake import Stored

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What an import added and how much it skipped, what to say of that, and what else to answer."""

    stored: Stored
    skipped: int
    notes: Sequence[str]
    more: Mapping[str, object] = field(default_factory=dict)


Bringing = Callable[["App", "Settings", Progress], Awaitable[Brought]]
"""What stores old messages."""


def bring(bringing: Bringing, *, title: str, wait: bool, as_json: bool) -> None:
    """Run an import and tell what came of it."""
    run(lambda settings: _bring(settings, bringing, title=title, wait=wait, as_json=as_json))


async def _bring(settings: Settings, bringing: Bringing, *, title: str, wait: bool, as_json: bool) -> None:
    began = time.perf_counter()
    async with open_app(settings) as app:
        with progress(title) as show:
            found = await bringing(app, settings, show)
        stored = time.perf_counter() - began
        encoded = await _encode(app) if wait else 0
        waiting, running = await _waiting(app), await is_running(settings.home)
    took = time.perf_counter() - began
    for told in found.notes:
        note(told)
    answer = _answer(found.stored, skipped=found.skipped, encoded=encoded, stored=stored, took=took)
    if as_json:
        emit({**answer, **found.more})
    else:
        _tell(found.stored, answer, waiting=waiting, running=running, wait=wait)


async def _encode(app: App) -> int:
    index = await app.index()
    with progress("Encoding") as show:
        encoded = await index.catch_up(show)
    with progress("Telling conversations apart") as show:
        await app.untangling().catch_up(show)
    return encoded


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
