"""Follows what the bot's own answers rest on: what was changed or taken away is quoted no longer."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Edit, OpenDirect, Say, TakeBack
from bot.core.decisions import MANY, Decision
from bot.core.events import TimerFired
from bot.core.i18n import _, catalogue, spoken, written
from brains.skills.skill import Skill
from storage import acts, members, standing

if TYPE_CHECKING:
    from bot.core.actions import Action
    from bot.core.i18n import Translate
    from bot.core.things import Member, Ref
    from brains.skills.skill import Context
    from storage.standing import Stale, Standing

SCHEDULE = "sources"
"""The timer that fires when an answer does not hold any more."""
AT_ONCE = MANY // 2
"""Answers taken back by one decision: each takes an edit and a word to our own tables at most."""
STAYS = "only-plain"
"""In what a platform lets the bot do: what one member alone is shown stays as it was said."""
TAKEN_BACK = _("What this rested on was changed or taken away, so I take it back.")


async def propose(context: Context) -> Decision | None:
    """Take back the answers whose sources do not hold."""
    match context.event:
        case TimerFired(schedule=schedule) if schedule == SCHEDULE:
            pass
        case _:
            return None
    since = context.now - timedelta(days=context.policy.trace_days)
    look = functools.partial(standing.due, community=context.community, since=since, now=context.now)
    found = (await context.faculties.database.look(look))[:AT_ONCE]
    actions = [action for one in found for action in await _taken_back(context, one)]
    sentence = _("what {count} answers of mine rested on was changed or taken away")
    reason = context.translate(sentence).format(count=len(found)) if found else context.translate(_("all of them hold"))
    return Decision(skill=SKILL.name, actions=tuple(actions), reason=reason)


async def _taken_back(context: Context, stale: Stale) -> list[Action]:
    """Let the messages of an answer say that it is taken back, and hold its words no more."""
    answer = stale.answer
    asker = await _asker(context, answer)
    words = (await _theirs(context, answer, asker))(TAKEN_BACK)
    only = asker.ref if asker and answer.alone else None
    edits = await _edited(context, answer.made, Say(to=answer.channel, text=words, only=only))
    return [*edits, TakeBack(answer=answer.id, message=answer.made, text=words)]


async def _asker(context: Context, answer: Standing) -> Member | None:
    """Return who asked; None where they were forgotten."""
    if answer.member is None:
        return None
    async with context.faculties.database.read() as connection:
        return await members.by_number(connection, answer.member)


async def _theirs(context: Context, answer: Standing, asker: Member | None) -> Translate:
    """Return what translates for whoever asked, as far as that is known."""
    said = spoken(asker.language if asker else "") or written([answer.question])
    return await catalogue(said or context.policy.language or context.common)


async def _edited(context: Context, message: Ref | None, anew: Say) -> list[Edit]:
    """Let a message of the bot say something else, where it can be changed.

    How it was said is told by its act. That may be gone with the trace of somebody who was forgotten: then it is
    changed where it stands, as far as that is known.
    """
    if message is None:
        return []
    async with context.faculties.database.read() as connection:
        act = await acts.that_made(connection, context.community, message)
    if act is not None and act.undone_by is not None:
        return []
    said, text = act.action if act else anew, anew.text
    match said:
        case Say(to=where, only=only, invocation=invocation):
            stays = only is not None and STAYS in context.can.get(where.platform, ())
            mended = Edit(message=message, channel=where, text=text, only=only, invocation=invocation, mends=True)
            return [] if stays else [mended]
        case OpenDirect(member=member):
            return [Edit(message=message, channel=member, text=text, mends=True)]
        case _:
            return []


SKILL = Skill(
    name="standing",
    purpose=_("Taking back answers whose sources were changed or taken away"),
    propose=propose,
    hears=(TimerFired,),
    owed=True,
)
