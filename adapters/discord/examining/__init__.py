"""What `kinfolk doctor` tells of Discord: what is well, what is not, and the one step that mends it."""

from __future__ import annotations

from adapters.discord.examining.examine import examine
from adapters.discord.examining.server import Wishes

__all__ = ["Wishes", "examine"]
