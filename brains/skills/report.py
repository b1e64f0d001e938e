"""Members tell the staff of a message: `/report` opens a case, or joins the one that is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button, Delete, Exhibit, KeepReport
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.events import Named
from bot.core.i18n import _
from bot.core.wording import escape
from brains.skills import cards, whereabouts
from brains.skills.casefile import card
from brains.skills.casework import is_withheld, kept, opened
from brains.skills.skill import Skill
from brains.skills.steering import for_staff, member_of, message_ref, ref, rewritten, staff_channel, who
from storage import acts, cases, channels, members, messages

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.actions import Action, KeepCase
    from bot.core.things import Member, Ref
    from brains.skills.skill import Context
    from storage.cases import Case

WRONG = 5
"""Reports that staff called fine within `cases.RECENTLY`, from which on a member's next ones wait in the queue."""

THANKS = _("Thank you. The staff has it now, and nobody else learns that it came from you.")
PATIENCE = _("Thank you. It waits in the staff's queue, and they look at it later: what you reported lately was fine.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reported:
    """A message that somebody reports; without `text` where nothing of it is held, without `member` if nothing is."""

    message: Ref
    room: Ref
    author: Named
    member: Member | None
    text: str
    at: datetime


async def propose(context: Context) -> Decision | None:
    """Pass a message on to the staff, with who reports it and why. Raises Mistake for what cannot be reported."""
    if await staff_channel(context) is None:
        raise Mistake(
            _(
                "There is no staff channel here yet, so I cannot pass this on. "
                "Ask the owner for one: /setup staff_channel"
            )
        )
    found = await _found(context, message_ref(context, context.command.arguments["message"]))
    if found.author.ref == ref(context):
        raise Mistake(_("This is your own message: you can delete it yourself."))
    if found.member is None:
        return await _pass_on(context, found)
    case, wrong = await _before(context, found)
    if case is not None and not case.is_open:
        raise Mistake(_("The staff looked at this message already."))
    return await _report(context, found, found.member, case, later=wrong >= WRONG)


async def _pass_on(context: Context, found: _Reported) -> Decision:
    """Pass a message on without a case: of whoever wrote it nothing is held, and nothing is kept now."""
    staff, translate = await staff_channel(context), await for_staff(context)
    assert staff is not None  # noqa: S101 - looked at before
    async with context.faculties.database.read() as connection:
        told = await acts.naming(connection, context.community, found.message)
    if any(isinstance(act.action, AskStaff) for act in told):
        raise Mistake(_("The staff has this message already."))
    given = context.command.arguments.get("reason", "")
    head = translate(_("**Report**: {author} wrote {link}. I hold nothing of theirs, as they wished.")).format(
        author=escape(found.author.name), link=wording.message(found.message, translate(_("this message")))
    )
    report = cases.Report(by=member_of(context), reason=given, at=context.now)
    asked = AskStaff(
        to=staff.ref,
        text="\n".join([head, *cards.reported([report], translate)]),
        skill=SKILL.name,
        proposed=(Delete(message=found.message, channel=found.room),),
        buttons=(
            Button(label=translate(_("Delete message")), press="staff.approve", choice="proposal"),
            Button(label=translate(_("Done")), press="staff.decline", choice="proposal"),
        ),
    )
    return _thanked(context, found, (asked, context.answer(context.translate(THANKS))))


async def _report(context: Context, found: _Reported, author: Member, case: Case | None, *, later: bool) -> Decision:
    """Open a case or join one. Whose reports were wrong too often is told so, and opens no card."""
    translate = await for_staff(context)
    given = context.command.arguments.get("reason", "")
    moderator = await context.faculties.moderator(context.community)
    exhibit = Exhibit(
        message=found.message,
        channel=found.room,
        text=found.text,
        at=found.at,
        picture="" if await is_withheld(context, author) else moderator.watch.shown_in(found.message),
        author=found.author.ref,
    )
    opening = opened(
        context,
        member=author.ref,
        about="reported",
        reason=translate(_("A member reported it.")),
        exhibits=(exhibit,),
        score=0.5,
        case=case.id if case else "",
        space=await whereabouts.said_in(context, found.room, author.ref, author),
    )
    report = KeepReport(case=opening.case, member=member_of(context).ref, reason=given)
    shown = [] if later else await _shown(context, opening, case, given)
    answer = context.answer(context.translate(PATIENCE if later else THANKS))
    return _thanked(context, found, (*([opening] if case is None else []), report, *shown, answer))


def _thanked(context: Context, found: _Reported, actions: tuple[Action, ...]) -> Decision:
    reason = context.translate(_("{member} reported a message of {author}"))
    return Decision(
        skill=SKILL.name,
        actions=actions,
        reason=reason.format(member=who(context), author=found.author.name),
        evidence=(found.message,),
        about=(found.author.ref,),
    )


async def _shown(context: Context, opening: KeepCase, case: Case | None, given: str) -> list[Action]:
    """Put the case before the staff, or write into its card that one more reported it."""
    report = cases.Report(by=member_of(context), reason=given, at=context.now)
    reports = [*(case.reports if case else ()), report]
    before = await card(context, case) if case else None
    if case is None or before is None:
        asked = await cards.card(context, kept(case) if case else opening, reports=reports)
        return [asked] if asked else []
    translate = await for_staff(context)
    text = await cards.sheet(context, kept(case), translate, reports=reports)
    return list(rewritten(before, text, buttons=cards.verdicts(case.id, translate)))


async def _before(context: Context, found: _Reported) -> tuple[Case | None, int]:
    """Return the case that rests on a message as it reads now, and how often the asker was wrong lately.

    Raises Mistake for whoever reports a message twice.
    """
    mine = member_of(context).id
    async with context.faculties.database.read() as connection:
        known = await cases.of_message(connection, context.community, found.message)
        resting = next((one for one in known if one.is_open or _reads(one, found)), None)
        if resting is not None and any(one.by.id == mine for one in resting.reports):
            raise Mistake(_("You reported this message already. The staff has it."))
        wrong = await cases.wrong_reports(connection, mine, context.now - cases.RECENTLY)
    return resting, wrong


def _reads(case: Case, found: _Reported) -> bool:
    """Say whether a case rests on a message as it reads now; of one that was edited since, staff judged other words.

    Of one that is gone, or of which nothing is held, there is nothing else to judge.
    """
    return any(
        one.message == found.message and (one.text == found.text or not one.text or not found.text)
        for one in case.exhibits
    )


async def _found(context: Context, wanted: Ref) -> _Reported:
    """Return a message that the asker may read. Raises Mistake for any other.

    Of who is not collected, and where nothing is read, the platform tells whose it is; then no word of it is quoted.
    """
    async with context.faculties.database.read() as connection:
        reach = await channels.reach(connection, context.community, context.member)
        here = await channels.by_ref(connection, context.community, context.command.channel.ref)
        known = {**reach.channels, **({here.id: here} if here else {})}
        scope = replace(reach.scope, channels=frozenset(known))
        message = await messages.by_ref(connection, scope, wanted)
        author = await members.by_number(connection, message.author) if message else None
        bots = await members.bots(connection, context.community)
        pointed = context.command.pointed
        meant = await members.by_ref(connection, context.community, pointed.author.ref) if pointed else None
    if message is not None and author is not None:
        named = Named(ref=author.ref, name=author.name, bot=author.id in bots)
        return _Reported(
            message=wanted,
            room=known[message.channel].ref,
            author=named,
            member=author,
            text=message.text,
            at=message.sent_at,
        )
    if pointed is None or pointed.message != wanted:
        raise Mistake(_("I do not know this message, or you cannot read it. Send its link to the staff yourself."))
    return _Reported(
        message=wanted, room=pointed.channel.ref, author=pointed.author, member=meant, text="", at=context.now
    )


SKILL = Skill(
    name="report",
    purpose=_("Passes on to the staff what members report"),
    propose=propose,
    commands=("report",),
)
