"""Members tell the staff of a message: `/report`, and the buttons under what the staff gets to read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button, Delete, Edit, Timeout
from bot.core.decisions import Decision
from bot.core.errors import Mistake, NotAllowed
from bot.core.i18n import _
from bot.core.things import Rank, Ref
from bot.core.wording import describe, escape, marked
from brains.skills.skill import Skill
from brains.skills.steering import ended, for_all, message_ref, pressed, ref, staff_channel, who
from storage import acts, channels, members, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action
    from bot.core.things import Channel, Member, Message
    from brains.skills.skill import Context
    from storage.acts import Act

HOUR = 60
"""Minutes of a time-out by a button."""
QUOTED = 1500
"""Characters of the message that the staff gets to read; the rest is behind the link."""


async def propose(context: Context) -> Decision | None:
    """Answer the command, or one of the staff's buttons."""
    if context.press is None:
        return await _report(context)
    if context.rank < Rank.STAFF:
        raise NotAllowed(_("Only the staff settles reports."))
    about = {name: Ref.parse(one) for name, one in context.press.data.items()}
    return await _settle(context, context.press.what, about)


async def _report(context: Context) -> Decision:
    """Pass a message on to the staff, with who reports it and why."""
    staff = await staff_channel(context)
    if staff is None:
        raise Mistake(
            _(
                "There is no staff channel here yet, so I cannot pass this on. "
                "Ask the owner for one: /setup staff_channel"
            )
        )
    message, room, author = await _message(context, context.command.arguments["message"])
    if author.ref == ref(context):
        raise Mistake(_("This is your own message: you can delete it yourself."))
    if await _reported(context, message):
        raise Mistake(_("You reported this message already. The staff has it."))
    text = await _told(context, message, room, author)
    buttons = await _buttons(context, message, room, author)
    asked = AskStaff(to=staff.ref, text=text, skill=SKILL.name, proposed=(), buttons=buttons)
    thanks = context.translate(_("Thank you. The staff has it now, and nobody else learns that it came from you."))
    reason = context.translate(_("{member} reported a message of {author}"))
    return Decision(
        skill=SKILL.name,
        actions=(asked, context.answer(thanks)),
        reason=reason.format(member=who(context), author=author.name),
        evidence=(message.ref,),
        about=(author.ref,),
    )


async def _message(context: Context, wanted: str) -> tuple[Message, Channel, Member]:
    """Return a message that the asker may read, with its channel and its author. Raises Mistake for any other."""
    async with context.faculties.database.read() as connection:
        scope = await channels.readable(connection, context.community, context.member)
        known = await channels.every(connection, context.community)
        here = {number for number, one in known.items() if one.ref == context.command.channel.ref}
        scope = replace(scope, channels=(scope.channels or frozenset()) | here)
        message = await messages.by_ref(connection, scope, message_ref(context, wanted))
        author = await members.by_number(connection, message.author) if message else None
    if message is None or author is None:
        raise Mistake(
            _(
                "I do not know this message, or you cannot read it, or I collect nothing of who wrote it. "
                "Send its link to the staff yourself."
            )
        )
    return message, known[message.channel], author


async def _reported(context: Context, message: Message) -> bool:
    """Say whether the asker reported a message before."""
    async with context.faculties.database.read() as connection:
        found = await acts.naming(connection, context.community, message.ref)
    mine = str(ref(context))
    return any(
        button.data.get("reporter") == mine
        for act in found
        if act.skill == SKILL.name and isinstance(act.action, AskStaff)
        for button in act.action.buttons
    )


async def _told(context: Context, message: Message, room: Channel, author: Member) -> str:
    """Write what the staff gets to read, in the language of the community."""
    translate = await for_all(context)
    head = translate(_("**Report**: {author} wrote in {channel}, {link}:")).format(
        author=wording.member(author.ref, author.name),
        channel=wording.channel(room.ref, room.name),
        link=wording.message(message.ref, translate(_("this message"))),
    )
    reason = context.command.arguments.get("reason", "")
    why = translate(_("Reported by {member}: {reason}") if reason else _("Reported by {member}, without a reason."))
    told = why.format(member=escape(who(context)), reason=escape(reason))
    return "\n".join([head, wording.quote(message.text[:QUOTED]), "", told])


async def _buttons(context: Context, message: Message, room: Channel, author: Member) -> tuple[Button, ...]:
    translate = await for_all(context)
    async with context.faculties.database.read() as connection:
        human = author.id not in await members.bots(connection, context.community)
    labels = {"delete": _("Delete message"), "timeout": _("Time out for 1 hour"), "done": _("Done")}
    found = {"message": message.ref, "channel": room.ref, "author": author.ref, "reporter": ref(context)}
    data = {name: str(one) for name, one in found.items()}
    return tuple(
        Button(label=translate(label), press=f"{SKILL.name}.{press}", data=data)
        for press, label in labels.items()
        if human or press != "timeout"
    )


async def _settle(context: Context, what: str, about: dict[str, Ref]) -> Decision:
    """Do what a button says, and write under the report who decided it."""
    report = await _latest(context)
    left = _left(report, what)
    translate = await for_all(context)
    done: tuple[Action, ...] = ()
    reason = translate(_("settled by {member}")).format(member=who(context))
    words = escape(reason)
    if what != "done":
        done = (_act(what, about, reason=reason),)
        reason = f"{who(context)}: {describe(done[0], translate)}"
        words = f"{escape(who(context))}: {marked(done[0], translate)}"
    under = ended(report, words, buttons=left if done else ())
    return Decision(
        skill=SKILL.name,
        actions=(*done, *under, context.answer(context.translate(_("Done.")))),
        reason=reason,
        evidence=(about["message"],),
        about=(about["author"],),
        settles=not done,
    )


def _act(what: str, about: dict[str, Ref], *, reason: str) -> Action:
    if what == "delete":
        return Delete(message=about["message"], channel=about["channel"])
    return Timeout(member=about["author"], minutes=HOUR, reason=reason)


async def _latest(context: Context) -> Act:
    """Return the act by which the report reads as it does now."""
    first = await pressed(context)
    made = _made(first) if first else None
    if first is None or made is None:
        raise Mistake(_("This report is not there any more."))
    async with context.faculties.database.read() as connection:
        later = await acts.naming(connection, context.community, made)
    return next((act for act in reversed(later) if isinstance(act.action, Edit) and act.action.message == made), first)


def _made(act: Act) -> Ref | None:
    return act.action.message if isinstance(act.action, Edit) else act.receipt.made


def _left(report: Act, what: str) -> Sequence[Button]:
    """Return the buttons that stay when one was pressed; raises Mistake when that one is gone."""
    shown = report.action.buttons if isinstance(report.action, AskStaff | Edit) else ()
    left = [button for button in shown if button.press != f"{SKILL.name}.{what}"]
    if len(left) == len(shown):
        raise Mistake(_("This was settled already."))
    return left


SKILL = Skill(
    name="report",
    purpose=_("Passes on to the staff what members report"),
    propose=propose,
    commands=("report",),
)
