"""What may be done once in a while: a process remembers when it last did what, where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bot.core.things import Ref


@dataclass(frozen=True, slots=True)
class Pace:
    """Remembers no longer than it has to. After a restart everything may be done at once."""

    _last: dict[tuple[str, Ref], datetime] = field(default_factory=dict)

    def may(self, what: str, where: Ref, *, now: datetime, every: timedelta) -> bool:
        """Say whether so long has passed since it was last done there; if so, it counts as done now."""
        over = [key for key, at in self._last.items() if key[0] == what and abs(now - at) >= every]
        for key in over:
            del self._last[key]
        if (what, where) in self._last:
            return False
        self._last[what, where] = now
        return True
