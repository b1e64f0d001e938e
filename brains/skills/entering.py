"""How a member comes into a channel on its platform, and what they are told then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import GrantRole, Invite
from bot.core.i18n import _
from bot.core.things import Ref

if TYPE_CHECKING:
    from bot.core.things import Channel
    from brains.skills.skill import Context


def brought(context: Context, member: Ref, channel: Channel) -> tuple[Invite | GrantRole, ...]:
    """Return what brings a member into a channel: the role that opens it, an invitation, or nothing but its link."""
    can = context.can.get(channel.ref.platform, frozenset())
    role = context.overrides.get(("opened_by", str(channel.ref)))
    if role and "GrantRole" in can:
        return tuple(GrantRole(member=member, role=Ref.parse(one)) for one in role.split(", "))
    return (Invite(member=member, channel=channel.ref),) if "Invite" in can else ()


def told(context: Context, channel: Channel) -> str:
    """Say what came of it, and what to do next, as it is on the platform of the channel; to be translated."""
    can = context.can.get(channel.ref.platform, frozenset())
    if {"Invite", "enters"} <= can:
        return _("You are in {channel} now. Say hello!")
    if {"Invite", "opened"} <= can:
        return _(
            "{channel} is open to you: go there and say hello! "
            "If it is another group, I have sent you a link in private that lets you in once, until tomorrow."
        )
    return _("{channel} is open to you: go there and say hello!")
