"""What the shipped heads learn from: data whose licence lets weights ship, and sentences of our own."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.heads import HEADS
from brains.training import rows
from brains.training.sentences import chat, harmless, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from brains.moderation.heads import Name
    from brains.training.rows import Row

Labels = dict["Name", bool]
OWN = 20.0
"""What a sentence of ours weighs: they are few, and each was written to tell two things apart."""
NOT_OTHERWISE: Labels = dict.fromkeys(HEADS, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text and what it is and is not; a head that is not in `labels` does not learn from it.

    `line` numbers a template, whose fillings stay together. `held` keeps it from fitting: it is judged only.
    """

    text: str
    source: str
    language: str
    labels: Labels
    weight: float = 1.0
    line: int | None = None
    held: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where examples come from, and what lets weights fitted on them ship."""

    name: str
    path: str
    licence: str
    read: Callable[[Row], Example]


def language(text: str) -> str:
    """Guess a language by its script: zh, ru or en."""
    if any("\u3400" <= letter <= "\u9fff" for letter in text):
        return "zh"
    return "ru" if any("\u0400" <= letter <= "\u04ff" for letter in text) else "en"


def _davidson(row: Row) -> Example:
    label = row.text("label")
    toxic = label != "neither"
    labels: Labels = {"toxicity": toxic, "hate": label == "hate", "spam": False, "self_harm": False}
    if not toxic:
        labels["sexual"] = False
    return Example(text=html.unescape(row.text("text")), source="Davidson", language="en", labels=labels, kind=label)


def _cold(row: Row) -> Example:
    bad = row.text("label") == "1"
    labels: Labels = {"hate": bad, "spam": False, "self_harm": False}
    if not bad:  # what COLD calls offensive attacks groups of people, and insults nobody present
        labels |= {"toxicity": False, "sexual": False}
    kind = f"{row.text('topic')} {row.text('fine', default='')}".strip()
    held = row.text("split") == "test"
    return Example(text=row.text("text"), source="COLD", language="zh", labels=labels, held=held, kind=kind)


def _spam(source: str) -> Callable[[Row], Example]:
    def read(row: Row) -> Example:
        text, spam = row.text("text"), row.text("label") == "1"
        labels: Labels = {**NOT_OTHERWISE, "spam": spam}
        if spam:
            del labels["sexual"]
        held = row.text("split", default="") == "test"
        return Example(text=text, source=source, language=language(text), labels=labels, held=held)

    return read


def _ordinary(row: Row) -> Example:
    return Example(text=row.text("text"), source="Gitter", language="en", labels=NOT_OTHERWISE)


SOURCES = (
    Source(name="COLD", path="moderation/zh_cold.jsonl", licence="Apache-2.0, Deng et al. 2022", read=_cold),
    Source(name="Davidson", path="moderation/en_davidson.jsonl", licence="MIT, Davidson et al. 2017", read=_davidson),
    Source(
        name="SMS",
        path="moderation/en_sms_spam.jsonl",
        licence="CC BY 4.0, SMS Spam Collection by Almeida and Hidalgo",
        read=_spam("SMS"),
    ),
    Source(
        name="tg-spam",
        path="moderation/ruen_telegram_spam.jsonl",
        licence="MIT, umputun/tg-spam",
        read=_spam("tg-spam"),
    ),
    Source(
        name="Gitter", path="gitter_livechat/messages.jsonl", licence="MIT, LiveChat by Shi et al. 2021", read=_ordinary
    ),
    Source(
        name="Gitter",
        path="gitter_livechat/dialogs_manual.jsonl",
        licence="MIT, LiveChat by Shi et al. 2021",
        read=_ordinary,
    ),
)
"""Left out: zh_chat_spam (GPL-3.0) and TweetEval (the licences of its tweets differ). They are judged on alone."""


def gathered(folder: Path) -> list[Example]:
    """Read every source below a folder, and our own. Raises Mistake for a file that is missing or not right."""
    found: list[Example] = []
    for source in SOURCES:
        path = folder / source.path
        found += [source.read(row) for row in rows.rows(rows.needed(path.parent, path.name))]
    return [one for one in found if one.text.strip()] + own()


def own() -> list[Example]:
    """Return the examples that were written for Kinfolk, the training half of the harmless ones among them."""
    found = [one for head in ("toxicity", "sexual", "spam", "self_harm") for one in _written(head)]
    found += [
        Example(text=text, source="Kinfolk", language="zh", labels=NOT_OTHERWISE, weight=OWN, kind="chat")
        for text in chat()
    ]
    for one in harmless("train"):
        line = one.line if one.kind == "identity" else None
        found.append(
            Example(
                text=one.text,
                source="Kinfolk",
                language=one.language,
                labels=NOT_OTHERWISE,
                weight=OWN / 4 if one.kind == "identity" else OWN,
                line=line,
                kind="harmless",
            )
        )
    return found


UNSURE: dict[Name, tuple[Name, ...]] = {
    "toxicity": ("hate",),
    "sexual": ("toxicity", "spam"),
    "spam": ("sexual",),
    "self_harm": (),
    "hate": (),
}
"""What a sentence written as a positive of one head may be besides: then it teaches those heads nothing."""


def _written(head: Name) -> Iterator[Example]:
    for one in sentences(head):
        labels = {**NOT_OTHERWISE, head: one.positive}
        if one.positive:
            labels = {name: label for name, label in labels.items() if name not in UNSURE[head]}
        yield Example(
            text=one.text, source="Kinfolk", language=one.language, labels=labels, weight=OWN, kind=f"{head} written"
        )


def labelled(examples: Sequence[Example], head: Name) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return where the examples are that a head learns from or is judged by, and their labels."""
    places = [at for at, one in enumerate(examples) if head in one.labels]
    return np.array(places, dtype=np.int64), np.array([examples[at].labels[head] for at in places], dtype=np.float32)
