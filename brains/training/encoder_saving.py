"""What a tuned encoder leaves behind: a folder of safetensors that `path:` opens, its adapter, its card, its run.

`encoder.json` is the card for machines, README.md the one for people. Authors are in it as salted hashes, so that the
weights can be dropped when one of them is forgotten, and so that nobody can be read from it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from storage import tuned

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from brains.engines.encoders import Model
    from brains.training.encoder_judging import Compared
    from brains.training.encoder_loop import Course
    from brains.training.encoder_network import Tuning

ADAPTER, PICTURE = "adapter", "loss.png"
POOLING = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Where a tuned encoder comes from, how it was learned, and what it is worth."""

    name: str
    base: str
    made: str
    seed: int
    how: str
    batch: int
    messages: dict[str, int]
    course: Course
    figures: Sequence[Compared]


@contextlib.contextmanager
def unfinished(out: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes the name `out` when all went well and vanishes otherwise.

    It takes the place of an encoder that was there. Raises Mistake where `out` is anything else.
    """
    if out.exists() and not (out / tuned.CARD).is_file():
        raise Mistake(f"{out} is there already and is no encoder of `kinfolk train encoder`: name another place.")
    work, before = out.with_name(f"{out.name}.unfinished"), out.with_name(f"{out.name}.before")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
        if out.exists():
            shutil.rmtree(before, ignore_errors=True)
            out.rename(before)
        work.rename(out)
        shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_weights(tuning: Tuning, model: Model, work: Path) -> None:
    """Write the adapter, and the whole network with it melted in, in half precision: that ends the tuning."""
    import torch

    from brains.training.encoder_network import merged

    if tuning.adapted:
        tuning.network.encoder.save_pretrained(work / ADAPTER, safe_serialization=True)
        (work / ADAPTER / "README.md").unlink(missing_ok=True)
    network = merged(tuning).to(torch.float16)
    network.encoder.save_pretrained(work)
    tuning.tokenizer.enable_truncation(model.longest)
    tuning.tokenizer.save(str(work / "tokenizer.json"))
    _write_modules(work, model)


def write_card(card: Card, work: Path, *, authors: Collection[str]) -> None:
    """Write the card for machines, and for people."""
    facts = {**asdict(card), **tuned.marked(authors)}
    (work / tuned.CARD).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    (work / "README.md").write_text(_page(card), encoding="utf-8")


def draw(course: Course, path: Path) -> None:
    """Draw the losses; where matplotlib is missing there is no picture."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(course.losses) + 1), course.losses, linewidth=0.6, alpha=0.5, label="learned from")
    axes.plot([at for at, _ in course.looks], [loss for _, loss in course.looks], marker="o", label="held back")
    axes.axvline(course.best, linewidth=0.8, linestyle=":", label="kept")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def _write_modules(work: Path, model: Model) -> None:
    """Say how the vectors are pooled, as Sentence-Transformers does, which opens the folder too."""
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (path, kind) in enumerate(kinds.items())
    ]
    (work / "modules.json").write_text(json.dumps(modules, indent=1))
    (work / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": model.size, **{name: model.pooling == way for way, name in POOLING.items()}}
    (work / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (work / "2_Normalize").mkdir()
    (work / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": model.longest}))


def _page(card: Card) -> str:
    lines = [
        f"# {card.name}",
        "",
        f"Made {card.made} from `{card.base}` by `kinfolk train encoder` ({card.how}, seed {card.seed}).",
        f"It learned from {card.messages['learned']:,} messages, stopped by {card.messages['watched']:,} later ones "
        f"and was judged by the {card.messages['judged']:,} last ones, which it has not seen.",
        f"{len(card.course.losses)} steps of {card.batch} pairs at a rate of {card.course.rate:g} took "
        f"{card.course.seconds:.0f} s; the weights are those of step {card.course.best}.",
        "",
        "| measure | n | before | after | 95 % interval of the difference |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.n} | {one.before:.3f} | {one.after:.3f} | {one.low:+.3f} to {one.high:+.3f} |"
        for one in card.figures
    ]
    return "\n".join([*lines, "", "For matching in this community. Moderation and search stay with the base.", ""])
