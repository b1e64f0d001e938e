"""Somebody who may harm themselves is offered help, alone, and the staff is told; nobody is punished for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button, OpenDirect
from bot.core.decisions import Decision, Mode
from bot.core.i18n import _
from bot.core.policies import mode_of
from brains.skills import letters
from brains.skills.casework import NAME
from brains.skills.steering import for_staff, staff_channel
from storage import acts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.events import MessageEdited, MessagePosted
    from bot.core.things import Member
    from brains.moderation.detection import Detection
    from brains.skills.skill import Context

ONCE = timedelta(days=1)
"""Somebody in need is offered help once in so long."""


async def offer_help(
    context: Context, event: MessagePosted | MessageEdited, member: Member, detections: Sequence[Detection]
) -> Decision | None:
    """Offer help to somebody who may harm themselves, and let the staff know; nobody is punished, no case is kept."""
    if await _was_offered(context, member):
        return None
    translate = await letters.theirs(context, member)
    words = translate(
        _(
            "I read what you wrote, and I am only a bot; but you need not be alone with this. "
            "If you are in danger now, call the emergency number of where you are. "
            "Somebody to talk to, in your country and free of charge: {help}"
        )
    )
    help_ = OpenDirect(member=member.ref, text=words.format(help=context.policy.help_line), space=context.space)
    return Decision(
        skill=NAME,
        actions=(*await _alert(context, event, help_), help_),
        reason="; ".join(dict.fromkeys(one.reason for one in detections)),
        evidence=(event.message,),
        about=(member.ref,),
        confidence=max(one.score for one in detections),
    )


async def _was_offered(context: Context, member: Member) -> bool:
    async with context.faculties.database.read() as connection:
        found = await acts.naming(connection, context.community, member.ref)
    return any(
        isinstance(one.action, OpenDirect)
        and context.policy.help_line in one.action.text
        and context.now - one.intended_at < ONCE
        for one in found
    )


async def _alert(context: Context, event: MessagePosted | MessageEdited, help_: OpenDirect) -> tuple[AskStaff, ...]:
    """Let the staff know where a human may be needed, without quoting it; they are asked where the bot may not write.

    It comes before the help: whoever cannot be written to needs them the more.
    """
    staff = await staff_channel(context)
    if staff is None:
        return ()
    translate = await for_staff(context)
    asks = mode_of(dict(context.modes), NAME, str(event.channel.ref)) is Mode.ASK
    writing = _("**Please look**: {member} may need somebody, {link}. I write to them. Nothing is held against them.")
    asking = _(
        "**Please look**: {member} may need somebody, {link}. "
        "I wrote nothing to them: shall I offer them help? Nothing is held against them."
    )
    told = translate(asking if asks else writing).format(
        member=wording.member(event.author.ref, event.author.name),
        link=wording.message(event.message, translate(_("this message"))),
    )
    labels = {"approve": _("Offer help"), "decline": _("Done")} if asks else {"approve": _("Done")}
    buttons = tuple(
        Button(label=translate(label), press=f"staff.{press}", choice="proposal") for press, label in labels.items()
    )
    return (AskStaff(to=staff.ref, text=told, skill=NAME, proposed=(help_,) if asks else (), buttons=buttons),)
