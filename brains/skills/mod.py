"""What staff do to members by hand: `/mod warn`, `timeout`, `kick`, `ban`, `unban` and `untimeout`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bot.core.actions import Ban, Kick, Timeout, Unban, Warn
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Ref
from bot.core.wording import describe, escape, marked
from brains.skills.skill import Skill
from brains.skills.steering import for_all, ref, who
from storage import members

if TYPE_CHECKING:
    from bot.core.actions import Action
    from brains.skills.skill import Context

HOUR = 60
"""Minutes of a timeout where staff names none."""


async def propose(context: Context) -> Decision | None:
    """Do what staff wants done to a member."""
    given = context.command.arguments
    whom, why = await _whom(context, given["member"]), given.get("reason", "")
    action = await _action(context, given["action"], whom, why)
    back = not isinstance(action, Kick) and given["action"] != "untimeout"
    words = context.translate(_("Done: {change}. /undo takes it back.") if back else _("Done: {change}."))
    said = context.answer(words.format(change=marked(action, context.translate)))
    reason = f"{who(context)}: {describe(action, context.translate)}" + (f" ({why})" if why else "")
    return Decision(skill=SKILL.name, actions=(action, said), reason=reason, about=(whom,))


async def _action(context: Context, act: str, whom: Ref, why: str) -> Action:
    match act:
        case "warn":
            if not why:
                raise Mistake(_("Say what the warning is for: the member reads it."))
            text = (await for_all(context))(_("**A warning from the staff**: {reason}")).format(reason=escape(why))
            return Warn(member=whom, channel=context.command.channel.ref, text=text)
        case "timeout":
            minutes = context.command.arguments.get("minutes", HOUR)
            return Timeout(member=whom, minutes=int(minutes), reason=why)
        case "untimeout":
            return Timeout(member=whom, minutes=0, reason=why)
        case "kick":
            return Kick(member=whom, reason=why)
        case "ban":
            return Ban(member=whom, reason=why)
        case _:
            return Unban(member=whom, reason=why)


async def _whom(context: Context, wanted: str) -> Ref:
    """Return who is meant; raises Mistake for the asker, for a bot, and where nobody is called so."""
    async with context.faculties.database.read() as connection:
        try:
            found = await members.find(connection, context.community, wanted)
        except Mistake:
            if stranger := _stranger(context, wanted):
                return stranger
            raise
        bots = await members.bots(connection, context.community)
    if found.ref == ref(context):
        raise Mistake(_("That is you. Nobody acts on themselves."))
    if found.id in bots:
        raise Mistake(_("{name} is a bot. Take it out in the settings of the platform."), name=found.name)
    return found.ref


def _stranger(context: Context, wanted: str) -> Ref | None:
    """Return who was never met, but is named by the platform: who only ever listened, or was banned before."""
    with contextlib.suppress(ValueError):
        named = Ref.parse(wanted)
        return named if named.platform == context.space.platform else None
    return None


SKILL = Skill(
    name="mod",
    purpose=_("Warns, times out and bans for the staff"),
    propose=propose,
    commands=("mod",),
)
