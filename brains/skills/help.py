"""What the bot can do, for whoever asks: `/help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import commands
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.skills.skill import Skill

if TYPE_CHECKING:
    from bot.core.commands import Command
    from brains.skills.skill import Context


async def propose(context: Context) -> Decision | None:
    """Name what the asker may use, or tell more of one command."""
    wanted = context.command.arguments.get("command", "").removeprefix("/")
    words = _one(context, wanted) if wanted else _all(context)
    return Decision(skill=SKILL.name, actions=(context.answer(words),), reason=context.translate(_("asked for help")))


def _all(context: Context) -> str:
    head = context.translate(_("I help you find where you belong here. Use these:"))
    lines = [f"- **/{one.name}**: {context.translate(one.help)}" for one in _open(context)]
    return "\n".join([head, *lines])


def _one(context: Context, wanted: str) -> str:
    command = next((one for one in _open(context) if one.name == wanted), None)
    if command is None:
        raise Mistake(_("There is no /{name}. /help names what there is."), name=wanted)
    usage = " ".join([f"/{command.name}", *(f"[{argument.name}]" for argument in command.arguments)])
    lines = [f"- **{one.name}**: {context.translate(one.help)}" for one in command.arguments]
    if command.menu:
        menu = context.translate(_('In the menu of a message: "{menu}"'))
        lines.append(menu.format(menu=context.translate(command.menu)))
    return "\n".join([f"`{usage}`", context.translate(command.help), *lines])


def _open(context: Context) -> list[Command]:
    """Return the commands that have a skill and that the asker may use."""
    from brains.skills import SKILLS  # the table lists this file too

    served = {name for skill in SKILLS for name in skill.commands}
    return [one for one in commands.COMMANDS if one.name in served and context.rank >= one.rank]


SKILL = Skill(name="help", purpose=_("Says what I can do"), propose=propose, commands=("help",))
