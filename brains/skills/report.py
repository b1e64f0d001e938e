"""Members tell the staff of a message: `/report`, and the buttons under what the staff gets to read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button, Delete, Edit, Timeout
from bot.core.decisions import Decision
from bot.core.errors import Mistake, NotAllowed
from bot.core.events import Named
from bot.core.i18n import _
from bot.core.things import Rank, Ref
from bot.core.wording import describe, escape, marked
from brains.skills.skill import Skill
from brains.skills.steering import close_message, for_staff, message_ref, pressed, ref, staff_channel, who
from storage import acts, channels, members, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action
    from brains.skills.skill import Context
    from storage.acts import Act

HOUR = 60
"""Minutes of a timeout by a button."""
QUOTED = 1500
"""Characters of the message that the staff gets to read; the rest is behind the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reported:
    """A message that somebody reports; without `text` where nothing of it is held."""

    message: Ref
    room: Ref
    called: str
    author: Named
    text: str


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
    found = await _found(context, message_ref(context, context.command.arguments["message"]))
    if found.author.ref == ref(context):
        raise Mistake(_("This is your own message: you can delete it yourself."))
    if await _reported(context, found.message):
        raise Mistake(_("You reported this message already. The staff has it."))
    text, buttons = await _told(context, found), await _buttons(context, found)
    asked = AskStaff(to=staff.ref, text=text, skill=SKILL.name, proposed=(), buttons=buttons)
    thanks = context.translate(_("Thank you. The staff has it now, and nobody else learns that it came from you."))
    reason = context.translate(_("{member} reported a message of {author}"))
    return Decision(
        skill=SKILL.name,
        actions=(asked, context.answer(thanks)),
        reason=reason.format(member=who(context), author=found.author.name),
        evidence=(found.message,),
        about=(found.author.ref,),
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
    if message is not None and author is not None:
        room = known[message.channel]
        named = Named(ref=author.ref, name=author.name, bot=author.id in bots)
        return _Reported(message=wanted, room=room.ref, called=room.name, author=named, text=message.text)
    pointed = context.command.pointed
    if pointed is None or pointed.message != wanted:
        raise Mistake(_("I do not know this message, or you cannot read it. Send its link to the staff yourself."))
    return _Reported(
        message=wanted, room=pointed.channel.ref, called=pointed.channel.name, author=pointed.author, text=""
    )


async def _reported(context: Context, message: Ref) -> bool:
    """Say whether the asker reported a message before."""
    async with context.faculties.database.read() as connection:
        found = await acts.naming(connection, context.community, message)
    mine = str(ref(context))
    return any(
        button.data.get("reporter") == mine
        for act in found
        if act.skill == SKILL.name and isinstance(act.action, AskStaff)
        for button in act.action.buttons
    )


async def _told(context: Context, found: _Reported) -> str:
    """Write what the staff gets to read, in the language of the community."""
    translate = await for_staff(context)
    head = translate(_("**Report**: {author} wrote in {channel}, {link}:")).format(
        author=wording.member(found.author.ref, found.author.name),
        channel=wording.channel(found.room, found.called),
        link=wording.message(found.message, translate(_("this message"))),
    )
    unread = escape(translate(_("I collect nothing of this, so its words are behind the link alone.")))
    quoted = wording.quote(found.text[:QUOTED]) if found.text else f"_{unread}_"
    reason = context.command.arguments.get("reason", "")
    why = translate(_("Reported by {member}: {reason}") if reason else _("Reported by {member}, without a reason."))
    told = why.format(member=escape(who(context)), reason=escape(reason))
    return "\n".join([head, quoted, "", told])


async def _buttons(context: Context, found: _Reported) -> tuple[Button, ...]:
    translate = await for_staff(context)
    labels = {"delete": _("Delete message"), "timeout": _("Time out for 1 hour"), "done": _("Done")}
    about = {"message": found.message, "channel": found.room, "author": found.author.ref, "reporter": ref(context)}
    data = {name: str(one) for name, one in about.items()}
    if found.author.ref.platform == context.space.platform:
        # The staff may settle it in another space than that in which it was said.
        data["space"] = str(context.space)
    return tuple(
        Button(label=translate(label), press=f"{SKILL.name}.{press}", data=data)
        for press, label in labels.items()
        if press != "timeout" or not found.author.bot
    )


async def _settle(context: Context, what: str, about: dict[str, Ref]) -> Decision:
    """Do what a button says, and write under the report who decided it."""
    report = await _latest(context)
    left = _left(report, what)
    translate = await for_staff(context)
    done: tuple[Action, ...] = ()
    reason = translate(_("settled by {member}")).format(member=who(context))
    words = escape(reason)
    if what != "done":
        done = (_act(what, about, reason=reason),)
        reason = f"{who(context)}: {describe(done[0], translate)}"
        words = f"{escape(who(context))}: {marked(done[0], translate)}"
    under = close_message(report, words, buttons=left if done else ())
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
    return Timeout(member=about["author"], minutes=HOUR, reason=reason, space=about.get("space"))


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
