"""All collections in which a message may have a point, as one: for deleting and counting, never for searching."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from bot.core.ports import Points, Scope


class Everywhere:
    """The base's collection and those of adopted encoders."""

    def __init__(self, stores: Sequence[Points]) -> None:
        self._stores = stores

    async def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points from each; unknown ids are ignored."""
        for store in self._stores:
            await store.delete(ids)

    async def count(self, scope: Scope) -> int:
        """Count points in all."""
        return sum([await store.count(scope) for store in self._stores])
