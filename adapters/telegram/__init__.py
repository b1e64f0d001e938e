"""Telegram, by python-telegram-bot: the one package that imports its SDK."""

from __future__ import annotations

from adapters.telegram.adapter import Telegram

__all__ = ["Telegram"]
