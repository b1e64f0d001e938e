"""Reads what Slack told, which may lack anything: every part that is not there, or is something else, is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Told = dict[str, object]


def value(told: object, *path: str) -> object:
    """Return what stands at the end of a path, None where there is nothing."""
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def text(told: object, *path: str) -> str:
    """Return the text at the end of a path."""
    found = value(told, *path)
    return found if isinstance(found, str) else ""


def part(told: object, *path: str) -> Told:
    """Return the object at the end of a path."""
    found = value(told, *path)
    return found if isinstance(found, dict) else {}


def parts(told: object, *path: str) -> list[Told]:
    """Return the objects in the list at the end of a path."""
    found = value(told, *path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def texts(told: object, *path: str) -> list[str]:
    """Return the texts in the list at the end of a path."""
    found = value(told, *path)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def number(told: object, *path: str) -> int:
    """Return the whole number at the end of a path."""
    found = value(told, *path)
    return found if isinstance(found, int) else 0


def is_set(told: Mapping[str, object], *names: str) -> bool:
    """Say whether any of these is true of something."""
    return any(told.get(name) is True for name in names)
