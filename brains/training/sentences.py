"""The sentences written for Kinfolk: what no open data covers, hard negatives, templates of the fairness bar."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "sentences"
Half = Literal["train", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of ours, its language, and whether it is an example of its head or a hard negative."""

    text: str
    language: str
    positive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """A harmless sentence about or by a group of people; `line` numbers the template or sentence it came from."""

    text: str
    language: str
    group: str
    kind: Literal["identity", "dialect"]
    line: int


def sentences(head: str) -> list[Sentence]:
    """Return what was written for a head."""
    return [
        Sentence(text=row["text"], language=row["lang"], positive=bool(row["label"]))
        for row in _rows(FOLDER / f"{head}.jsonl")
    ]


def chat() -> list[str]:
    """Return ordinary chat in Chinese, of which open data with a licence that lets weights ship was not found."""
    return [row["text"] for row in _rows(FOLDER / "chat.jsonl")]


def harmless(half: Half) -> list[Harmless]:
    """Return one half of the harmless sentences; no template and no sentence is in both."""
    told = json.loads((FOLDER / "fairness.json").read_text(encoding="utf-8"))
    found = list(_identity(told, half))
    for group, lines in told["dialects"].items():
        found += [
            Harmless(text=text, language=_language(text), group=group, kind="dialect", line=at)
            for at, text in enumerate(lines)
            if at % 2 == (half == "test")
        ]
    return found


def _identity(told: dict[str, dict[str, dict[str, list[str]]]], half: Half) -> Iterator[Harmless]:
    for language, groups in told["groups"].items():
        for line, template in enumerate(told["templates"][language][half]):
            for group, words in groups.items():
                for word in words:
                    text = _article(template, word) if language == "en" else template.replace("{}", word)
                    yield Harmless(text=text, language=language, group=group, kind="identity", line=line)


def filled(template: str, language: str) -> Iterator[str]:
    """Yield a template with the words of every group of a language."""
    told = json.loads((FOLDER / "fairness.json").read_text(encoding="utf-8"))
    for words in told["groups"][language].values():
        for word in words:
            yield _article(template, word) if language == "en" else template.replace("{}", word)


def _article(template: str, word: str) -> str:
    """Fill a template in, with the article that its word wants."""
    if word[0] in "AEIOaeio":
        for before, after in (("a {}", "an {}"), ("A {}", "An {}")):
            if template.startswith(before) or f" {before}" in template:
                template = template.replace(before, after)
    return template.replace("{}", word)


def _language(text: str) -> str:
    return "zh" if any("\u3400" <= letter <= "\u9fff" for letter in itertools.islice(text, 200)) else "en"


def _rows(path: Path) -> list[dict[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [cast("dict[str, str]", json.loads(line)) for line in lines]
