"""A raid: who takes part cannot write until it is over; the staff is told once, and may end it or ban them all."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import AskStaff, Ban, Button, Timeout
from bot.core.decisions import Decision, Mode
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.policies import mode_of
from bot.core.wording import escape
from brains.skills.casework import NAME, exhibit, opened
from brains.skills.steering import close_message, for_staff, pressed, ref, staff_channel, who
from storage import acts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.core.actions import Action
    from bot.core.events import MemberJoined, MessageEdited, MessagePosted
    from bot.core.i18n import Translate
    from bot.core.things import Member, Ref
    from brains.moderation.raids import Raid
    from brains.skills.skill import Context
    from storage.acts import Act

AT_ONCE = 15
"""Members who are acted on by one decision; another press goes on."""
SHORTEST = 5
"""Minutes of a time-out at least."""
BEFORE = timedelta(seconds=5)
"""What the bot does because of a raid begins no earlier before its card than this."""


async def came_in(context: Context, event: MemberJoined) -> Decision | None:
    """Take note of somebody who comes in; in a raid, hold them and those before them until it is over."""
    moderator = await context.faculties.moderator(context.community)
    raid = moderator.came(event.member.ref, event.at)
    if raid is None or event.member.bot:
        return None
    if raid.began == event.at:
        return await _begun(context, raid)
    if mode_of(dict(context.modes), NAME, "") is Mode.ASK:
        return None  # the staff was asked when it began
    translate = await for_staff(context)
    return _decision(raid, [_held(context, raid, event.member.ref, translate)], [event.member.ref], translate)


async def said(context: Context, event: MessagePosted | MessageEdited, member: Member, raid: Raid) -> Decision | None:
    """Hold whoever takes part in a raid by what they write, which is kept as evidence without a card of its own."""
    if raid.began == event.at:
        return await _begun(context, raid)
    translate = await for_staff(context)
    shown, reason = await exhibit(context, event, member), raid.reason(translate)
    kept = opened(context, member=member.ref, about="raid", reason=reason, exhibits=(shown,), detectors=("raid",))
    acting = mode_of(dict(context.modes), NAME, str(event.channel.ref)) is not Mode.ASK
    held = [_held(context, raid, member.ref, translate)] if acting else []
    return _decision(raid, [kept, *held], [member.ref], translate)


async def lift(context: Context) -> Decision:
    """End a raid by the word of the staff: whoever was held because of it may write again."""
    card, done = await _since(context)
    moderator = await context.faculties.moderator(context.community)
    if moderator.raids is not None:
        moderator.raids.lift()
    held = [one for one in done if isinstance(one.action, Timeout) and one.action.minutes]
    back: list[Action] = [Timeout(member=_member(one), minutes=0, space=_space(one)) for one in held[:AT_ONCE]]
    words = context.translate(_("{member}: ends the raid")).format(member=who(context))
    return _closed(context, card, back, words, left=len(held) - len(back), undoes=[one.id for one in held[:AT_ONCE]])


async def ban_all(context: Context) -> Decision:
    """Ban whoever was held because of a raid. Raises Mistake where nobody was."""
    card, done = await _since(context)
    banned = {_member(one) for one in done if isinstance(one.action, Ban)}
    held = [one for one in done if isinstance(one.action, Timeout) and one.action.minutes]
    left = [one for one in held if _member(one) not in banned]
    if not left:
        raise Mistake(_("Nobody is held because of this raid any more."))
    reason = context.translate(_("{member}: bans whoever took part in the raid")).format(member=who(context))
    bans: list[Action] = [Ban(member=_member(one), reason=reason, space=_space(one)) for one in left[:AT_ONCE]]
    return _closed(context, card, bans, reason, left=len(left) - len(bans))


async def _begun(context: Context, raid: Raid) -> Decision | None:
    """Hold those who are there already, and tell the staff."""
    translate = await for_staff(context)
    members = sorted(raid.members)[:AT_ONCE]
    held = [_held(context, raid, one, translate) for one in members]
    card = await _card(context, raid, translate)
    return _decision(raid, [*([card] if card else []), *held], members, translate)


def _decision(raid: Raid, actions: Iterable[Action], members: Iterable[Ref], translate: Translate) -> Decision | None:
    actions = tuple(actions)
    if not actions:
        return None
    return Decision(skill=NAME, actions=actions, reason=raid.reason(translate), about=tuple(members))


def _held(context: Context, raid: Raid, member: Ref, translate: Translate) -> Timeout:
    left = math.ceil((raid.until - context.now).total_seconds() / 60)
    space = context.space if context.space.platform == member.platform else None
    return Timeout(member=member, minutes=max(SHORTEST, left), reason=raid.reason(translate), space=space)


async def _card(context: Context, raid: Raid, translate: Translate) -> AskStaff | None:
    staff = await staff_channel(context)
    if staff is None:
        return None
    words = translate(
        _(
            "**A raid**: {what}. Where I may act, whoever takes part cannot write for some minutes. "
            "It ends by itself at {until}, if nobody more comes."
        )
    )
    text = words.format(what=escape(raid.reason(translate)), until=raid.until.strftime("%H:%M UTC"))
    labels = {"lift": _("End it, let them write"), "banall": _("Ban them all")}
    buttons = tuple(Button(label=translate(label), press=f"{NAME}.{press}") for press, label in labels.items())
    return AskStaff(to=staff.ref, text=text, skill=NAME, proposed=(), buttons=buttons)


async def _since(context: Context) -> tuple[Act, list[Act]]:
    """Return the card that was pressed, and what was done since and not taken back. Raises Mistake."""
    card = await pressed(context)
    if card is None:
        raise Mistake(_("This is not there any more."))
    async with context.faculties.database.read() as connection:
        done = await acts.of_skill(connection, context.community, NAME, card.intended_at - BEFORE)
    return card, done


def _member(act: Act) -> Ref:
    assert isinstance(act.action, Timeout | Ban)  # noqa: S101 - only such are asked about
    return act.action.member


def _space(act: Act) -> Ref | None:
    assert isinstance(act.action, Timeout | Ban)  # noqa: S101 - only such are asked about
    return act.action.space


def _closed(
    context: Context, card: Act, done: list[Action], words: str, *, left: int, undoes: Sequence[int] = ()
) -> Decision:
    """Do it, say so, and say it under the card; while some are left, its buttons stay."""
    told = [context.translate(_("Done for {count} members.")).format(count=len(done))]
    if left:
        told.append(context.translate(_("{count} are left: press again.")).format(count=left))
    under = () if left else close_message(card, escape(words))
    actions = (*done, context.answer(" ".join(told)), *under)
    numbers = (*undoes, *(None for _each in actions[len(undoes) :])) if undoes else ()
    by = ref(context)
    return Decision(
        skill=NAME, actions=actions, reason=words, about=(by,) if by else (), undoes=numbers, settles=not left
    )
