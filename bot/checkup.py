"""Looks a deployment over: what works, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from typing import TYPE_CHECKING, Literal

from bot.core.errors import KinfolkError
from bot.core.ports import Finding, Scope, Turn
from bot.core.settings import strangers
from bot.home_lock import is_running
from bot.platforms import PLATFORMS, shows_playground
from bot.policy import BUTTONS, FETCH, FILES
from brains.engines.pictures import reads
from storage import acts, adopted, communities, inbox, outbox, spaces, tuned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bot.app import App

LITTLE_ROOM = 2 * 2**30
"""Bytes on the disk below which the owner should know."""
NAMED = 3
"""Traces of interrupted acts that are named."""
MANY_WAITING = 1000
"""Things waiting beyond which something is stuck, or much has just been imported."""

ABILITIES = {
    "Say": "say something",
    "Edit": "change what it said",
    "Delete": "delete messages",
    "React": "react to messages",
    "OpenDirect": "write to a member directly",
    BUTTONS: "put buttons under messages",
    FILES: "send files",
    FETCH: "look at pictures that members send",
    "AskStaff": "ask the staff",
    "Warn": "warn a member",
    "Timeout": "time a member out",
    "Kick": "send a member out",
    "Ban": "ban a member",
    "Unban": "let a member come back",
    "GrantRole": "give roles",
    "Invite": "bring a member into a channel",
    "CreateChannel": "make channels",
    "ArchiveChannel": "put channels away",
    "CreateEvent": "put dates into a calendar",
    "CreatePoll": "make polls",
}
"""What a bot may be able to do on a platform, in an owner's words."""


def capabilities(able: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, ...]]:
    """Say what the bot can do where, a row for each thing: its words, then the answer for each platform in order."""
    for name, words in ABILITIES.items():
        yield words, *(_able(name, can) for can in able.values())
    yield "speak to one member alone", *(_alone(can) for can in able.values())


def _able(name: str, can: frozenset[str]) -> str:
    """Say whether a platform lets the bot do something, or only to what it said itself."""
    if name in can:
        return "yes"
    return "its own" if f"{name}-own" in can else "-"


def _alone(can: frozenset[str]) -> str:
    """Say whether a platform lets the bot speak so that one member alone sees it."""
    if "only" in can:
        return "yes"
    return "if asked" if "only-asked" in can else "-"


async def look_over(app: App) -> list[Finding]:
    """Make every check; none keeps another from being made."""
    checks: dict[str, Callable[[App], Awaitable[Finding]]] = {
        "settings": _settings,
        "home": _home,
        "bot": _bot,
        "tables": _tables,
        "encoder": _encoder,
        "vectors": _vectors,
        "matching": _matching,
        "generator": _generator,
        "pictures": _pictures,
        "waiting": _waiting,
        "unknown": _unknown,
        "playground": _playground,
    }
    found = [await _safely(name, check, app) for name, check in checks.items()]
    for platform in PLATFORMS:
        if platform.examine and platform.variables(app.settings):
            found += await _place(platform.name, platform.examine, app)
    return found


async def _place(name: str, examine: Callable[[App], Awaitable[Sequence[Finding]]], app: App) -> Sequence[Finding]:
    try:
        return await examine(app)
    except KinfolkError as error:
        return [Finding(name=name, state="bad", words=str(error))]


async def _safely(name: str, check: Callable[[App], Awaitable[Finding]], app: App) -> Finding:
    try:
        return await check(app)
    except KinfolkError as error:
        return Finding(name=name, state="bad", words=str(error))


async def _home(app: App) -> Finding:
    home = app.settings.home
    free = (await asyncio.to_thread(shutil.disk_usage, home)).free
    mode = (await asyncio.to_thread(home.stat)).st_mode
    if mode & 0o077:
        words = f"others on this machine may look into {home}. Close it: chmod 700 {home}"
        return Finding(name="home", state="warn", words=words)
    state: Literal["ok", "warn"] = "warn" if free < LITTLE_ROOM else "ok"
    return Finding(name="home", state=state, words=f"{home}, {free / 2**30:.1f} GB free on its disk")


async def _settings(_app: App) -> Finding:
    found = await asyncio.to_thread(strangers)
    words = " ".join(found) or "every variable is known"
    return Finding(name="settings", state="warn" if found else "ok", words=words)


async def _bot(app: App) -> Finding:
    running = await is_running(app.settings.home)
    words = "runs in this home" if running else "does not run in this home: kinfolk run"
    return Finding(name="bot", state="ok" if running else "warn", words=words)


