"""Text as Slack writes it, with marks for members, channels and links: from it to what somebody reads."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = re.compile(r"<([^<>]*)>")
UNKNOWN = "…"
"""What stands for a member who is not known, and for a channel that not everybody may know of."""


def readable(text: str, names: Mapping[str, str]) -> str:
    """Return what a message says: members by `@`, channels by `#`, links in Markdown.

    `names` has what members and channels are called by their ids, closed channels left out: not everybody who reads
    the words may know of them.
    """
    return html.unescape(MARK.sub(lambda found: _mark(found[1], names), text))


def _mark(told: str, names: Mapping[str, str]) -> str:
    target, _bar, label = told.partition("|")
    if target.startswith("@"):
        return f"@{names.get(target[1:], UNKNOWN)}"
    if target.startswith("#"):
        return f"#{names.get(target[1:], UNKNOWN)}"
    if target.startswith("!"):
        return _special(target[1:], label)
    if not label or label == target or target.endswith(f"://{label}") or target == f"mailto:{label}":
        return label if target.startswith("mailto:") else target
    return f"[{label}]({target})"


def _special(target: str, label: str) -> str:
    """Return what is read for `here`, `channel`, a group of users, or a date."""
    kind = target.partition("^")[0]
    if kind in {"here", "channel", "everyone"}:
        return f"@{kind}"
    return label or f"@{UNKNOWN}"
