"""Follows what the bot's own answers rest on: what was changed or taken away is quoted no longer."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Edit, OpenDirect, Say, TakeBack
from bot.core.decisions import MANY, Decision
from bot.core.errors import KinfolkError
from bot.core.events import TimerFired
from bot.core.i18n import _, catalogue, spoken, written
from bot.core.things import Ref
from brains.skills import digest_letters
from brains.skills.answering import Asked, authors, cited, find, told
from brains.skills.skill import Skill
from storage import acts, answers, channels, members, standing
from storage.mending import linked, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, Button
    from bot.core.things import Member
    from brains.knowledge.answer import Answer
    from brains.skills.skill import Context
    from storage.standing import Stale, Standing

SCHEDULE = "sources"
"""The timer that fires when an answer does not hold any more."""
DIGEST = "digest"
"""The skill whose messages lose lines instead of being taken back: each line stands by itself."""
AT_ONCE = MANY // 2
"""Answers taken back by one decision: each takes an edit and a word to our own tables at most."""
CORRECTED = 2
"""Answers at once that are asked again; more are taken back, since what is gone must not wait for thinking."""
THINKING = 2.0
"""Seconds for which an answer that does not hold may stand longer, to be corrected instead of taken back."""
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
    mended = [await _mended(context, one, again=place < CORRECTED) for place, one in enumerate(found)]
    sentence = _("what {count} answers of mine rested on was changed or taken away")
    reason = context.translate(sentence).format(count=len(found)) if found else context.translate(_("all of them hold"))
    return Decision(
        skill=SKILL.name,
        actions=tuple(action for one in mended for action in one.actions),
        reason=reason,
        about=tuple(dict.fromkeys(ref for one in mended for ref in one.about)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What is done about one answer, and the members whose words it rests on from now on."""

    actions: Sequence[Action]
    about: Sequence[Ref] = ()


async def _mended(context: Context, stale: Stale, *, again: bool) -> Mended:
    """Let the message of an answer say what is still true, or that it is taken back, and hold its old words no more."""
    answer = stale.answer
    if (left := await _left(context, stale)) is not None:
        return left
    asker = await _asker(context, answer)
    language = _language(context, answer, asker)
    words = (await catalogue(language))(TAKEN_BACK)
    # In private there is nobody to keep it from.
    only = asker.ref if asker and answer.alone and answer.channel != asker.ref else None
    say = Say(to=answer.channel, text=words, only=only)
    anew = await _asked_anew(context, answer, asker, language) if again and answer.made else None
    sources = tuple(cited(one) for one in anew.passages) if anew else ()
    if anew:
        say = replace(say, text=await told(context, anew, await catalogue(language), aloud=only is None))
    edits = await _edited(context, answer.made, say)
    kept = TakeBack(answer=answer.id, message=answer.made, text=words, sources=sources if edits else ())
    return Mended(actions=[*edits, kept], about=await authors(context, anew.passages) if anew else ())


async def _left(context: Context, stale: Stale) -> Mended | None:
    """Let a digest say what of it still holds; None for anything else, and where nothing is left of it."""
    answer = stale.answer
    if answer.made is None or answer.question:
        return None
    async with context.faculties.database.read() as connection:
        act = await acts.that_made(connection, context.community, answer.made)
        sources = await answers.cited(connection, answer.id)
    if act is None or act.skill != DIGEST:
        return None
    said = getattr(act.action, "text", "")
    # What is linked no more went with something else, or with its author.
    text = without(said, {Ref.parse(one) for one in linked(said) & stale.lost.keys()})
    if text is None:
        return None
    asker = await _asker(context, answer)
    buttons: tuple[Button, ...] = ()
    if asker and isinstance(act.action, OpenDirect):
        buttons = (digest_letters.stop(await digest_letters.addressing(context, asker), asker),)
    edits = await _edited(context, answer.made, Say(to=answer.channel, text=text, buttons=buttons))
    rest = tuple(one for one in sources if str(one.source) in linked(text))
    kept = TakeBack(answer=answer.id, message=answer.made, text=text, sources=rest if edits else ())
    return Mended(actions=[*edits, kept])


async def _asked_anew(context: Context, answer: Standing, asker: Member | None, language: str) -> Answer | None:
    """Answer the question again from what holds; None where nothing does, or thinking takes too long."""
    if not answer.question or asker is None or context.faculties.answerer is None:
        return None
    read = functools.partial(channels.reach, community=context.community, reader=asker, alone=True)
    if not answer.alone:
        read = functools.partial(channels.aloud, community=context.community, where=answer.channel, reader=asker)
    try:
        async with asyncio.timeout(THINKING):
            reach = await context.faculties.database.look(read)
            asked = Asked(question=answer.question)
            found = await find(context, asked, reach=reach, language=language, where=answer.channel)
    except (TimeoutError, KinfolkError):
        return None
    return None if found.abstained else found


async def _asker(context: Context, answer: Standing) -> Member | None:
    """Return who asked; None where they were forgotten."""
    if answer.member is None:
        return None
    async with context.faculties.database.read() as connection:
        return await members.by_number(connection, answer.member)


def _language(context: Context, answer: Standing, asker: Member | None) -> str:
    """Return the language of whoever asked, as far as that is known."""
    said = spoken(asker.language if asker else "") or written([answer.question])
    return said or context.policy.language or context.common


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
            return [Edit(message=message, channel=member, text=text, buttons=anew.buttons, mends=True)]
        case _:
            return []


SKILL = Skill(
    name="standing",
    purpose=_("Taking back answers whose sources were changed or taken away"),
    propose=propose,
    hears=(TimerFired,),
    owed=True,
)
