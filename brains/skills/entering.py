"""How a member comes into a channel on its platform, and what they are told then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import GrantRole, Invite
from bot.core.i18n import _
from bot.core.things import Ref
from brains.skills.steering import member_of
from storage import members

if TYPE_CHECKING:
    from bot.core.things import Channel
    from brains.skills.skill import Context


async def brought(context: Context, channel: Channel) -> tuple[Invite | GrantRole, ...]:
    """Return what brings the asker into a channel: the role that opens it, an invitation, or nothing but its link."""
    can = context.can.get(channel.ref.platform, frozenset())
    role = context.overrides.get(("opened_by", str(channel.ref)))
    member = await _account(context, channel.ref.platform)
    if member is None:
        return ()
    if role and "GrantRole" in can:
        return tuple(GrantRole(member=member, role=Ref.parse(one)) for one in role.split(", "))
    return (Invite(member=member, channel=channel.ref),) if "Invite" in can else ()


async def _account(context: Context, platform: str) -> Ref | None:
    """Return the account by which the asker is on a platform; None where they have none there that is known here."""
    asker = member_of(context)
    if asker.ref.platform == platform:
        return asker.ref
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, asker)
        known = await members.by_numbers(connection, accounts)
    return next((one.ref for one in known.values() if one.ref.platform == platform), None)


def told(context: Context, channel: Channel, bringing: tuple[Invite | GrantRole, ...]) -> str:
    """Say what came of it, and what to do next, as it is on the platform of the channel; to be translated."""
    can = context.can.get(channel.ref.platform, frozenset())
    if bringing and {"Invite", "enters"} <= can:
        return _("You are in {channel} now. Say hello!")
    if bringing and {"Invite", "opened"} <= can:
        return _(
            "{channel} is open to you: go there and say hello! "
            "If it is another group, I have sent you a link in private that lets you in once, until tomorrow."
        )
    return _("{channel} is open to you: go there and say hello!")
