"""`kinfolk moderate` and `kinfolk rules`: what a community's rules and heads say of messages; the rules themselves."""

from __future__ import annotations

import asyncio
import functools
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from bot.cli import pictures
from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.policies import Rules as Policies
    from bot.core.settings import Settings
    from bot.core.things import Community, Ref
    from brains.moderation.detection import Post
    from brains.moderation.lines import Lines
    from brains.moderation.moderator import Examination, Moderator

TOGETHER = 256
"""Lines that are encoded at once."""
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The rules, as YAML.")]

family = typer.Typer(name="rules", help="The rules of a community, as YAML.", no_args_is_help=True)


def moderate(
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON lines with `text`, optional `author`, `channel`, `ts`; standard input without one."),
    ] = None,
    community: CommunityOption = None,
    picture: Annotated[
        Path | None, typer.Option(help="Judge a picture instead: a PNG, JPEG, WebP or GIF, and what stands in it.")
    ] = None,
    encoder: Annotated[
        bool, typer.Option("--encoder/--no-encoder", help="Let the heads read vectors too; without, rules and n-grams.")
    ] = True,
    language: Annotated[Literal["en", "zh_CN"] | None, typer.Option(help="Language of the reasons.")] = None,
    as_json: JsonOption = False,  # what is printed is JSON lines either way
) -> None:
    """Judge messages by a community's rules and heads: a line of JSON for each, with verdict, scores and reasons."""
    if picture is not None:
        data = pictures.bytes_of(picture)
        run(lambda settings: _moderate_picture(settings, picture, data, name=community, language=language))
        return
    run(lambda settings: _moderate(settings, file, name=community, encoder=encoder, language=language))


async def _moderate(
    settings: Settings, file: Path | None, *, name: str | None, encoder: bool, language: str | None
) -> None:
    from bot.core.i18n import translator
    from brains.moderation.lines import Lines

    translate = await asyncio.to_thread(translator, language or settings.language)
    with _opened(file) as source:
        async with open_app(settings) as app:
            lines = Lines(functools.partial(_channel, await _named(app, name)))
            encodes = encoder and (await app.moderators()).heads() is not None
            if encodes:
                await app.encoder()
            moderator = await _moderator(app, name)
            numbered = ((number, line) for number, line in enumerate(source, start=1) if line.strip())
            while portion := await asyncio.to_thread(lambda: list(islice(numbered, TOGETHER))):
                posts, wrong = _read(lines, portion)
                for post in await _encoded(app, moderator, posts) if encodes else posts:
                    emit(_judged(moderator.examine(post, translate)))
                if wrong is not None:
                    raise wrong


async def _moderate_picture(
    settings: Settings, path: Path, data: bytes, *, name: str | None, language: str | None
) -> None:
    """Judge a picture as that of a message without words, by somebody of whom nothing is known."""
    from bot.core.i18n import translator
    from bot.core.things import Ref
    from brains.moderation.detection import Post

    translate = await asyncio.to_thread(translator, language or settings.language)
    async with open_app(settings) as app:
        seen = await pictures.look(app, path, data)
        post = Post(text="", author=Ref("line", "author"), channel=Ref("line", "channel"), at=app.clock.now())
        examination = (await _moderator(app, name)).examine(post, translate, pictures=[seen])
    emit(_judged(examination) | {"picture": asdict(seen)})


def _opened(file: Path | None) -> BinaryIO:
    if file is None:
        return sys.stdin.buffer
    try:
        return file.open("rb")
    except OSError as error:
        raise Mistake(f"{file} cannot be read: {error.strerror}.") from None


def _read(lines: Lines, portion: list[tuple[int, bytes]]) -> tuple[list[Post], Mistake | None]:
    """Read lines up to the first that is wrong."""
    posts: list[Post] = []
    for number, line in portion:
        try:
            posts.append(lines.post(line, number))
        except Mistake as mistake:
            return posts, mistake
    return posts, None


async def _moderator(app: App, name: str | None) -> Moderator:
    """Return a community's moderator; where there is none yet, one by the gentle preset."""
    from brains.moderation.moderator import Moderator
    from brains.moderation.rulebook import Rulebooks
    from brains.moderation.rules import Rules
    from storage import communities

    moderators = await app.moderators()
    async with app.database.read() as connection:
        known = await communities.every(connection)
    if known or name is not None:
        return await moderators.of(await app.community(name))
    return Moderator(rules=Rulebooks(rules=Rules()), heads=moderators.heads(), encoder=app.encoder_name)


