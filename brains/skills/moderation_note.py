"""Tells the staff once a week how often each detector was right, and what members had to report."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Say
from bot.core.decisions import Decision
from bot.core.events import TimerFired
from bot.core.i18n import _
from brains.moderation.precision import Right, note
from brains.skills.skill import Skill
from brains.skills.steering import for_staff, staff_channel
from storage import cases

if TYPE_CHECKING:
    from brains.skills.skill import Context

DAYS = 7
SCHEDULE = "moderation.weekly"


async def propose(context: Context) -> Decision | None:
    """Say in the staff channel how the week's cases ended, where any did."""
    match context.event:
        case TimerFired(schedule=schedule, planned=planned) if schedule == SCHEDULE:
            pass
        case _:
            return None
    async with context.faculties.database.read() as connection:
        tallies = await cases.precision(connection, context.community, planned - timedelta(days=DAYS), planned)
    found = [
        Right(detector=one.detector, settled=one.settled, overturned=one.overturned) for one in tallies if one.detector
    ]
    missed = sum(one.missed for one in tallies)
    words = note(found, missed, days=DAYS, translate=await for_staff(context))
    staff = await staff_channel(context)
    if not words or staff is None:
        why = _("no case was settled this week") if staff else _("there is no staff channel")
        return Decision(skill=SKILL.name, actions=(), reason=context.translate(why))
    reason = context.translate(_("the weekly note of how often I was right"))
    return Decision(skill=SKILL.name, actions=(Say(to=staff.ref, text=words),), reason=reason)


SKILL = Skill(
    name="moderation_note",
    purpose=_("Telling the staff weekly how often I was right"),
    propose=propose,
    hears=(TimerFired,),
)
"""How a week of moderation went."""
