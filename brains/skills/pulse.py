"""`/pulse`: how the community is doing, for its staff: three sentences and a picture, of what they may read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import zones
from bot.core.actions import Attachment
from bot.core.decisions import Decision
from bot.core.i18n import _
from brains.rhythm.chart import draw
from brains.rhythm.telling import told
from brains.rhythm.trends import USUAL_DAYS
from brains.skills import watching
from brains.skills.skill import Skill
from brains.skills.steering import who

if TYPE_CHECKING:
    from bot.core.actions import Say
    from brains.skills.skill import Context

NAME = "pulse"
FILE = "pulse.png"


async def propose(context: Context) -> Decision | None:
    """Answer the command."""
    given = context.command.arguments
    if given.get("action") == "watch":
        return await watching.propose(context)
    from brains.rhythm.looking import only, take  # brings scipy, which the other skills do without

    reach = await context.hearing()
    wanted = given.get("channel", "")
    faculties = context.faculties
    taken = await take(
        faculties.database,
        await faculties.vectors(),
        context.community,
        only(reach, wanted) if wanted else reach,
        fingerprint=(await faculties.encoder()).fingerprint,
        now=context.now,
        days=int(given.get("days") or USUAL_DAYS),
        zone=await zones.opened(context.policy.time_zone),
    )
    part = taken.channels[0] if wanted else taken.whole
    text = " ".join(told(taken, part, context.translate))
    title = f"#{part.channel.name}" if part.channel else context.community.name
    drawn = await asyncio.to_thread(draw, taken, part, title, context.translate) if part.messages else b""
    return Decision(
        skill=NAME,
        actions=(_answer(context, text, drawn),),
        reason=context.translate(_("{member} asked how the community is doing")).format(member=who(context)),
        evidence=tuple(taken.said[row].ref for topic in part.change.all for row in topic.rows if row in taken.said),
    )


def _answer(context: Context, text: str, drawn: bytes) -> Say:
    said = context.answer(text)
    if not drawn:
        return said
    instead = context.translate(_("(This platform takes no picture here; `kinfolk pulse --png FILE` draws it.)"))
    instead = f"{text}\n\n{instead}"
    return replace(said, attachments=(Attachment(name=FILE, data=drawn, instead=instead),))


SKILL = Skill(
    name=NAME,
    purpose=_("Tells the staff how the community is doing"),
    propose=propose,
    commands=("pulse",),
    patience=60,
)
