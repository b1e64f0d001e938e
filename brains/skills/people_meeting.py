"""A request to be introduced, from either side: asked, put off, taken back, agreed to; a no stays with who says it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Button, KeepMeeting, OpenDirect
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape
from brains.skills import people_words as saying
from brains.skills.letters import theirs
from storage import meetings, members, wishes

if TYPE_CHECKING:
    from bot.core.actions import Action, Said
    from bot.core.i18n import Translate
    from bot.core.things import Member, Ref
    from brains.matching.circle import Circle, Common
    from brains.skills.skill import Context
    from storage.meetings import Meeting

NAME = "people"
MOST_ASKING = 5
"""Requests that somebody makes in a week."""
MOST_WAITING = 3
"""Requests that wait for somebody's word and are shown to them once more at a time."""
AT_ONCE = 10
"""Requests that waited and are made together."""
WAITING = "people.waiting"
"""The sweep that asks for them: bot/jobs.py."""
WEEK = timedelta(days=7)
CLOSED = _("This request is not open any more.")


async def ask(context: Context, member: Member) -> Decision:
    """Ask the other, in private and in their language, whether they want to be introduced."""
    meeting = await _mine(context, member)
    if meeting.said == "asked":
        raise Mistake(_("I asked already, and tell you of a yes."))
    other = await who(context, meeting.other)
    await _allowed(context, member, other)
    await _within_bounds(context, member, other)
    common = await (await circle(context)).common(context.community, other, member)
    translate = await theirs(context, other)
    request = _request(context, translate, common, other, meeting)
    keep = KeepMeeting(meeting=meeting.id, member=member.ref, said="asked", before=_said(meeting))
    words = context.translate(
        _("I ask {name}, and tell you of a yes. Without one you hear nothing, whatever the reason.")
    )
    back = Button(
        label=context.translate(_("Take it back")),
        press="people.withdraw",
        data={"meeting": meeting.id},
        only=member.ref,
    )
    answer = context.answer(words.format(name=escape(other.name)), buttons=(back,))
    return _told(context, _("asks to be introduced"), keep, request, answer, about=member)


def _request(context: Context, translate: Translate, common: Common, other: Member, meeting: Meeting) -> OpenDirect:
    """Ask somebody whether they want to be introduced to whom they have things in common with."""
    return OpenDirect(
        member=other.ref,
        text=saying.request(translate, common, context.community.name),
        buttons=tuple(saying.asked(translate, other, meeting.id, 0)),
        unasked=True,
    )


async def ask_later(context: Context) -> Decision | None:
    """Ask those who could not be asked when somebody wanted it, by what holds now; None where there is nobody."""
    async with context.faculties.database.read() as connection:
        unheard = (await meetings.unheard(connection, context.community, context.now))[:AT_ONCE]
    actions: list[Action] = []
    asked: list[Ref] = []
    for meeting in unheard:
        first, other = await who(context, meeting.first), await who(context, meeting.other)
        common = await (await circle(context)).common(context.community, other, first)
        actions.append(_request(context, await theirs(context, other), common, other, meeting))
        asked.append(other.ref)
    if not asked:
        return None
    reason = context.translate(_("requests that waited for an hour at which they may be written: {count}"))
    return Decision(skill=NAME, actions=tuple(actions), reason=reason.format(count=len(asked)), about=tuple(asked))


async def keep(context: Context, member: Member, said: str) -> Decision:
    """Keep another word of whoever was shown the other: not now, never, or that they take their request back."""
    if said == "withdraw":
        return await _withdraw(context, member)
    return await _put_off(context, member, "never" if said == "never" else "not_now")


async def _put_off(context: Context, member: Member, said: Said) -> Decision:
    """Keep that somebody does not want to meet the other, now or ever."""
    meeting = await _mine(context, member)
    keep = KeepMeeting(meeting=meeting.id, member=member.ref, said=said, before=_said(meeting))
    words = _("Noted: not now.") if said == "not_now" else _("Noted: never, and nobody is told.")
    return _told(context, _("does not want to be introduced to somebody"), keep, _answer(context, words), about=member)


async def _withdraw(context: Context, member: Member) -> Decision:
    """Take a request back that nobody answered yet."""
    meeting = await _mine(context, member)
    if meeting.answer == "yes":
        raise Mistake(_("You are introduced already."))
    keep = KeepMeeting(meeting=meeting.id, member=member.ref, said="withdrawn", before=_said(meeting))
    words = _("Taken back: they can agree to it no more.")
    return _told(context, _("takes a request back"), keep, _answer(context, words), about=member)


