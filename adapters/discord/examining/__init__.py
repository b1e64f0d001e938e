"""What `kinfolk doctor` tells of Discord: what is well, what is not, and the one step that mends it."""

from __future__ import annotations

from adapters.discord.examining.examine import examine

__all__ = ["examine"]
