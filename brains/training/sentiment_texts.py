"""What the sentiment head learns from: tweets whose licence lets weights ship, and sentences of our own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from brains.rhythm.sentiment import LABELS
from brains.training import rows
from brains.training.sentences import FOLDER, filled

if TYPE_CHECKING:
    from pathlib import Path

    from brains.rhythm.sentiment import Label
    from brains.training.rows import Row

TWEETS = "en_tweeteval_sentiment.jsonl"
LICENCE = "CC BY 3.0, SemEval-2017 Task 4 by Rosenthal, Farra and Nakov, as TweetEval has it"
OURS, TWEETED = "Kinfolk", "SemEval"
OWN = 2.0
"""What a sentence of ours weighs beside a tweet."""
GROUPS, FILLED = "Kinfolk, groups", 0.1
"""The same sentences about every group of people, and what each weighs: no group's name shall speak for any label."""
SYNONYMS: dict[str, Label] = {
    **{label: label for label in LABELS},
    **dict(zip(("0", "1", "2"), LABELS, strict=True)),
    **dict(zip(("-1", "neg", "pos"), ("negative", "negative", "positive"), strict=True)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A text, where it comes from, its language, and what it is; `line` numbers the template that it fills in."""

    text: str
    source: str
    language: str
    label: Label
    weight: float = 1.0
    line: int | None = None


def gathered(folder: Path) -> list[Labelled]:
    """Read what the head learns from: the tweets of `val`, since `test` judges, and our own. Raises Mistake.

    TweetEval's emotions are left out: their terms forbid passing them on, and say nothing of what is made of them.
    """
    path = rows.needed(folder / "sentiment", TWEETS)
    tweets = [
        Labelled(text=row.text("text"), source=TWEETED, language="en", label=label(row))
        for row in rows.rows(path)
        if row.text("split") != "test"
    ]
    return [one for one in tweets if one.text.strip()] + own() + about_groups()


def own() -> list[Labelled]:
    """Return the sentences that were written for Kinfolk to learn from."""
    lines = (FOLDER / "sentiment.jsonl").read_text(encoding="utf-8").splitlines()
    told = [cast("dict[str, str]", json.loads(line)) for line in lines]
    return [
        Labelled(text=one["text"], source=OURS, language=one["lang"], label=SYNONYMS[one["label"]], weight=OWN)
        for one in told
    ]


def about_groups() -> list[Labelled]:
    """Return the templates of every label, filled in with every group of people."""
    told = json.loads((FOLDER / "sentiment_groups.json").read_text(encoding="utf-8"))
    lines = [(lang, kind, text) for lang in ("en", "zh") for kind in LABELS for text in told[lang][kind]]
    return [
        Labelled(text=text, source=GROUPS, language=lang, label=kind, weight=FILLED, line=line)
        for line, (lang, kind, template) in enumerate(lines)
        for text in filled(template, lang)
    ]


def label(row: Row) -> Label:
    """Read the label of a row: a word, or 0, 1 and 2 as TweetEval counts. Raises Mistake."""
    said = row.text("label").strip().casefold()
    if said not in SYNONYMS:
        raise row.wrong("label", "negative, neutral or positive")
    return SYNONYMS[said]
