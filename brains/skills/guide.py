"""The first words to whoever brings the bot into a community: what it does, what it reads, and how to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import OpenDirect
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import BotAdded
from bot.core.i18n import _
from brains.skills import presets
from brains.skills.skill import Skill

if TYPE_CHECKING:
    from brains.skills.skill import Context

GUIDE = (
    _("Hello! Thank you for bringing me into your community. I am Kinfolk."),
    "",
    _("- I help members find the channels and the people they belong with: /match"),
    _("- I welcome newcomers, and show them where to begin."),
    _("- I help your staff: members report to them, and whatever I do is explained and taken back."),
    "",
    _(
        "I read the channels that you let me see, and nothing else; direct messages are never kept. "
        "A channel that I am not to read: /setup read no, with the channel."
    ),
    _("I begin by watching: unasked I do nothing until you say so. Commands I answer at once."),
    "",
    _("- **/setup** shows what comes next: first a channel where I reach your staff."),
    _("- **/mode** steers what each of my skills may do unasked."),
    _("- **/privacy notice** tells your members what I read and why, and how they say no."),
    "",
    _("/help names all the rest. Shall I begin right away? Choose, and change it whenever you like:"),
)


async def propose(context: Context) -> Decision | None:
    """Write to whoever added the bot. Raises Mistake, for the trace alone, where the platform does not say who."""
    assert isinstance(context.event, BotAdded)  # noqa: S101 - nothing else is heard
    by = context.event.by
    if by is None:
        raise Mistake(_("The platform does not say who added me, so nobody was told how to begin: /setup"))
    text = "\n".join(context.translate(line) if line else "" for line in GUIDE)
    words = OpenDirect(member=by.ref, text=text, buttons=tuple(presets.buttons(context.translate, by.ref)))
    return Decision(skill=SKILL.name, actions=(words,), reason=context.translate(_("tells who added me how to begin")))


SKILL = Skill(
    name="guide",
    purpose=_("Tells whoever brings me into a community how to begin"),
    propose=propose,
    hears=(BotAdded,),
    spoken_to=(BotAdded,),
)
