"""The FAQ in the staff's hands: `/draft faq`, `list` and `remove`, and answers that they correct."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.core.actions import KeepAnswer, KeepNote
from bot.core.decisions import Decision
from bot.core.errors import Mistake, NotAllowed
from bot.core.events import CommandGiven, MessagePosted, place
from bot.core.i18n import _
from bot.core.things import Audience, Rank
from bot.core.wording import escape, quote, short
from brains.skills import draft_cards, growing
from brains.skills.skill import Skill
from brains.skills.steering import channel, for_all, member_of, rewritten, staff_channel, who
from brains.skills.turned import NAMING
from storage import acts, answers, channels, members, notes, ranks
from storage.digests import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.things import Ref
    from brains.skills.skill import Context
    from storage.answers import Kept
    from storage.notes import Note

NAME = "draft"
SHOWN = 20
"""Entries that a list shows; the others are counted."""
_CORRECTION = re.compile(r"^\s*(?:correction|更正)\s*[:：]\s*(.+)$", re.IGNORECASE | re.DOTALL)


async def propose(context: Context) -> Decision | None:
    """Answer a command, a correction under an answer, or a better text under a proposed entry."""
    match context.event:
        case CommandGiven(arguments=given):
            match given["action"]:
                case "list":
                    return await _list(context)
                case "remove":
                    return await _remove(context, given.get("question", ""))
                case "groups":
                    return await growing.on_demand(context)
                case _:
                    return await _faq(context, given.get("question", ""), given.get("answer", ""))
        case MessagePosted(mentioned=True, reply_to=to) as event if to is not None:
            return await _replied(context, event, to)
        case _:
            return None


async def _faq(context: Context, question: str, answer: str) -> Decision:
    if not question and not answer:
        return await draft_cards.proposed(context)
    if not (question and answer):
        raise Mistake(_("An entry is a question and its answer: /draft faq QUESTION answer:ANSWER channel:#NAME"))
    keep = KeepNote(
        note=uuid4().hex,
        channel=await _place(context),
        question=question,
        text=answer,
        owner=member_of(context).ref,
    )
    return _kept(context, keep)


async def _place(context: Context) -> Ref:
    """Return where an entry lies: in the channel that was named, else here, where everyone may read that."""
    if wanted := context.command.arguments.get("channel"):
        return (await channel(context, wanted)).ref
    here = place(context.event)
    if here is None or here.audience is not Audience.EVERYONE:
        raise Mistake(_("Say who may read the entry: channel:#NAME lets those read it who may read that channel."))
    return here.ref


def _kept(context: Context, keep: KeepNote) -> Decision:
    words = _("Kept: whoever asks this is told so from now on. /undo takes it back.")
    reason = context.translate(_("{member} keeps an entry of the FAQ")).format(member=who(context))
    return Decision(skill=NAME, actions=(keep, context.answer(context.translate(words))), reason=reason)


async def _list(context: Context) -> Decision:
    """Show the entries that the asker may read, and those that wait since a source changed."""
    reach = await context.reach()
    async with context.faculties.database.read() as connection:
        found = await notes.entries(connection, reach.scope)
        waiting = [one for one in await notes.waiting(connection, context.community) if one.channel in reach.channels]
    lines = [_line(one) for one in found[-SHOWN:]]
    translate = context.translate
    if more := len(found) - SHOWN:
        lines += [translate(_("And {count} earlier ones.")).format(count=more)] if more > 0 else []
    if waiting:
        held = _("Not used, since what they rest on was changed, deleted or withdrawn; keep them anew or remove them:")
        lines += ["", translate(held), *(f"- **{one.number}** {escape(short(one.heading))}" for one in waiting)]
    text = "\n".join(lines) or translate(_("There are no entries yet. /draft faq proposes some."))
    reason = translate(_("{member} looked at the FAQ")).format(member=who(context))
    return Decision(skill=NAME, actions=(context.answer(text),), reason=reason)


def _line(one: Note) -> str:
    return f"- **{one.number}** {escape(short(one.heading))}: {escape(short(one.text))} _({one.at.date().isoformat()})_"


async def _remove(context: Context, number: str) -> Decision:
    reach = await context.reach()
    async with context.faculties.database.read() as connection:
        known = [*await notes.entries(connection, reach.scope), *await notes.waiting(connection, context.community)]
        found = next((one for one in known if str(one.number) == number and one.channel in reach.channels), None)
        if found is None:
            raise Mistake(_("There is no entry {number!r}. /draft list shows them."), number=number)
        resting = await notes.sources(connection, found.number)
    keep = _taken_away(found, reach.channels[found.channel].ref, resting)
    words = context.translate(_("Removed. /undo brings it back."))
    reason = context.translate(_("{member} removes an entry of the FAQ")).format(member=who(context))
    return Decision(skill=NAME, actions=(keep, context.answer(words)), reason=reason)


def _taken_away(entry: Note, channel: Ref, resting: Mapping[Ref, str]) -> KeepNote:
    """Return what takes an entry away, and brings it back as it was if that is undone, on the same messages."""
    return KeepNote(
        note=entry.point.hex,
        channel=channel,
        question=entry.heading,
        text="",
        before=entry.text,
        owner=entry.owner,
        sources=tuple(resting),
        digests=tuple(resting.values()),
    )


async def _replied(context: Context, event: MessagePosted, to: Ref) -> Decision | None:
    """Heed what staff reply to an answer or to a proposed entry; None for any other message."""
    words = NAMING.sub("", event.text).strip()
    correction = _CORRECTION.match(words)
    async with context.faculties.database.read() as connection:
        kept = await answers.by_message(connection, context.community, to) if correction else None
        said = await acts.that_made(connection, context.community, to)
    if kept is not None and correction is not None:
        if not await _is_staff(context):
            raise NotAllowed(_("Only the staff corrects an answer. “Not this” tells me that it is wrong."))
        return await _correct(context, kept, correction[1].strip())
    if said is None or said.skill != NAME or not await _is_staff(context):
        return None
    return draft_cards.bettered(context, said, correction[1].strip() if correction else words)


async def _is_staff(context: Context) -> bool:
    """Say whether somebody who wrote is of the staff: with messages, not every platform tells what their author may do.

    Whoever is in a staff channel that is closed is, as they are when they answer what is brought there.
    """
    if context.rank >= Rank.STAFF:
        return True
    room, member = await staff_channel(context), member_of(context)
    async with context.faculties.database.read() as connection:
        inside = room is not None and room.id in await members.joined(connection, member.id)
        if room is not None and room.audience is Audience.MEMBERS and inside:
            return True
        return await ranks.last_seen(connection, context.community, member) >= Rank.STAFF


async def _correct(context: Context, kept: Kept, words: str) -> Decision:
    """Keep what the staff say in place of an answer, and let the answer say it too."""
    if not kept.question:
        raise Mistake(_("I remember this question no more. Keep it by hand: /draft faq"))
    entries = await _entry(context, kept, words)
    async with context.faculties.database.read() as connection:
        said = await acts.that_made(connection, context.community, kept.made) if kept.made else None
    translate = await for_all(context)
    text = f"{translate(_('Corrected by the staff:'))}\n{quote(words)}"
    standing = KeepAnswer(
        answer=kept.id,
        member=kept.member,
        channel=kept.channel,
        question=kept.question,
        standing="corrected",
        before=kept.standing,
    )
    edits = rewritten(said, text) if said is not None else ()
    done = context.answer(context.translate(_("Corrected: whoever asks this is told so from now on.")))
    reason = context.translate(_("{member} corrected an answer")).format(member=who(context))
    return Decision(skill=NAME, actions=(*entries, *edits, standing, done), reason=reason, about=(kept.member,))


async def _entry(context: Context, kept: Kept, words: str) -> list[KeepNote]:
    """Return what keeps the entry that a correction makes, in place of the one that the answer cited, if it did.

    The words are the staff's own. The question may be a member's, and then rests on the message that asked it.
    """
    async with context.faculties.database.read() as connection:
        room = await channels.by_ref(connection, context.community, kept.channel)
        cited = [int(one.id) for one in await answers.sources(connection, kept.id) if one.platform == notes.NOTE]
        reach = await context.reach()
        known = await notes.by_number(connection, reach.scope, cited)
        entry = next((one for one in known.values() if one.kind == "faq"), None)
        resting = await notes.sources(connection, entry.number) if entry else {}
    keep = KeepNote(
        note=uuid4().hex,
        channel=kept.channel,
        question=kept.question,
        text=words,
        owner=member_of(context).ref,
        sources=(kept.asked,) if kept.asked else (),
    )
    if entry is not None:
        where = reach.channels[entry.channel].ref
        asked = tuple(ref for ref, read in resting.items() if read == digest(entry.heading).hex())
        return [
            _taken_away(entry, where, resting),
            replace(keep, channel=where, question=entry.heading, sources=asked),
        ]
    if room is None or room.audience is Audience.DIRECT:
        raise Mistake(_("Say who may read it: /draft faq QUESTION answer:ANSWER channel:#NAME"))
    return [keep]


SKILL = Skill(
    name=NAME,
    purpose=_("Keeps the FAQ: proposes entries to the staff, and takes their corrections"),
    propose=propose,
    commands=("draft",),
    hears=(MessagePosted,),
    spoken_to=(MessagePosted,),
    patience=60,
)
