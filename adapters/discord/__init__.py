"""Discord, by discord.py: the one package that imports its SDK."""

from __future__ import annotations

from adapters.discord.adapter import Discord

__all__ = ["Discord"]
