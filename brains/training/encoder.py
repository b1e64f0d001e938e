"""The whole of `kinfolk train encoder`: from a community's messages to a folder with weights and card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.errors import Misconfigured
from brains.training import encoder_judging as judging
from brains.training import encoder_saving as saving
from brains.training.encoder_loop import Course, learn
from brains.training.encoder_network import open_tuning
from brains.training.encoder_texts import Supply, cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from brains.engines.encoders import Model
    from brains.training.encoder_judging import Compared
    from brains.training.encoder_loop import Plan
    from brains.training.encoder_network import Tuning
    from brains.training.encoder_texts import Slices, Telling

WATCHED = 6
"""Batches of the middle slice that decide when to stop."""
LOGGED = 10
"""Steps between two points of the curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a training: where the weights lie, how it went, and what they are worth."""

    folder: Path
    course: Course
    figures: list[Compared]
    messages: dict[str, int]

    @property
    def better(self) -> bool:
        """Say whether it places texts better than its base did, beyond doubt."""
        return any(one.name == judging.ADOPTS and one.better for one in self.figures)


@dataclass(slots=True, kw_only=True)
class Telltale:
    """Tells of a training: in words, by a bar, and as TensorBoard's events in a folder."""

    folder: Path
    tell: Callable[[str], None] = lambda _text: None
    show: Callable[[int, int], None] = lambda _done, _total: None
    _writer: _Writer | None = field(default=None)

    def __post_init__(self) -> None:
        self._writer = _Writer(self.folder)

    def plan(self, steps: int, seconds: float) -> None:
        """Say how long it will take."""
        about = f", about {max(1, round(seconds / 60))} min" if seconds else ""
        self.tell(f"Learning: {steps} steps{about}.")

    def step(self, done: int, total: int, loss: float, rate: float) -> None:
        """Note a step."""
        self.show(done, total)
        if self._writer and done % LOGGED == 0:
            self._writer.add({"loss/learned": loss, "rate": rate}, done)

    def look(self, done: int, loss: float) -> None:
        """Note a look at what is held back."""
        self.tell(f"Step {done}: loss {loss:.3f} on what is held back.")
        if self._writer:
            self._writer.add({"loss/held back": loss}, done)

    def end(self) -> None:
        """Close the events."""
        if self._writer:
            self._writer.close()


class _Writer:
    """TensorBoard's events."""

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as trouble:
            raise Misconfigured(
                "Its run is kept for TensorBoard by the package `tensorboardX`: pip install 'kinfolk[train]'."
            ) from trouble
        self._writer = SummaryWriter(logdir=str(folder))

    def add(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


def train_encoder(
    told: Telling,
    out: Path,
    *,
    model: Model,
    plan: Plan,
    full: bool = False,
    seed: int = 7,
    threads: int = 2,
    made: str = "",
    tell: Callable[[str], None] = lambda _text: None,
    show: Callable[[int, int], None] = lambda _done, _total: None,
) -> Outcome:
    """Learn, judge before and after on the last messages, and write the folder `out`, whole or not at all.

    Blocks; an interrupt at any moment leaves what was there before. Raises Misconfigured without the packages.
    """
    slices = cut(told.said)
    messages = {name: len(getattr(slices, name)) for name in ("learned", "watched", "judged")}
    with saving.unfinished(out) as work:
        tuning = open_tuning(model, full=full, seed=seed, threads=threads)
        asked = judging.trial(told, slices.learned, slices.judged, seed=seed, count=plan.judged)
        tell(f"Judging the base: {len(asked.placed)} texts and {len(asked.asked)} questions.")
        before = judging.judge(asked, tuning.encode)
        course = _learn(tuning, told, slices, plan, seed=seed, work=work, tell=tell, show=show)
        tell("Judging what was learned.")
        figures = judging.compare(before, judging.judge(asked, tuning.encode), seed=seed)
        card = saving.Card(
            name=_name(model),
            base=model.fingerprint,
            made=made,
            seed=seed,
            how="all layers" if full else "LoRA",
            batch=plan.batch,
            messages=messages,
            course=course,
            figures=figures,
        )
        saving.write_weights(tuning, model, work)
        saving.write_card(card, work, authors={one.author for one in told.said})
        saving.draw(course, work / saving.PICTURE)
    return Outcome(folder=out, course=course, figures=figures, messages=messages)


def _learn(
    tuning: Tuning,
    told: Telling,
    slices: Slices,
    plan: Plan,
    *,
    seed: int,
    work: Path,
    tell: Callable[[str], None],
    show: Callable[[int, int], None],
) -> Course:
    held = Supply(told, slices.watched, seed=seed)
    watched = [held.draw(plan.batch) for _ in range(WATCHED)]
    watch = Telltale(folder=work / "events", tell=tell, show=show)
    try:
        return learn(tuning, Supply(told, slices.learned, seed=seed).draw, watched, plan, watch)
    finally:
        watch.end()


def _name(model: Model) -> str:
    return model.name if model.name.endswith("-tuned") else f"{model.name}-tuned"
