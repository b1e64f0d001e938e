"""`kinfolk bench`: how fast it is, beside peers in the same run."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.bench.exports import Kind
from bot.cli.output import JsonOption, emit, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.bench import Figures
    from bot.core.settings import Settings

SAMPLE = Path(__file__).parent.parent / "sample" / "messages.jsonl"
DESCRIPTIONS = SAMPLE.with_name("channels.jsonl")
MANY = 10_000
"""Texts of a file that a pipeline is given; of fewer, each goes through more than once."""
DataOption = Annotated[
    Path, typer.Option(help="History in JSON lines, whose texts are encoded.", show_default="the sample")
]
CountOption = Annotated[int, typer.Option(min=50, help="How many texts of it, spread evenly.")]

family = typer.Typer(name="bench", help="Measure how fast it is.", no_args_is_help=True)


@family.command()
def encoder(data: DataOption = SAMPLE, count: CountOption = 600, as_json: JsonOption = False) -> None:
    """Compare the encoder with sentence-transformers, and the worker with the engine alone."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.encoder import bench_encoder

        return await bench_encoder(_texts(data, count), home=settings.home, settings=settings)

    _run(verb, as_json=as_json)


@family.command()
def moderation(
    data: DataOption = SAMPLE,
    count: Annotated[int, typer.Option(min=50, help="How many texts of it, spread evenly.")] = 5_000,
    as_json: JsonOption = False,
) -> None:
    """Time undoing disguise, and the rules at 5,000 phrases and 200 expressions, beside one large pattern of `re`."""

    async def verb(_settings: Settings) -> Figures:
        from bot.bench.moderation import bench_moderation

        return await asyncio.to_thread(bench_moderation, _texts(data, count))

    _run(verb, as_json=as_json)


@family.command()
def generator(
    data: Annotated[
        Path, typer.Option(help="History in JSON lines, whose members are made offers.", show_default="the sample")
    ] = SAMPLE,
    channels: Annotated[
        Path, typer.Option(help="Descriptions of its channels.", show_default="the sample's")
    ] = DESCRIPTIONS,
    as_json: JsonOption = False,
) -> None:
    """Time the generator, one and four conversations at once, and count the offers that it puts into words."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.generator import bench_generator

        return await bench_generator(data, channels, settings=settings)

    _run(verb, as_json=as_json)


@family.command("import")
def import_(data: DataOption = SAMPLE, count: CountOption = 2000, as_json: JsonOption = False) -> None:
    """Compare an import's encoding with the engine alone, on the same texts."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.importing import bench_import

        return await bench_import(_texts(data, count), settings=settings)

    _run(verb, as_json=as_json)


