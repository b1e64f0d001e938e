"""Entries of the FAQ that are proposed to the staff: one card each, to approve, to decline, or to better by a reply."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from bot.core import wording
from bot.core.actions import AskStaff, Button, KeepNote
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import quote
from brains.knowledge.asking import is_question
from brains.knowledge.repeated import ALIKE, repeated
from brains.knowledge.terms import speaks_chinese
from brains.skills import answer_words
from brains.skills.steering import close_message, for_staff, member_of, staff_channel, who
from storage import channels, notes, surroundings, talks
from storage.digests import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.i18n import Translate
    from bot.core.ports import Scope
    from bot.core.things import Channel
    from brains.knowledge.answer import Answer
    from brains.knowledge.passages import Passage
    from brains.skills.skill import Context
    from storage.acts import Act
    from storage.channels import Reach
    from storage.talks import Said

NAME = "draft"
MONTHS = timedelta(days=90)
"""How far back questions are looked for."""
MOST = 2_000
"""Questions compared with each other, the newest: that many take a tenth of a second."""
PAGE = 2_000
"""Messages that are read at once."""
LOOKED, CARDS = 12, 3
"""Questions for which an answer is looked for, and entries proposed at once: staff read them one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A question that was asked so often by so many, and what was found to answer it."""

    question: Said
    times: int
    askers: int
    answer: Answer


async def proposed(context: Context) -> Decision:
    """Put entries before the staff for what is asked again and again. Raises Mistake without a staff channel."""
    staff = await staff_channel(context)
    if staff is None:
        raise Mistake(_("There is no staff channel here yet, where I could propose entries. /setup staff_channel"))
    # Who reads the cards approves what they name: nothing that not all of the staff may read.
    read = functools.partial(channels.aloud, community=context.community, where=staff.ref, reader=None)
    reach = await context.faculties.database.look(read)
    asked = await _often(context, reach)
    found = [one for some in asked[:LOOKED] if (one := await _answered(context, reach, some)) is not None][:CARDS]
    translate = await for_staff(context)
    cards = [_card(context, reach, staff, one, translate) for one in found]
    if found:
        told = context.translate(_("{count} entries are proposed in the staff channel.")).format(count=len(found))
    elif asked:
        told = context.translate(_("{count} questions are asked often, and I found no answer of a member to quote."))
        told = told.format(count=len(asked))
    else:
        told = context.translate(_("In the last 90 days no question was asked three times by two members."))
    reason = context.translate(_("{member} asked for entries of the FAQ")).format(member=who(context))
    return Decision(
        skill=NAME,
        actions=(*cards, context.answer(told)),
        reason=reason,
        evidence=tuple(one.question.ref for one in found),
    )


async def _often(context: Context, reach: Reach) -> list[list[Said]]:
    """Return what is asked often and is no entry yet: the messages that ask it, the most typical first."""
    async with context.faculties.database.read() as connection:
        entries = await notes.entries(connection, reach.scope)
        scope = await surroundings.without_bots(connection, reach.scope)
    asking = await _asked(context, replace(scope, since=context.now - MONTHS))
    if not asking:
        return []
    encoder = await context.faculties.encoder()
    vectors = await encoder.encode([one.text for one in asking])
    if entries:
        known = await encoder.encode([one.heading for one in entries])
        new = np.flatnonzero((vectors @ known.T).max(axis=1) < ALIKE)
        asking, vectors = [asking[place] for place in new], vectors[new]
    clusters = repeated(vectors, [one.author for one in asking])
    return [[asking[place] for place in some] for some in clusters]


async def _asked(context: Context, scope: Scope) -> list[Said]:
    """Return the newest questions in scope, oldest first, read piece by piece so that nobody waits meanwhile.

    Of what was said at the very moment at which a piece ends some may be left out.
    """
    found: list[Said] = []
    while len(found) < MOST:
        page = await context.faculties.database.look(functools.partial(talks.newest, scope=scope, limit=PAGE))
        found += await asyncio.to_thread(lambda some: [one for one in some if is_question(one.text)], page)
        if len(page) < PAGE:
            break
        scope = replace(scope, until=page[-1].at)
    return found[:MOST][::-1]


async def _answered(context: Context, reach: Reach, asking: Sequence[Said]) -> Proposal | None:
    """Look for an answer; None without one, and where a file or an entry answers it already."""
    question = asking[0]
    if context.faculties.answerer is None:
        raise Mistake(_("I am not set up for this yet. The staff finds the reason with /why."))
    answerer = await context.faculties.answerer()
    language = "zh_CN" if speaks_chinese(question.text) else "en"
    answer = await answerer.answer(context.community, question.text, reach=reach, language=language)
    if answer.abstained or any(one.is_note for one in answer.passages):
        return None
    return Proposal(question=question, times=len(asking), askers=len({one.author for one in asking}), answer=answer)


def _card(context: Context, reach: Reach, staff: Channel, one: Proposal, translate: Translate) -> AskStaff:
    """Return the card. It quotes nobody but the question, so that no word stays there that its author takes back."""
    joint = "" if speaks_chinese(one.question.text) else " "
    text = joint.join(claim.text for claim in one.answer.claims)
    resting = {one.question.ref: digest(one.question.text).hex()}
    resting |= {passage.source: digest(passage.text).hex() for passage in one.answer.passages}
    keep = KeepNote(
        note=uuid4().hex,
        channel=reach.channels[one.question.channel].ref,
        question=one.question.text,
        text=text,
        owner=member_of(context).ref,
        sources=tuple(resting),
        digests=tuple(resting.values()),
    )
    head = translate(_("**Proposed for the FAQ**, asked {times} times by {askers} members:"))
    lines = [
        head.format(times=one.times, askers=one.askers),
        quote(keep.question),
        "",
        translate(_("What answers it was said here:")),
        *_origins(one.answer.passages, translate),
        "",
        translate(_("Approve to keep those words, decline, or reply to this message with a better answer.")),
    ]
    return AskStaff(to=staff.ref, text="\n".join(lines), skill=NAME, proposed=(keep,), buttons=_buttons(translate))


def _buttons(translate: Translate) -> tuple[Button, ...]:
    return (
        Button(label=translate(_("Approve")), press="staff.approve", choice="proposal"),
        Button(label=translate(_("Decline")), press="staff.decline", choice="proposal"),
    )


def _origins(resting: Sequence[Passage], translate: Translate) -> list[str]:
    """Name what answers by its day and channel, a line each."""
    return [
        f"- {wording.message(one.source, answer_words.day(one.at, translate))}, "
        f"{wording.channel(one.channel.ref, one.channel.name)}"
        for one in resting
    ]


def bettered(context: Context, card: Act, words: str) -> Decision | None:
    """Keep a proposed entry with the words that the staff replied to its card; None where it proposed none."""
    match card.action:
        case AskStaff(proposed=(KeepNote() as keep,)) if words:
            pass
        case _:
            return None
    # The staff's own words rest on nobody else's; only the question still does.
    asked = replace(keep, sources=keep.sources[:1], digests=keep.digests[:1])
    mine = replace(asked, text=words, owner=member_of(context).ref)
    under = close_message(card, context.translate(_("kept in the words of {member}")).format(member=who(context)))
    done = context.answer(context.translate(_("Kept in your words. /undo takes it back.")))
    reason = context.translate(_("{member} bettered an entry of the FAQ")).format(member=who(context))
    return Decision(skill=NAME, actions=(mine, *under, done), reason=reason, approved=member_of(context).ref)