async def agree(context: Context, member: Member, meeting: Meeting) -> Decision:
    """Introduce two to each other, who both said yes: each is told of the other in private."""
    if not await word(context, member):
        raise Mistake(_("You said that you do not want to be introduced. `/people on` changes that."))
    first = await who(context, meeting.first)
    await _allowed(context, member, first)
    introducer, translate = await circle(context), await theirs(context, first)
    mine = await introducer.common(context.community, member, first)
    yours = await introducer.common(context.community, first, member)
    keep = KeepMeeting(meeting=meeting.id, member=member.ref, said="yes")
    tell = OpenDirect(member=first.ref, text=saying.introduced(translate, yours, agreed=True))
    answer = context.answer(saying.introduced(context.translate, mine, agreed=False))
    return _told(context, _("agrees to be introduced"), keep, tell, answer, about=member)


async def decline(context: Context, member: Member, meeting: Meeting, said: Said) -> Decision:
    """Keep a no, of which nobody is told."""
    keep = KeepMeeting(meeting=meeting.id, member=member.ref, said=said)
    return _told(context, _("answers a request"), keep, _answer(context, _("Noted. Nobody is told.")), about=member)


def _told(context: Context, why: str, *actions: Action, about: Member) -> Decision:
    """Do these, for a reason that names nobody else: what one side says is in no story of the other's."""
    return Decision(skill=NAME, actions=actions, reason=context.translate(why), about=(about.ref,))


def _answer(context: Context, words: str) -> Action:
    return context.answer(context.translate(words))


def _said(meeting: Meeting) -> Said:
    return meeting.said  # type: ignore[return-value] # what the first said is one of them


async def _mine(context: Context, member: Member) -> Meeting:
    """Return the meeting of the button, of which the member is the one to whom the other was shown."""
    found = await _found(context)
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
    if found is None or found.first not in mine:
        raise Mistake(CLOSED)
    return found


async def pressed(context: Context) -> Meeting:
    """Return the request of the button, if it waits for the member's word."""
    found = await _found(context)
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member_of(context))
    if found is None or found.other not in mine or not found.is_open(context.now):
        raise Mistake(CLOSED)
    return found


async def _found(context: Context) -> Meeting | None:
    assert context.press is not None  # noqa: S101 - a button was pressed
    async with context.faculties.database.read() as connection:
        return await meetings.by_id(connection, context.community, context.press.data["meeting"])


async def who(context: Context, number: int) -> Member:
    """Return a member by number. Raises Mistake where they are not there any more."""
    async with context.faculties.database.read() as connection:
        found = await members.by_number(connection, number)
    if found is None:
        raise Mistake(CLOSED)
    return found


async def _allowed(context: Context, member: Member, other: Member) -> None:
    """Refuse where either may not be introduced any more, in words that do not tell which or why. Raises Mistake."""
    async with context.faculties.database.read() as connection:
        both = [
            await members.alike(connection, context.community, member),
            await members.alike(connection, context.community, other),
        ]
        every = both[0] | both[1]
        wishing = await wishes.wishing(connection, context.community, "people", among=every)
        shut = await meetings.sanctioned(connection, context.community, context.now)
        shut |= await members.withheld(connection, context.community, among=every)
    if any(not one & wishing.keys() or one & shut for one in both):
        raise Mistake(CLOSED)


async def _within_bounds(context: Context, member: Member, other: Member) -> None:
    """Refuse where either asks or is asked too often, or the two are kept from each other. Raises Mistake."""
    since = context.now - WEEK
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
        theirs_ = await members.alike(connection, context.community, other)
        between = await meetings.of(connection, *mine)
        heard = await meetings.of(connection, *theirs_)
    asked = [one for one in between if one.first in mine and one.said == "asked" and one.said_at >= since]
    if len(asked) >= MOST_ASKING:
        raise Mistake(_("You asked {count} members this week: wait for them first."), count=len(asked))
    waiting = [one for one in heard if one.other in theirs_ and one.said == "asked" and one.said_at >= since]
    if len(waiting) >= meetings.MOST_ASKED:
        raise Mistake(_("Many ask for {name} just now. Try again in a week."), name=other.name)
    if any(one.bars(context.now) and {one.first, one.other} & theirs_ for one in between):
        raise Mistake(CLOSED)


async def waiting(context: Context, member: Member) -> list[Meeting]:
    """Return the requests that wait for somebody's word, of those who may still be introduced and want it."""
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
        return (await meetings.waiting(connection, context.community, mine, context.now))[:MOST_WAITING]


async def word(context: Context, member: Member) -> bool | None:
    """Return what somebody said of being introduced."""
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
        return await wishes.word(connection, "people", *mine)


async def circle(context: Context) -> Circle:
    """Return what suggests members to each other."""
    assert context.faculties.circle is not None  # noqa: S101 - every bot that runs has one
    return await context.faculties.circle(context.community)


def member_of(context: Context) -> Member:
    """Return who asks."""
    assert context.member is not None  # noqa: S101 - commands and buttons are members'
    return context.member