@family.command()
def history(
    kind: Annotated[Kind, typer.Option(help="What the history comes in.")] = Kind.JSONL,
    messages: Annotated[int, typer.Option(min=1000, help="How many messages are made up.")] = 100_000,
    count: Annotated[int, typer.Option(min=50, help="How many texts are encoded as well.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Time the storing of old messages, read its memory also for a tenth of them, and encode some."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.history import bench_history

        return await bench_history(kind, messages, count=count, settings=settings)

    _run(verb, as_json=as_json)


@family.command()
def adapters(
    data: DataOption = SAMPLE,
    seconds: Annotated[float, typer.Option(min=1, help="How long messages come at 100 a second.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Time messages from a frame of Discord's gateway to the verdict, beside those that are put directly."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.adapters import bench_adapters

        return await bench_adapters(_texts(data, MANY), settings=settings, seconds=seconds)

    _run(verb, as_json=as_json)


@family.command()
def pipeline(
    data: DataOption = SAMPLE,
    seconds: Annotated[float, typer.Option(min=1, help="How long each part is measured.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Time a message from the platform to its verdict, and compare the pipeline with the encoder alone."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.pipeline import bench_pipeline

        return await bench_pipeline(_texts(data, MANY), settings=settings, seconds=seconds)

    _run(verb, as_json=as_json)


@family.command()
def pictures(as_json: JsonOption = False) -> None:
    """Time how pictures are told apart and read, and count the letters that are read and the reposts recognised."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.pictures import bench_pictures

        return await bench_pictures(settings)

    _run(verb, as_json=as_json)


@family.command()
def start(as_json: JsonOption = False) -> None:
    """Time the start of a bot and its first answer, and read the memory of its processes at rest."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.start import bench_start

        return await bench_start(settings)

    _run(verb, as_json=as_json)


@family.command()
def vectors(
    points: Annotated[int, typer.Option(min=1000, help="Points in the collection.")] = 50_000,
    as_json: JsonOption = False,
) -> None:
    """Measure the vector store through its process, beside qdrant-client's local mode."""

    async def verb(_: Settings) -> Figures:
        from bot.bench.vectors import bench_vectors

        with tempfile.TemporaryDirectory(prefix="kinfolk-bench-") as folder:
            return await bench_vectors(Path(folder), points=points)

    _run(verb, as_json=as_json)


@family.command()
def retrieval(
    data: DataOption = SAMPLE,
    messages: Annotated[int, typer.Option(min=1000, help="Messages in the community.")] = 100_000,
    count: Annotated[int, typer.Option(min=50, help="How many texts are encoded and said again.")] = 600,
    as_json: JsonOption = False,
) -> None:
    """Time from a question to conversations, alone and ten at once, beside the engine's bare search."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.retrieval import bench_retrieval

        texts = await asyncio.to_thread(_texts, data, count)
        with progress("Filling") as show:
            return await bench_retrieval(texts, settings=settings, messages=messages, progress=show)

    _run(verb, as_json=as_json)


@family.command()
def matching(
    data: DataOption = SAMPLE,
    messages: Annotated[int, typer.Option(min=1000, help="Messages in the community.")] = 100_000,
    members: Annotated[int, typer.Option(min=100, help="Members who wrote them.")] = 10_000,
    channels: Annotated[int, typer.Option(min=10, help="Channels in which they did.")] = 500,
    count: Annotated[int, typer.Option(min=50, help="How many texts are encoded and said again.")] = 2_000,
    as_json: JsonOption = False,
) -> None:
    """Time a suggestion and learning anew in a large community, beside a bare search and popularity."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.crowd import Crowd
        from bot.bench.matching import bench_matching

        texts = await asyncio.to_thread(_texts, data, count)
        crowd = Crowd(messages=messages, members=members, channels=channels)
        with progress("Filling") as show:
            return await bench_matching(texts, settings=settings, crowd=crowd, progress=show)

    _run(verb, as_json=as_json)


@family.command()
def people(
    data: DataOption = SAMPLE,
    messages: Annotated[int, typer.Option(min=1000, help="Messages in the community.")] = 100_000,
    count: Annotated[int, typer.Option(min=50, help="How many texts are encoded and said again.")] = 600,
    as_json: JsonOption = False,
) -> None:
    """Time `/people` where 2,000 members opted in, and `/foryou`."""

    async def verb(settings: Settings) -> Figures:
        from bot.bench.people import bench_people

        texts = await asyncio.to_thread(_texts, data, count)
        with progress("Filling") as show:
            return await bench_people(texts, settings=settings, messages=messages, progress=show)

    _run(verb, as_json=as_json)


@family.command()
def pulse(
    data: DataOption = SAMPLE,
    messages: Annotated[int, typer.Option(min=1000, help="Messages of 60 days.")] = 100_000,
    channels: Annotated[int, typer.Option(min=250, help="Channels in which they are.")] = 500,
    as_json: JsonOption = False,
) -> None:
    """Time one look for what is unusual, beside counting all messages of eight weeks."""

    async def verb(_settings: Settings) -> Figures:
        from bot.bench.pulse import bench_pulse

        texts = await asyncio.to_thread(_texts, data, 600)
        with progress("Filling") as show:
            return await bench_pulse(texts, messages=messages, rooms=channels, progress=show)

    _run(verb, as_json=as_json)


def _texts(path: Path, count: int) -> list[str]:
    """Take texts spread evenly over a file."""
    from adapters.history.jsonl import read
    from bot.core.events import MessagePosted

    texts = [item.text for item in read(path) if isinstance(item, MessagePosted) and item.text.strip()]
    if not texts:
        raise Mistake(f"{path} holds no text to encode.")
    step = max(1, len(texts) // count)
    return texts[::step][:count]


def _run(verb: Callable[[Settings], Awaitable[Figures]], *, as_json: bool) -> None:
    from bot.core.settings import prepare_home

    async def prepared(settings: Settings) -> Figures:
        prepare_home(settings.home)
        return await verb(settings)

    figures = run(prepared)
    if as_json:
        emit(figures.to_json())
        return
    for name, value in figures.figures.items():
        out.print(f"{name:45} {value:>12,.3f}", markup=False)
    for peer, ratio in figures.ratios.items():
        out.print(f"{'ours / ' + peer:45} {ratio:>12,.2f}", markup=False, style="bold")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(family)
