"""What staff do to members by hand: `/mod warn`, `timeout`, `kick`, `ban`, `unban` and `untimeout`; and their cases."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import Ban, Kick, OpenDirect, Timeout, Unban, Warn
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Ref
from bot.core.wording import describe, escape, marked
from brains.moderation import ladder
from brains.moderation.ladder import Step
from brains.skills import docket, letters, whereabouts
from brains.skills.casework import can, is_told_first, opened, record
from brains.skills.skill import Skill
from brains.skills.steering import for_all, ref, staff_channel, who
from storage import cases, channels, members, spaces

if TYPE_CHECKING:
    from bot.core.actions import Action, KeepCase
    from bot.core.things import Member
    from brains.skills.skill import Context
    from brains.skills.whereabouts import Where

Done = Warn | OpenDirect | Timeout | Kick | Ban | Unban
"""What is done to a member; a warning is a letter where there is no place to say it."""
HOUR = 60
"""Minutes of a timeout where staff names none."""


async def propose(context: Context) -> Decision | None:
    """Do what staff wants done to a member, or show the cases."""
    given = context.command.arguments
    match given["action"]:
        case "queue":
            return await docket.queue(context)
        case "case":
            return await docket.show(context)
    wanted = given.get("member") or given.get("case")  # a name in capitals looks like a case's id
    if not wanted:
        raise Mistake(_("Say whom: /mod {action} and a member."), action=given["action"])
    member, whom = await _whom(context, wanted)
    if given["action"] in ladder.BY_HAND and member is not None:
        return await _punish(context, member, given["action"], given.get("reason", ""))
    return await _bare(context, member, whom, given["action"], given.get("reason", ""))


async def _punish(context: Context, member: Member, act: str, why: str) -> Decision:
    """Do it, keep it as a case, and tell the member: before they are out, where they are sent out."""
    if act == "warn" and not why:
        raise Mistake(_("Say what the warning is for: the member reads it."))
    step = _step(context, act)
    where = await whereabouts.acted_in(context, member.ref, member)
    case = opened(
        context,
        member=member.ref,
        about="hand",
        reason=why,
        step=step,
        points=ladder.BY_HAND[act],
        by=ref(context),
        space=where[0],
    )
    action = await _action(context, case, member, why, where[0])
    if not can(context, action):
        return _decided(context, case, action, (action, _answer(context, action)))
    acts = _in_each(action, where)
    told = [] if act == "warn" else [await letters.notice(context, member, case, why=why)]
    told = [one for one in told if can(context, one)]
    known = await record(context, member)
    held = context.translate(_("Case {case}. Points now: {points}.")).format(
        case=case.case, points=known.points + case.points
    )
    said = _answer(context, action, await _elsewhere(context, where[: len(acts)]), held)
    before, after = (told, []) if await is_told_first(context, member, act) else ([], told)
    return _decided(context, case, action, (*before, *acts, case, said, *after))


async def _bare(context: Context, member: Member | None, whom: Ref, act: str, why: str) -> Decision:
    """Do what opens no case: what lifts a sanction, and what is done to somebody who was never met."""
    action: Done
    where = await whereabouts.acted_in(context, whom, member)
    match act:
        case "warn":
            if not why:
                raise Mistake(_("Say what the warning is for: the member reads it."))
            text = (await for_all(context))(_("**A warning from the staff**: {reason}")).format(reason=escape(why))
            action = await _warned(context, whom, member, text, where[0])
        case "timeout":
            action = Timeout(member=whom, minutes=_minutes(context), reason=why)
        case "untimeout":
            action = Timeout(member=whom, minutes=0, reason=why)
            where = await whereabouts.lifted_in(context, whom, member, action)
        case "kick":
            action = Kick(member=whom, reason=why)
        case "ban":
            action = Ban(member=whom, reason=why)
        case _:
            action = Unban(member=whom, reason=why)
            where = await whereabouts.lifted_in(context, whom, member, action)
    reason = f"{who(context)}: {describe(action, context.translate)}" + (f" ({why})" if why else "")
    acts = _in_each(action, where)
    said = _answer(context, action, await _elsewhere(context, where[: len(acts)]))
    return Decision(skill=SKILL.name, actions=(*acts, said), reason=reason, about=(whom,))


def _decided(context: Context, case: KeepCase, action: Action, actions: tuple[Action, ...]) -> Decision:
    reason = f"{who(context)}: {describe(action, context.translate)}" + (f" ({case.reason})" if case.reason else "")
    return Decision(skill=SKILL.name, actions=actions, reason=reason, about=(case.member,))


def _in_each(action: Done, where: Where) -> tuple[Done, ...]:
    """Return an action for each space in which it is done; a warning is said once."""
    if isinstance(action, Warn | OpenDirect):
        return (action,)
    return tuple(replace(action, space=one) for one in where)


async def _warned(
    context: Context, whom: Ref, member: Member | None, text: str, space: Ref | None
) -> Warn | OpenDirect:
    """Return a warning; where no place is known to say it to who cannot be written to, it is a letter alone."""
    if (place := await _aloud(context, whom, member, space)) is not None:
        return Warn(member=whom, channel=place, text=text)
    return OpenDirect(member=whom, text=text, space=space)


async def _aloud(context: Context, whom: Ref, member: Member | None, space: Ref | None) -> Ref | None:
    """Return where a warning is said to who cannot be written to; None where no place is known.

    That is where it is asked for among members, not where the staff talks among itself; else where they wrote what an
    open case rests on, else the group that they are in, if its channels are named by it: then it is one as a whole.
    """
    here, staff = context.command.channel.ref, await staff_channel(context)
    if space == context.space and (staff is None or staff.ref != here):
        return here
    async with context.faculties.database.read() as connection:
        mine = await cases.of_member(connection, context.community, member.id) if member else []
        wrote = [one for case in mine if case.is_open for one in reversed(case.exhibits) if one.author in {None, whom}]
        for one in wrote:
            if await channels.by_ref(connection, context.community, one.channel) is not None:
                return one.channel
        rooms = (await channels.every(connection, context.community)).values()
        if space is None or not any(one.ref.is_of(space) for one in rooms):
            return None
        return next(iter(await spaces.entered(connection, whom, [space])), None)


async def _elsewhere(context: Context, where: Where) -> str:
    """Name the spaces in which it is done, where it is asked for in another one."""
    called = await whereabouts.named(context, where)
    return context.translate(_("In {spaces}.")).format(spaces=escape(called)) if called else ""


def _answer(context: Context, action: Action, *more: str) -> Action:
    lifted = isinstance(action, Timeout) and not action.minutes
    back = not (isinstance(action, Kick | OpenDirect) or lifted)
    words = context.translate(_("Done: {change}. /undo takes it back.") if back else _("Done: {change}."))
    done = words.format(change=marked(action, context.translate))
    return context.answer(" ".join([done, *(one for one in more if one)]))


def _minutes(context: Context) -> int:
    return int(context.command.arguments.get("minutes", HOUR))


def _step(context: Context, act: str) -> Step:
    points = ladder.BY_HAND[act]
    match act:
        case "warn":
            return Step(points=points, rung="warn")
        case "timeout":
            return Step(points=points, rung="timeout", minutes=_minutes(context))
        case "kick":
            return Step(points=points, rung="kick")
        case _:
            return Step(points=points, rung="ban")


async def _action(context: Context, case: KeepCase, member: Member, why: str, space: Ref | None) -> Done:
    match case.step:
        case "warn":
            text = await letters.warning(context, member, case, why)
            return await _warned(context, member.ref, member, text, space)
        case "timeout":
            return Timeout(member=member.ref, minutes=case.minutes, reason=why)
        case "kick":
            return Kick(member=member.ref, reason=why)
        case _:
            return Ban(member=member.ref, reason=why)


async def _whom(context: Context, wanted: str) -> tuple[Member | None, Ref]:
    """Return who is meant; raises Mistake for the asker, for a bot, and where nobody is called so."""
    async with context.faculties.database.read() as connection:
        try:
            found = await members.find(connection, context.community, wanted)
        except Mistake:
            if stranger := _stranger(context, wanted):
                return None, stranger
            raise
        bots = await members.bots(connection, context.community)
    if found.ref == ref(context):
        raise Mistake(_("That is you. Nobody acts on themselves."))
    if found.id in bots:
        raise Mistake(_("{name} is a bot. Take it out in the settings of the platform."), name=found.name)
    return found, found.ref


def _stranger(context: Context, wanted: str) -> Ref | None:
    """Return who was never met, but is named by the platform: who only ever listened, or was banned before."""
    with contextlib.suppress(ValueError):
        named = Ref.parse(wanted)
        return named if named.platform == context.space.platform else None
    return None


SKILL = Skill(
    name="mod",
    purpose=_("Warns, times out and bans for the staff, and shows them the cases"),
    propose=propose,
    commands=("mod",),
)
