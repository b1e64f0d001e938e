"""What `kinfolk doctor` tells of Telegram: what is well, what is not, and the one step that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.error import BadRequest, Conflict, Forbidden, TelegramError

from adapters.telegram import names
from adapters.telegram.adapter import KEPT
from adapters.telegram.client import client, told
from adapters.telegram.needs import lacking
from adapters.telegram.polling import ANOTHER, WEBHOOK
from adapters.telegram.trouble import in_words
from bot.core.ports import Finding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from adapters.telegram.client import Client
    from bot.core.events import Named

NAME = "telegram"
LOOKED_AT = 20
"""Groups that are looked at."""
RIVAL = 4
"""Seconds within which another program asks again whose question was refused."""
PRIVACY = (
    "privacy mode is on: where I am no administrator I am told of commands and mentions only. Make me an "
    "administrator, or tell @BotFather: /setprivacy, your bot, Disable; then take me out of each group and add me again"
)


async def examine(
    token: SecretStr,
    *,
    groups: Sequence[Named],
    latest: datetime | None,
    now: datetime,
    running: bool,
    api: str = "",
) -> list[Finding]:
    """Look over the bot's place on Telegram. Raises Misconfigured or Gone."""
    try:
        async with client(token, api=api) as bot:
            return [one async for one in _findings(bot, groups, latest, now, running=running)]
    except TelegramError as error:
        raise told(error, api) from None


async def _findings(
    bot: Client, groups: Sequence[Named], latest: datetime | None, now: datetime, *, running: bool
) -> AsyncIterator[Finding]:
    yield Finding(name=NAME, state="ok", words=f"Telegram knows the token: @{bot.username}")
    yield _privacy(bot)
    yield await _updates(bot, latest, now, running=running)
    if not groups:
        words = f"in no group yet that I know of. Add me: https://t.me/{bot.username}?startgroup=true"
        yield Finding(name=NAME, state="warn", words=words)
    for group in groups[:LOOKED_AT]:
        yield await _group(bot, group)
    if len(groups) > LOOKED_AT:
        words = f"{len(groups):,} groups are known; {LOOKED_AT} were looked at"
        yield Finding(name=NAME, state="ok", words=words)


def _privacy(bot: Client) -> Finding:
    if bot.bot.can_join_groups is False:
        words = "this bot may not be added to groups. Tell @BotFather: /setjoingroups, your bot, Enable"
        return Finding(name=NAME, state="bad", words=words)
    if bot.bot.can_read_all_group_messages:
        return Finding(name=NAME, state="ok", words="privacy mode is off: I am told of everything in my groups")
    return Finding(name=NAME, state="warn", words=PRIVACY)


async def _updates(bot: Client, latest: datetime | None, now: datetime, *, running: bool) -> Finding:
    """Look whether what happens comes here: nowhere else, and nothing was lost."""
    webhook = await bot.get_webhook_info()
    if webhook.url:
        return Finding(name=NAME, state="bad", words=WEBHOOK)
    if not running and await _is_polled(bot):
        return Finding(name=NAME, state="bad", words=ANOTHER)
    waiting = webhook.pending_update_count
    if waiting and latest is not None and now - latest > KEPT:
        words = (
            f"the newest message that is stored is of {latest:%Y-%m-%d %H:%M}, and Telegram keeps what happens for 24 "
            "hours: what was said in between is lost here, and an export of the group has it"
        )
        return Finding(name=NAME, state="warn", words=words)
    return Finding(name=NAME, state="ok", words=f"no webhook; {waiting:,} updates wait to be fetched")


async def _is_polled(bot: Client) -> bool:
    """Say whether another program asks for updates: of two who wait Telegram refuses one. This confirms nothing."""
    try:
        await bot.updates(0, wait=RIVAL, limit=1)
    except Conflict:
        return True
    return False


async def _group(bot: Client, group: Named) -> Finding:
    number = names.place(group.ref).chat
    try:
        chat = await bot.get_chat(number)
        me = await bot.get_chat_member(number, bot.id)
    except (BadRequest, Forbidden) as refused:
        return Finding(name=NAME, state="warn", words=f"{group.name}: {in_words(refused)}")
    if me.status not in {"administrator", "creator"}:
        words = f"{group.name}: I am no administrator. I answer there, and moderate nobody: group, Administrators"
        return Finding(name=NAME, state="warn", words=words)
    missing = lacking(me, forum=bool(chat.is_forum))
    if missing:
        rights = "; ".join(f"{need.label} ({need.why})" for need in missing)
        return Finding(name=NAME, state="warn", words=f"{group.name}: I lack {rights}. Group, Administrators, my name")
    return Finding(name=NAME, state="ok", words=f"{group.name}: an administrator with all that I need")