async def _tables(app: App) -> Finding:
    async with app.database.read() as connection:
        every = await communities.every(connection)
        on = {one.name: {space.ref.platform for space in await spaces.of(connection, one)} for one in every}
    kind = "PostgreSQL" if app.settings.database_url.startswith("postgresql") else "SQLite"
    names = ", ".join(f"{name} ({', '.join(sorted(where)) or 'imported'})" for name, where in on.items())
    return Finding(name="tables", state="ok", words=f"{kind}; {names or 'no community yet'}")


async def _encoder(app: App) -> Finding:
    encoder = await app.encoder()
    await encoder.encode(["Is anybody there?"], kind="query")
    return Finding(name="encoder", state="ok", words=f"{app.settings.encoder}: {encoder.fingerprint}")


async def _vectors(app: App) -> Finding:
    vectors = await app.vectors()
    async with app.database.read() as connection:
        expected = await outbox.acknowledged(connection)
    held = sum([await vectors.count(Scope(community=number, notes=True)) for number in expected])
    missing = sum(expected.values()) - held
    if missing > 0:
        words = f"{held:,} points, {missing:,} are missing; a running bot and `import --wait` write them again"
        return Finding(name="vectors", state="warn", words=words)
    return Finding(name="vectors", state="ok", words=f"{held:,} points")


async def _matching(app: App) -> Finding:
    """Tell of each community that adopted an encoder whether matching goes by it."""
    async with app.database.read() as connection:
        names = {one.id: one.name for one in await communities.every(connection)}
        every = [one for one in await adopted.every(connection) if one.community in names and one.state != "leaving"]
        waiting = await outbox.count(connection)
    away = [one for one in every if not await asyncio.to_thread((app.adoptions.folder(one) / tuned.CARD).is_file)]
    told = [
        f"{names[one.community]}: {one.fingerprint}"
        + (", whose weights are gone: the base serves" if one in away else "")
        + (f", being built ({waiting:,} points wait): the base serves meanwhile" if one.state == "building" else "")
        for one in every
    ]
    words = "; ".join(told) or "goes by the encoder that serves everything"
    return Finding(name="matching", state="warn" if away else "ok", words=words)


async def _generator(app: App) -> Finding:
    generator = await app.generator()
    if generator is None:
        return Finding(name="generator", state="ok", words="none is wanted; reasons are shown as they are")
    pieces = generator.generate([Turn(role="user", text="Say yes.")], most=4)
    said = "".join([piece async for piece in pieces])
    state: Literal["ok", "warn"] = "ok" if said else "warn"
    return Finding(
        name="generator", state=state, words=f"{generator.name}, for {', '.join(sorted(generator.languages))}"
    )


async def _pictures(_app: App) -> Finding:
    if reads():
        return Finding(name="pictures", state="ok", words="are compared, and what stands written in them is read")
    words = "are compared, and nobody reads what stands written in them. Install rapidocr: pip install 'kinfolk[local]'"
    return Finding(name="pictures", state="warn", words=words)


async def _waiting(app: App) -> Finding:
    async with app.database.read() as connection:
        events, points = await inbox.waiting(connection), await outbox.count(connection)
    state: Literal["ok", "warn"] = "warn" if max(events, points) > MANY_WAITING else "ok"
    return Finding(name="waiting", state=state, words=f"{events:,} events to handle, {points:,} messages to encode")


async def _unknown(app: App) -> Finding:
    """Name the acts of which nobody can say whether they happened: a crash came between intent and receipt."""
    async with app.database.read() as connection:
        every = await communities.every(connection)
        acts_left = [act for one in every for act in await acts.in_state(connection, one, "unknown")]
    if not acts_left:
        return Finding(name="unknown", state="ok", words="no act was interrupted by a crash")
    told = ", ".join(dict.fromkeys(act.trace for act in acts_left[-NAMED:]))
    words = f"{len(acts_left):,} acts were interrupted by a crash; the latest traces, for `kinfolk why`: {told}"
    return Finding(name="unknown", state="warn", words=words)


async def _playground(app: App) -> Finding:
    port, wanted = app.settings.playground_port, shows_playground(app.settings)
    if not wanted:
        return Finding(name="playground", state="ok", words="off")
    used = await asyncio.to_thread(_answers, port)
    if used and not await is_running(app.settings.home):
        words = f"something else uses port {port}. End it, or set KINFOLK_PLAYGROUND_PORT"
        return Finding(name="playground", state="bad", words=words)
    return Finding(
        name="playground", state="ok", words=f"http://127.0.0.1:{port}{'' if used else ', once the bot runs'}"
    )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
