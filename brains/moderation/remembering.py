"""Lessons as the memory keeps them: with their vectors where these are of the encoder at hand, else by trigrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brains.moderation.memory import NARROW, Memento, memento
from brains.moderation.pictures import SAME, Album, Known, distance
from brains.moderation.undisguise import undisguise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.lessons import Lesson


def remember(lesson: Lesson, made_by: str) -> Memento:
    """Remember a lesson, encoded or not yet."""
    if not lesson.signature:
        return memento(
            undisguise(lesson.text).plain,
            label=lesson.label,
            case=lesson.case,
            message=lesson.message,
            matures_at=lesson.matures_at,
        )
    return Memento(
        label=lesson.label,
        case=lesson.case,
        message=lesson.message,
        signature=np.frombuffer(lesson.signature, dtype=np.uint32),
        vector=lesson.vector if lesson.made_by == made_by else None,
        matures_at=lesson.matures_at,
        narrow=lesson.width < NARROW,
    )


def album(taught: Sequence[Lesson]) -> Album:
    """Return the pictures that were confirmed, but for those that were called fine since."""
    found: list[Known] = []
    for one in taught:
        if one.head == "picture" and one.picture:
            found = [known for known in found if distance(known.hash, one.picture) > SAME]
            if one.label:
                found.append(Known(hash=one.picture, confirmed="here", message=one.message, matures_at=one.matures_at))
    return Album(found)
