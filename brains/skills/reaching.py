"""Writing to members who did not ask: in their language, and where their platform lets the bot write first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.events import place
from bot.core.i18n import catalogue
from bot.core.things import Audience
from brains.skills.letters import language_of
from storage import acts

if TYPE_CHECKING:
    from bot.core.things import Member
    from brains.skills.skill import Context


async def speaking_to(context: Context, member: Member) -> Context:
    """Return the context as that of a member, in the language that they speak."""
    language = await language_of(context, member)
    return replace(context, member=member, language=language, translate=await catalogue(language))


async def may_write(context: Context, member: Member) -> bool:
    """Say whether a platform lets the bot write to somebody in private: some want a conversation opened first."""
    can = context.can.get(member.ref.platform, frozenset())
    if "OpenDirect" not in can or "opened" not in can or _is_alone(context, member):
        return "OpenDirect" in can
    async with context.faculties.database.read() as connection:
        return await acts.spoke_to(connection, context.community, member.ref)


def _is_alone(context: Context, member: Member) -> bool:
    """Say whether they are writing to the bot in private just now."""
    where = place(context.event)
    mine = context.member is not None and context.member.ref == member.ref
    return mine and where is not None and where.audience is Audience.DIRECT