async def _named(app: App, name: str | None) -> dict[str, Ref]:
    """Return the channels of the community by name."""
    from storage import channels, communities

    async with app.database.read() as connection:
        if not await communities.every(connection) and name is None:
            return {}
        known = await channels.every(connection, await communities.find(connection, name))
    return {one.name: one.ref for one in known.values()}


def _channel(named: dict[str, Ref], name: str) -> Ref:
    """Return the channel that a line names, by its name or reference."""
    from bot.core.things import Ref

    if name.removeprefix("#") in named:
        return named[name.removeprefix("#")]
    try:
        return Ref.parse(name)
    except ValueError:
        return Ref("line", name)


async def _encoded(app: App, moderator: Moderator, posts: list[Post]) -> list[Post]:
    """Give posts the vectors of their texts, and of their plain forms where those differ."""
    from dataclasses import replace

    if not posts:
        return []
    encoder = await app.encoder()
    vectors = await encoder.encode([post.text for post in posts])
    known = [replace(post, vector=vector) for post, vector in zip(posts, vectors, strict=True)]
    return [await moderator.encoded(post, app.encoder) for post in known]


def _judged(examination: Examination) -> dict[str, object]:
    """Return the document of one message: a score for each head, and for each rule that spoke."""
    spoke = {one.detector: max(one.score, examination.scores.get(one.detector, 0.0)) for one in examination.detections}
    scores = {name: round(float(score), 4) for name, score in {**examination.scores, **spoke}.items()}
    reasons = [f"{one.detector}: {one.reason}" for one in examination.detections]
    return {"verdict": examination.verdict, "scores": scores, "reasons": reasons}


@family.command("show")
def show(community: CommunityOption = None) -> None:
    """Print the rules of a community, as YAML that `set` reads."""
    run(lambda settings: _show(settings, name=community))


async def _show(settings: Settings, *, name: str | None) -> None:
    from brains.moderation import rules

    async with open_app(settings) as app:
        _whose, set_ = await _set_here(app, name)
    note(f"Strictness: {set_.policy.strictness} (/setup strictness changes it).")
    out.print(set_.policy.rules.rstrip() or rules.write(rules.Rules()).rstrip(), markup=False, emoji=False)


@family.command("check")
def check(file: FileArgument) -> None:
    """Say whether a file of rules can be used: the first mistake is told with its line."""
    from brains.moderation import rules

    _tried(file)
    note(f"{file} can be used.")
    if not rules.read(_text(file)).model_fields_set:
        note("It sets nothing: the preset alone would hold.")


@family.command("set")
def set_rules(file: FileArgument, community: CommunityOption = None) -> None:
    """Give a community the rules of a file, which hold within a second; an empty file takes them away."""
    _tried(file)
    run(lambda settings: _put(settings, _text(file), name=community))


async def _put(settings: Settings, text: str, *, name: str | None) -> None:
    from storage import policies

    async with open_app(settings) as app:
        whose, _before = await _set_here(app, name)
        await app.database.write(lambda there: policies.put(there, whose, name="rules", value=text.strip()))
    note(f"{whose.name} has these rules now. `kinfolk replay` shows what they would have done.")


async def _set_here(app: App, name: str | None) -> tuple[Community, Policies]:
    from storage import policies

    whose = await app.community(name)
    return whose, await app.database.look(lambda there: policies.load(there, whose))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Mistake(f"{file} cannot be read: {reason}.") from None


def _tried(file: Path) -> None:
    """Read a file of rules; raises Mistake that names the file, the line, the field and the reason."""
    from brains.moderation import rules
    from brains.moderation.domains import DomainFile

    try:
        read = rules.read(_text(file))
        for part in (read, *read.channels.values()):
            if part.links.file:
                DomainFile(Path(part.links.file)).check()
    except Mistake as mistake:
        raise Mistake(f"{file}: {mistake}") from None


def register(app: typer.Typer) -> None:
    """Add the verb and the family to the command line."""
    app.command()(moderate)
    app.add_typer(family)
