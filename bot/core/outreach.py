"""When somebody may be written to who did not ask: quiet hours, how much a week holds, who wants none of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

WEEK = timedelta(days=7)
"""In which it is counted how much was written to somebody."""
NO_HOURS = "none"
"""How staff says that no hour is quiet."""
DAY = 24
"""Hours."""

Against = Literal["", "refused", "stopped", "night", "often"]
"""What speaks against writing to somebody: they refused, they want to be asked nothing more, it is a quiet hour there,
or they heard enough this week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours of the day by the clock on the wall: from `begin` up to `end`, over midnight where that is the smaller."""

    begin: int
    end: int

    def holds(self, hour: int) -> bool:
        """Say whether an hour of the day, from 0 to 23, is one of them."""
        if self.begin < self.end:
            return self.begin <= hour < self.end
        return hour >= self.begin or hour < self.end

    def __str__(self) -> str:
        """Write them as `quiet_hours` reads them."""
        return f"{self.begin}-{self.end}"


def quiet_hours(text: str) -> Quiet | None:
    """Read hours such as `22-8`; None for `none`. Raises ValueError for anything else."""
    if text.strip().casefold() == NO_HOURS:
        return None
    begin, _dash, end = text.partition("-")
    found = Quiet(begin=int(begin), end=int(end))
    if not (0 <= found.begin < DAY and 0 <= found.end < DAY) or found.begin == found.end:
        raise ValueError(f"these are no hours of a day: {text}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outreach:
    """How it stands with a member to whom something is to be written that they did not ask for.

    `sent` counts what they heard of that within a week, by any account of theirs; `night` says that it is a quiet hour
    where they are, and `refused` that nothing of theirs may be used. `stopped` says that they want to hear nothing
    unasked, `again` that they switched something on since. `person` numbers the human behind the account.
    """

    person: int = 0
    sent: int = 0
    night: bool = False
    refused: bool = False
    stopped: bool = False
    again: bool = False


def against(known: Outreach, *, most: int, sent: int = 0, wanted: bool = False) -> Against:
    """Say what speaks against one more message to somebody; `sent` are those that are about to be written as well.

    What is `wanted` they switched on themselves: it comes again to whoever did so after they wanted to hear nothing.
    """
    if known.refused:
        return "refused"
    if known.stopped and not (wanted and known.again):
        return "stopped"
    if known.night:
        return "night"
    return "often" if known.sent + sent >= most else ""
