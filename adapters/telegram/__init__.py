"""Telegram, by python-telegram-bot: the one package that imports its SDK, and not before `adapter` is."""
