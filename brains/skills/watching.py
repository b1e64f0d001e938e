"""What the staff watches for: `/pulse watch add`, `remove` and `list`."""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import wording, zones
from bot.core.actions import KeepWatchword
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape
from brains.moderation.words import Phrase, Words
from brains.skills.alert_cards import QUIET_DAYS
from brains.skills.steering import ref, staff_channel, who
from storage import alerts, lately, watchlists

if TYPE_CHECKING:
    from brains.skills.skill import Context

MOST = 50
"""Words that a community watches at most."""
LONGEST = 60
"""Characters of a word or a few."""
ENOUGH = 100
"""Messages of the last days that are counted at most, where somebody asks how often a word is said."""


async def propose(context: Context) -> Decision:
    """Watch a word, watch it no more, or list what is watched."""
    given = context.command.arguments
    word = wording.short(given.get("word", "")).casefold()
    match given.get("change") or ("add" if word else "list"):
        case "add":
            return await _add(context, word)
        case "remove":
            return await _remove(context, word)
        case _:
            return await _list(context)


async def _add(context: Context, word: str) -> Decision:
    async with context.faculties.database.read() as connection:
        known = [one.word for one in await watchlists.every(connection, context.community)]
    await asyncio.to_thread(_check, word, known)
    if await staff_channel(context) is None:
        raise Mistake(_("There is no staff channel here yet, where I could tell of it. /setup staff_channel"))
    keep = KeepWatchword(word=word, by=ref(context))
    told = context.translate(
        _(
            "I watch for **{word}** now, and tell the staff channel when it is said after {days} days without it, and "
            "when it is said far more than usual. Said in the last {days} days: {count}. /undo takes it back."
        )
    )
    text = told.format(word=escape(word), days=QUIET_DAYS, count=await _said(context, word))
    return _decided(context, keep, text)


def _check(word: str, known: list[str]) -> None:
    """Let only be watched what can be. Raises Mistake."""
    if not word:
        raise Mistake(_("Say which word: /pulse watch add WORD"))
    if len(word) > LONGEST:
        raise Mistake(_("A watched word has {most} characters at most."), most=LONGEST)
    if word in known:
        raise Mistake(_("{word!r} is watched already."), word=word)
    if len(known) >= MOST:
        raise Mistake(_("You watch {most} words already; take one off first: /pulse watch remove WORD"), most=MOST)
    Words([Phrase(text=word)])  # says what is wrong with it


async def _said(context: Context, word: str) -> str:
    """Say in how many messages of the last days a word was, of those that the asker may read."""
    scope = replace((await context.reach()).scope, since=context.now - timedelta(days=QUIET_DAYS))
    async with context.faculties.database.read() as connection:
        texts = await lately.holding(connection, scope, word, limit=ENOUGH)
    words = Words([Phrase(text=word)])
    count = await asyncio.to_thread(lambda: sum(bool(words.find(text)) for text in texts))
    return f"{count}+" if len(texts) == ENOUGH else str(count)


async def _remove(context: Context, word: str) -> Decision:
    async with context.faculties.database.read() as connection:
        known = [one.word for one in await watchlists.every(connection, context.community)]
    if word not in known:
        near = difflib.get_close_matches(word, known, n=3)
        if near:
            raise Mistake(_("{word!r} is not watched. Did you mean {near}?"), word=word, near=", ".join(near))
        raise Mistake(_("{word!r} is not watched. /pulse watch list shows what is."), word=word)
    keep = KeepWatchword(word=word, watched=False, before=True, by=ref(context))
    text = context.translate(_("I watch for **{word}** no more. /undo takes it back.")).format(word=escape(word))
    return _decided(context, keep, text)


def _decided(context: Context, keep: KeepWatchword, text: str) -> Decision:
    reason = f"{who(context)}: {wording.describe(keep, context.translate)}"
    return Decision(skill="pulse", actions=(keep, context.answer(text)), reason=reason)


async def _list(context: Context) -> Decision:
    async with context.faculties.database.read() as connection:
        known = await watchlists.every(connection, context.community)
        muted = await alerts.muted(connection, context.community, context.now)
    reach, translate = await context.reach(), context.translate
    zone = await zones.opened(context.policy.time_zone)
    lines = []
    for one in known:
        who_added = f", {wording.member(one.added_by, one.added_by.id)}" if one.added_by else ""
        lines.append(f"- **{escape(one.word)}** ({one.added_at.astimezone(zone).date().isoformat()}{who_added})")
    text = "\n".join(lines) or translate(_("No word is watched. /pulse watch add WORD"))
    rooms = {str(room.ref): wording.channel(room.ref, room.name) for room in reach.channels.values()}
    named = [rooms.get(one.name, "") if one.kind in {"channel", "mood"} else escape(one.name) for one in muted]
    if silent := [one for one in named if one]:
        text += "\n" + translate(_("Muted: {what}.")).format(what=", ".join(silent))
    reason = translate(_("{member} looked at what is watched")).format(member=who(context))
    return Decision(skill="pulse", actions=(context.answer(text),), reason=reason)
