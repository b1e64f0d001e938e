"""`kinfolk match` and `kinfolk search`: what a member is told, on the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
import typer

from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, run
from bot.core.errors import Mistake
from bot.home_lock import is_running

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Community, Message
    from brains.knowledge.filters import Wanted
    from brains.knowledge.retrieval import Found
    from brains.matching.matchmaker import Offer

DayOption = Annotated[str, typer.Option(metavar="DAY", help="A day, as in 2026-03-21; the last one is inclusive.")]
KOption = Annotated[int, typer.Option("--k", min=1, max=100, help="How many, at most.")]


def match(
    member: Annotated[str | None, typer.Option(help="A member: name, imported id or reference.")] = None,
    text: Annotated[str | None, typer.Option(help="A sentence about somebody's interests.")] = None,
    texts: Annotated[Path | None, typer.Option(help="JSON lines with `text`; a line is printed for each.")] = None,
    k: KOption = 3,
    community: CommunityOption = None,
    language: Annotated[Literal["en", "zh_CN"] | None, typer.Option(help="Language of the reasons.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which channels somebody belongs in, and why."""
    if sum(given is not None for given in (member, text, texts)) != 1:
        raise Mistake("Give exactly one of --member, --text and --texts.")
    run(lambda settings: _match(settings, member, text, texts, k=k, name=community, language=language, as_json=as_json))


async def _match(
    settings: Settings,
    member: str | None,
    text: str | None,
    texts: Path | None,
    *,
    k: int,
    name: str | None,
    language: str | None,
    as_json: bool,
) -> None:
    async with open_app(settings) as app:
        community = await app.community(name)
        await warn_of_waiting(app, community)
        async for offers in _offers(app, community, member, text, texts, k=k, language=language):
            if as_json or texts is not None:
                emit({"suggestions": [_offer_json(offer) for offer in offers]})
            else:
                _show_offers(offers)


async def _offers(
    app: App,
    community: Community,
    member: str | None,
    text: str | None,
    texts: Path | None,
    *,
    k: int,
    language: str | None,
) -> AsyncIterator[list[Offer]]:
    from storage import members

    matchmaker = await app.matchmaker(language)
    if member is not None:
        async with app.database.read() as connection:
            who = await members.find(connection, community, member)
        yield await matchmaker.for_member(community, who, k=k)
        return
    lines = list(_texts(texts)) if texts else [text or ""]
    async for offers in matchmaker.for_texts(community, lines, k=k):
        yield offers


def _texts(path: Path) -> Iterator[str]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None
    for number, line in enumerate(lines, start=1):
        try:
            text = orjson.loads(line)["text"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise Mistake(f"{path}, line {number}: needs a JSON object with `text`.") from None
        if not isinstance(text, str):
            raise Mistake(f"{path}, line {number}: `text` must be text.")
        yield text


def _offer_json(offer: Offer) -> dict[str, object]:
    from adapters.history.jsonl import imported_id

    return {
        "channel": offer.channel.name,
        "score": round(offer.score, 4),
        "reasons": list(offer.reasons),
        "evidence": [
            {"message": imported_id(message.ref), "text": message.text} for pair in offer.evidence for message in pair
        ],
    }


def _show_offers(offers: list[Offer]) -> None:
    if not offers:
        out.print("Nothing fits well yet.")
    for offer in offers:
        out.print(f"\n#{offer.channel.name}  ({offer.score:.0%})", style="bold", markup=False)
        for reason in offer.reasons:
            out.print(f"  {reason}", markup=False)
        for *mine, theirs in offer.evidence:
            for message in mine:
                out.print(f"    you    {_quoted(message)}", style="dim", markup=False)
            out.print(f"    there  {_quoted(theirs)}", style="dim", markup=False)


def _quoted(message: Message) -> str:
    from adapters.history.jsonl import imported_id

    return f"[{imported_id(message.ref)}] {_line(message.text)}"


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    reader: Annotated[str | None, typer.Option("--as", help="A member; without one, what everyone may read.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only in this channel.")] = None,
    by: Annotated[str | None, typer.Option(help="Only what this member said.")] = None,
    since: DayOption = "",
    until: DayOption = "",
    k: KOption = 10,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what was said, by meaning and by words."""
    from brains.knowledge.filters import Wanted

    wanted = Wanted(channel=channel or "", by=by or "", since=since, until=until)
    run(lambda settings: _search(settings, query, reader, wanted, k=k, name=community, as_json=as_json))


async def _search(
    settings: Settings, query: str, reader: str | None, wanted: Wanted, *, k: int, name: str | None, as_json: bool
) -> None:
    from adapters.markup.addresses import address
    from brains.knowledge.filters import narrowed
    from storage import channels, members, spaces

    async with open_app(settings) as app:
        community = await app.community(name)
        await warn_of_waiting(app, community)
        async with app.database.read() as connection:
            member = await members.find(connection, community, reader) if reader else None
            reach = await channels.reach(connection, community, member)
            reach = await narrowed(connection, community, reach, wanted)
            known = [one.ref for one in await spaces.of(connection, community)]
        found = await (await app.retrieval()).search(query, reach=reach, limit=k)
    if as_json:
        emit([_found_json(one, address(one.message.ref, known)) for one in found])
        return
    if not found:
        out.print("Nothing was found.")
    for one in found:
        _show_found(one, query)


def _show_found(one: Found, query: str) -> None:
    from rich.text import Text

    from adapters.history.jsonl import imported_id
    from brains.knowledge.highlights import highlight

    when = one.message.sent_at.date().isoformat()
    line = Text(f"#{one.channel.name} {when} [{imported_id(one.message.ref)}] ")
    for part in highlight(one.message.text, query, width=110):
        line.append(part.text, style="bold" if part.found else "")
    out.print(line)


def _found_json(one: Found, link: str | None) -> dict[str, object]:
    from adapters.history.jsonl import imported_id

    return {
        "message": imported_id(one.message.ref),
        "channel": one.channel.name,
        "text": one.message.text,
        "score": round(one.score, 4),
        "link": link,
    }


async def warn_of_waiting(app: App, community: Community) -> None:
    """Say so when messages are not in the collection that answers: they wait, or the encoder is new."""
    from bot.core.ports import Scope
    from storage import outbox

    async with app.database.read() as connection:
        waiting = await outbox.count(connection)
        expected = (await outbox.acknowledged(connection)).get(community.id, 0)
    missing = expected - await (await app.vectors()).count(Scope(community=community.id, notes=True))
    if (unseen := waiting + max(0, missing)) > 0:
        next_step = "the running bot reads them" if await is_running(app.settings.home) else "import again with --wait"
        note(f"{unseen:,} messages wait to be encoded and are not seen yet: {next_step}.")


def _line(text: str, width: int = 110) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(match)
    app.command()(search)
