"""What a member is told of their case: what, why, for how long, and how to appeal, in their language."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import OpenDirect, Warn
from bot.core.i18n import _, spoken, translator, written
from bot.core.wording import escape
from brains.skills.casework import KINDS, QUOTED
from storage import messages

if TYPE_CHECKING:
    from bot.core.actions import KeepCase
    from bot.core.i18n import Translate
    from bot.core.things import Member
    from brains.skills.skill import Context

LAST_WORDS = 5
"""Messages that tell which language a member writes."""
DONE: dict[str, str] = {
    "": _("Nothing is done to you."),
    "note": _("Nothing else is done to you: this is a note."),
    "warn": _("This is a warning."),
    "timeout": _("You cannot write for {minutes} minutes."),
    "kick": _("You are sent out, and may come back."),
    "ban": _("You are sent out for good."),
}
"""What the member is told is done to them."""


async def language_of(context: Context, member: Member) -> str:
    """Return the language that a member speaks: what the platform says, what they write, what is spoken here."""
    if said := spoken(member.language):
        return said
    async with context.faculties.database.read() as connection:
        last = await messages.latest_words(connection, context.community, member.id, LAST_WORDS)
    return written(last) or context.policy.language or context.common


async def theirs(context: Context, member: Member) -> Translate:
    """Return what translates for a member who did not ask."""
    return await asyncio.to_thread(translator, await language_of(context, member))


async def notice(
    context: Context, member: Member, kept: KeepCase, *, why: str = "", deleted: int = 0
) -> OpenDirect | Warn:
    """Tell a member what is done, why, for how long, and how to appeal, in their language.

    `why` is in the staff's own words, where they gave some; without, it is what the case is about. A warning is said
    as the platform has it; the rest in a direct conversation.
    """
    translate = await theirs(context, member)
    reason = escape(why) if why else translate(KINDS[kept.about])
    lines = [translate(_("**{community}**: {reason}")).format(community=escape(context.community.name), reason=reason)]
    if kept.exhibits and kept.exhibits[-1].text:
        lines += [wording.quote(kept.exhibits[-1].text[:QUOTED]), ""]
    if deleted:
        lines.append(translate(_("I took away {count} of your messages.")).format(count=deleted))
    lines.append(translate(DONE[kept.step]).format(minutes=kept.minutes))
    if kept.points:
        sentence = translate(_("It counts {points} points for {days} days."))
        lines.append(sentence.format(points=kept.points, days=kept.days))
    appeal = _("If this is wrong, tell the staff: `/appeal {case}` and why. Somebody will look at it again.")
    lines.append(translate(appeal).format(case=kept.case))
    text = "\n".join(lines)
    if kept.step == "warn" and kept.exhibits:
        return Warn(member=member.ref, channel=kept.exhibits[-1].channel, text=text, by=kept.by)
    return OpenDirect(member=member.ref, text=text, space=kept.space)


async def relief(context: Context, member: Member, case: str) -> OpenDirect:
    """Tell a member that what was done to them is taken back."""
    translate = await theirs(context, member)
    words = translate(
        _(
            "**{community}**: the staff looked at case {case} again. "
            "It was fine, and what was done to you is taken back. Sorry."
        )
    )
    return OpenDirect(member=member.ref, text=words.format(community=escape(context.community.name), case=case))
