"""Members who share interests, introduced where both want it: `/people`, on or off, and its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from bot.core.actions import Button, KeepMeeting, SetWish
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import TimerFired
from bot.core.i18n import _
from brains.skills import people_meeting as requests
from brains.skills import people_words as saying
from brains.skills.skill import Skill
from storage import members

if TYPE_CHECKING:
    from bot.core.things import Member
    from brains.skills.skill import Context
    from storage.meetings import Meeting

SHOWN = 3
GUEST = _("You are a guest here and read only some of the channels, so I introduce you to nobody.")


async def propose(context: Context) -> Decision | None:
    """Answer the command or one of the buttons, and ask those who could not be asked at once."""
    if isinstance(context.event, TimerFired):
        return await requests.ask_later(context) if context.event.schedule == requests.WAITING else None
    member = requests.member_of(context)
    if member.guest:
        raise Mistake(GUEST)
    if context.press is None:
        return await _command(context, member, context.command.arguments.get("interests", ""))
    what = context.press.what
    if what in {"on", "off"}:
        return await _switch(context, member, on=what == "on")
    if context.press.data.get("side") == "other":
        return await _answer(context, member, await requests.pressed(context), what)
    return await (requests.ask(context, member) if what == "ask" else requests.keep(context, member, what))


async def _answer(context: Context, member: Member, meeting: Meeting, said: str) -> Decision:
    """Answer for whoever was asked."""
    if said == "yes":
        return await requests.agree(context, member, meeting)
    return await requests.decline(context, member, meeting, "never" if said == "never" else "no")


async def _command(context: Context, member: Member, given: str) -> Decision:
    wish = given.strip().casefold()
    if wish in {"on", "off"}:
        return await _switch(context, member, on=wish == "on")
    if wish in {"yes", "no"}:
        waiting = await requests.waiting(context, member)
        if not waiting:
            raise Mistake(requests.CLOSED)
        return await _answer(context, member, waiting[0], wish)
    if not await requests.word(context, member):
        return _explain(context, member)
    return await _suggest(context, member, given)


def _explain(context: Context, member: Member) -> Decision:
    """Say what being introduced means, and ask whether they want it."""
    words = f"{context.translate(saying.EXPLAINED)} {context.translate(saying.COUNTED)}"
    on = Button(
        label=context.translate(_("Introduce me")),
        press="people.on",
        only=member.ref,
        choice="wish",
        words="/people on",
    )
    off = Button(
        label=context.translate(_("No, thanks")),
        press="people.off",
        only=member.ref,
        choice="wish",
        words="/people off",
    )
    reason = context.translate(_("asked about being introduced"))
    return Decision(skill=requests.NAME, actions=(context.answer(words, buttons=(on, off)),), reason=reason)


async def _switch(context: Context, member: Member, *, on: bool) -> Decision:
    """Keep whether somebody wants to be introduced; who just said yes is shown whom they may meet."""
    before = await requests.word(context, member)
    wish = SetWish(member=member.ref, wish="people", on=on, before=before)
    if on:
        words, reason = _("Noted. Ask me whom you may like to meet: /people. `/people off` ends it."), _("opts in")
    else:
        words, reason = (
            _("Noted: I introduce you to nobody, and show you to nobody. What waits is over."),
            _("opts out"),
        )
    answer = context.answer(context.translate(words))
    return Decision(skill=requests.NAME, actions=(wish, answer), reason=context.translate(reason))


async def _suggest(context: Context, member: Member, interests: str) -> Decision:
    """Show up to three members who fit, and why; before them, who waits for an answer."""
    async with context.faculties.database.read() as connection:
        withheld = await members.withheld(connection, context.community, among=[member.id])
    if withheld:
        raise Mistake(_("I collect nothing of yours, so I introduce you to nobody. /privacy on changes it."))
    waiting = await _shown_again(context, member)
    found = await (await requests.circle(context)).suggest(context.community, member, text=interests, k=SHOWN)
    if not found:
        words = context.translate(_("Nobody fits well just now. Ask me again in a while, or name interests: /people"))
        text = "\n\n".join([*waiting.blocks, words])
        return Decision(skill=requests.NAME, actions=(context.answer(text, buttons=waiting.buttons),), reason=words)
    shown, blocks, buttons = [], [], list(waiting.buttons)
    for row, one in enumerate(found, start=len(waiting.blocks)):
        meeting = uuid4().hex
        shown.append(KeepMeeting(meeting=meeting, member=member.ref, other=one.member.ref, said="shown"))
        blocks.append(saying.shown(context.translate, one, interests))
        buttons += saying.offered(context.translate, member, one.member, meeting, row)
    head = context.translate(_("You may get on with:"))
    answer = context.answer("\n\n".join([*waiting.blocks, head, *blocks]), buttons=buttons)
    reason = context.translate(_("members who share interests and want to be introduced: {count}"))
    return Decision(
        skill=requests.NAME,
        actions=(*shown, answer),
        reason=reason.format(count=len(found)),
        evidence=tuple(one.example.ref for one in found if one.example),
        about=(member.ref,),
    )


async def _shown_again(context: Context, member: Member) -> saying.Waiting:
    """Show the requests that wait for their word: a direct message may not have reached them."""
    blocks, buttons = [], []
    circle = await requests.circle(context)
    for row, one in enumerate(await requests.waiting(context, member)):
        first = await requests.who(context, one.first)
        common = await circle.common(context.community, member, first)
        blocks.append(saying.request(context.translate, common, ""))
        buttons += saying.asked(context.translate, member, one.id, row)
    return saying.Waiting(blocks=tuple(blocks), buttons=tuple(buttons))


SKILL = Skill(
    name=requests.NAME,
    purpose=_("Introduces members who share interests, where both want it"),
    propose=propose,
    hears=(TimerFired,),
    commands=("people",),
    sends=(requests.WAITING,),
    patience=20,
)
