"""Encoders that learned from members: whose words are in one, told by salted hashes, and their end at a forget."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

CARD = "encoder.json"
LEFT_BEHIND = ("adapter", "events", "models", "loss.png", "*.log", "*.lock", "*.sock")
FOLDER = "encoders"
"""In the home: where encoders that learned from a community lie, a folder each."""


def marked(authors: Collection[str]) -> dict[str, object]:
    """Return what a card keeps of its authors: hashes, with the salt that they were made with."""
    salt = secrets.token_hex(16)
    return {"salt": salt, "authors": sorted(_hash(salt, author) for author in authors)}


def learned_from(card: Path, author: str) -> bool:
    """Say whether an author's words are in the encoder of a card; one that cannot be read may hold anybody's."""
    try:
        facts = json.loads(card.read_text("utf-8"))
        return _hash(facts["salt"], author) in facts["authors"]
    except (OSError, ValueError, KeyError, TypeError):
        return True


def that_learned_from(home: Path, author: str) -> list[str]:
    """Return the names of the encoders of a home that learned from an author."""
    return [card.parent.name for card in _cards(home) if learned_from(card, author)]


def take_in(home: Path, folder: Path, name: str) -> Path:
    """Copy an encoder to the others of a home, where a forget finds it; what is no part of what serves stays behind."""
    here, work = home / FOLDER / name, home / FOLDER / f"{name}.unfinished"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    shutil.rmtree(here, ignore_errors=True)
    work.rename(here)
    return here


def strangers(card: Path, known: Collection[str]) -> tuple[int, int]:
    """Return how many authors a card has, and how many of them are none of those known. Raises ValueError."""
    try:
        facts = json.loads(card.read_text("utf-8"))
        hashes = {_hash(facts["salt"], author) for author in known}
        return len(facts["authors"]), len(set(facts["authors"]) - hashes)
    except (OSError, KeyError, TypeError) as trouble:
        raise ValueError(f"{card} names no authors") from trouble


def forget(home: Path, author: str) -> int:
    """Remove the encoders of a home that learned from an author, and return how many they were.

    Weights cannot unlearn: what is left is the base, until the next training, which reads what is there by then.
    """
    gone = [home / FOLDER / name for name in that_learned_from(home, author)]
    for folder in gone:
        log.warning("the encoder %s learned from somebody who is forgotten, so it is removed", folder.name)
        shutil.rmtree(folder)
    return len(gone)


def _cards(home: Path) -> Iterator[Path]:
    yield from (home / FOLDER).glob(f"*/{CARD}")


def _hash(salt: str, author: str) -> str:
    return hashlib.sha256(f"{salt}/{author}".encode()).hexdigest()[:32]
