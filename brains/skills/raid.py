"""A raid: who takes part cannot write until it is over; the staff is told once, and may end it or ban them all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core.actions import AskStaff, Ban, Button, Delete, KeepCase, OpenDirect, Say, Timeout, Unban
from bot.core.decisions import Decision, Mode
from bot.core.errors import Mistake
from bot.core.events import place
from bot.core.i18n import _
from bot.core.policies import mode_of
from bot.core.wording import escape
from brains.skills.casework import NAME, can, exhibit, kept, opened
from brains.skills.steering import close_message, for_staff, pressed, ref, staff_channel, who
from storage import acts, cases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.core.actions import Action
    from bot.core.events import MemberJoined, MessageEdited, MessagePosted
    from bot.core.i18n import Translate
    from bot.core.things import Member, Ref
    from brains.moderation.moderator import Examination
    from brains.moderation.raids import Raid
    from brains.skills.skill import Context
    from storage.acts import Act

AT_ONCE = 15
"""Members who are acted on by one decision; another press goes on."""
BY = (NAME, "mod", "staff")
"""Skills by which staff hold members and let them go."""
ALONE = ("raid",)
"""The detectors of a case that nothing but a raid speaks for."""
SHORTEST = 5
"""Minutes of a time-out at least."""


async def came_in(context: Context, event: MemberJoined) -> Decision | None:
    """Take note of somebody who comes in; in a raid, hold them and those before them until it is over."""
    moderator = await context.faculties.moderator(context.community)
    if event.member.bot:
        return None  # whoever brought it in answers for it
    begins = moderator.raids is not None and moderator.raids.state(event.at) is None
    raid = moderator.came(event.member.ref, event.at, context.space)
    if raid is None:
        return None
    if begins:
        return await _begun(context, raid)
    if mode_of(dict(context.modes), NAME, "") is Mode.ASK:
        return None  # the staff was asked when it began
    translate = await for_staff(context)
    held = _held(context, raid, event.member.ref, context.space, translate)
    return _decision(raid, [held], [event.member.ref], translate)


async def said(
    context: Context, event: MessagePosted | MessageEdited, member: Member, seen: Examination, *, begins: bool
) -> Decision | None:
    """Hold whoever takes part in a raid by what they write, which is kept as evidence without a card of its own.

    What detectors would take away goes at once where it may; elsewhere it waits with its case.
    """
    assert seen.raid is not None  # noqa: S101 - only what belongs to a raid comes here
    raid, translate = seen.raid, await for_staff(context)
    case = await _case(context, event, member, seen)
    acting = mode_of(dict(context.modes), NAME, str(event.channel.ref)) is not Mode.ASK
    removes = acting and seen.verdict == "remove" and "delete" not in context.here.asked_first
    gone = [Delete(message=event.message, channel=event.channel.ref)] if removes else []
    if begins:
        return await _begun(context, raid, kept=[case], gone=gone)
    held = [_held(context, raid, member.ref, context.space, translate)] if acting else []
    return _decision(raid, [case, *held, *gone], [member.ref], translate)


async def _case(context: Context, event: MessagePosted | MessageEdited, member: Member, seen: Examination) -> KeepCase:
    """Keep a message in the case of its author's part in a raid, which names what else speaks against it."""
    assert seen.raid is not None  # noqa: S101 - asked before
    async with context.faculties.database.read() as connection:
        mine = await cases.of_member(connection, context.community, member.id)
    return opened(
        context,
        member=member.ref,
        about="raid",
        reason=seen.raid.reason(await for_staff(context)),
        exhibits=(await exhibit(context, event, member),),
        detectors=tuple(dict.fromkeys([*ALONE, *(one.detector for one in seen.detections if one.kind != "self_harm")])),
        case=next((one.id for one in mine if one.kind == "raid" and one.is_open), ""),
    )


async def lift(context: Context) -> Decision:
    """End a raid by the word of the staff: whoever was held because of it may write again.

    Cases that rest on nothing else are withdrawn.
    """
    seen = await _since(context)
    moderator = await context.faculties.moderator(context.community)
    if moderator.raids is not None and seen.latest:
        moderator.raids.lift()
    back = [*await _withdrawn(context, seen), *((_let_go(one), one.id) for one in seen.held)]
    back.sort(key=lambda one: one[0].member)
    first, left = _first(one.member for one, _act in back)
    now = [one for one in back if one[0].member in first]
    now.sort(key=lambda one: isinstance(one[0], Timeout))  # a time-out that fails ends what is kept after it
    words = context.translate(_("{member}: ends the raid")).format(member=who(context))
    done, undoes = [one for one, _act in now], [act for _one, act in now]
    return _closed(context, seen.card, done, words, left=left, undoes=undoes)


async def _withdrawn(context: Context, seen: _Seen) -> list[tuple[KeepCase | Timeout, int | None]]:
    """Return what withdraws the open cases of a raid that nothing but the raid speaks for."""
    async with context.faculties.database.read() as connection:
        waiting = await cases.queue(connection, context.community)
    mine = [one for one in waiting if one.id in seen.cases and one.detectors == ALONE]
    return [(replace(kept(one), standing="withdrawn", before="open"), None) for one in mine]


def _let_go(held: Act) -> Timeout:
    return Timeout(member=_member(held), minutes=0, space=_space(held))


async def hold(context: Context) -> Decision:
    """Hold whoever takes part in a raid and is not held yet, where the bot had to ask first. Raises Mistake."""
    seen = await _since(context)
    wanted = await _unheld(context, seen)
    if not wanted:
        raise Mistake(_("Nobody takes part in this raid who is not held already."))
    first, left = _first(one.member for one in wanted)
    held = [one for one in wanted if one.member in first]
    reason = context.translate(_("{member}: holds whoever takes part in the raid")).format(member=who(context))
    told = _told(context, len(first), left)
    # The card keeps its buttons: whoever is held may be let go by it, or banned.
    return Decision(skill=NAME, actions=(*held, context.answer(told)), reason=reason, settles=False)


async def ban_all(context: Context) -> Decision:
    """Ban whoever takes part in a raid. Raises Mistake where nobody does."""
    seen = await _since(context)
    wanted = [*((_member(one), _space(one)) for one in seen.held)]
    wanted += [(one.member, one.space) for one in await _unheld(context, seen)]
    wanted = [one for one in dict.fromkeys(wanted) if one not in seen.banned]
    if not wanted:
        raise Mistake(_("Nobody is held because of this raid any more."))
    reason = context.translate(_("{member}: bans whoever took part in the raid")).format(member=who(context))
    first, left = _first(member for member, _space in wanted)
    bans = [Ban(member=member, reason=reason, space=space) for member, space in wanted if member in first]
    return _closed(context, seen.card, bans, reason, left=left)


def _first(members: Iterable[Ref]) -> tuple[frozenset[Ref], int]:
    """Return whom one decision acts on, each in all of their spaces, and how many are left for another press."""
    every = list(dict.fromkeys(members))
    return frozenset(every[:AT_ONCE]), len(every[AT_ONCE:])


async def _begun(
    context: Context, raid: Raid, *, kept: Sequence[KeepCase] = (), gone: Sequence[Delete] = ()
) -> Decision | None:
    """Hold those who are there already, and tell the staff; a message by which it begins is `kept`, or `gone` too."""
    translate = await for_staff(context)
    members = sorted(raid.members)[:AT_ONCE]
    held = _held_everywhere(context, raid, members, translate)
    at_once = set(members) if _holds(context) and can(context, held[0]) else set()
    waiting = sorted(raid.members.keys() - at_once)
    later = _held_everywhere(context, raid, waiting, translate)
    card = await _card(context, raid, later, translate)
    return _decision(raid, [*([card] if card else []), *kept, *held, *gone], members, translate)


def _holds(context: Context) -> bool:
    """Say whether a time-out is done at once, without asking the staff."""
    channel = place(context.event)
    mode = mode_of(dict(context.modes), NAME, str(channel.ref) if channel else "")
    return mode is Mode.ACT and "timeout" not in context.here.asked_first


def _decision(raid: Raid, actions: Iterable[Action], members: Iterable[Ref], translate: Translate) -> Decision | None:
    actions = tuple(actions)
    if not actions:
        return None
    return Decision(skill=NAME, actions=actions, reason=raid.reason(translate), about=tuple(members))


def _held(context: Context, raid: Raid, member: Ref, space: Ref | None, translate: Translate) -> Timeout:
    """Return what holds somebody in the space where they take part: staff may press the card in another one."""
    left = math.ceil((raid.until - context.now).total_seconds() / 60)
    return Timeout(member=member, minutes=max(SHORTEST, left), reason=raid.reason(translate), space=space)


def _held_everywhere(context: Context, raid: Raid, members: Iterable[Ref], translate: Translate) -> list[Timeout]:
    """Return what holds members in each space where they take part."""
    pairs = ((one, space) for one in members for space in sorted(raid.members[one], key=str))
    return [_held(context, raid, one, space, translate) for one, space in pairs]


async def _card(context: Context, raid: Raid, later: Sequence[Timeout], translate: Translate) -> AskStaff | None:
    """Tell the staff of a raid; `later` are those who are not held at once, whom a button holds."""
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
    if later and can(context, later[0]):
        labels = {"hold": _("Hold them"), **labels}
    buttons = tuple(Button(label=translate(label), press=f"{NAME}.{press}") for press, label in labels.items())
    return AskStaff(to=staff.ref, text=text, skill=NAME, proposed=tuple(later), buttons=buttons)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What came of a raid whose card was pressed: who is held because of it, and who was banned where meanwhile.

    `cases` are those that it opened; `latest` says that no other raid began after it.
    """

    card: Act
    held: Sequence[Act]
    cases: frozenset[str]
    banned: frozenset[tuple[Ref, Ref | None]]
    latest: bool


async def _since(context: Context) -> _Seen:
    """Return what was done because of the raid whose card was pressed, and not taken back. Raises Mistake."""
    card = await pressed(context)
    if card is None:
        raise Mistake(_("This is not there any more."))
    async with context.faculties.database.read() as connection:
        done = await acts.of_skill(connection, context.community, NAME, card.intended_at)
    done = [one for one in done if one.id >= card.id]
    after = next((one.id for one in done if one.id > card.id and _is_card(one)), None)
    mine = _of_raid([one for one in done if after is None or one.id < after])
    held = [one for one in mine if isinstance(one.action, Timeout) and one.action.minutes]
    opened = frozenset(one.action.case for one in mine if isinstance(one.action, KeepCase))
    banned = frozenset((_member(one), _space(one)) for one in done if isinstance(one.action, Ban))
    return _Seen(card=card, held=held, cases=opened, banned=banned, latest=after is None)


def _of_raid(done: Sequence[Act]) -> list[Act]:
    """Return what was done because of a raid: the same skill also times out whom a case is about."""
    whole: dict[str, list[Act]] = {}
    for one in done:
        whole.setdefault(one.trace, []).append(one)
    return [one for trace in whole.values() if _is_of_raid(trace) for one in trace]


def _is_of_raid(trace: Sequence[Act]) -> bool:
    """Say whether acts of one trace are a raid's: with its card, with a case about it, or a time-out without a case.

    Whoever pressed for it was answered: directly, where a platform shows nothing to one member alone.
    """
    known = any(_is_card(one) or (isinstance(one.action, KeepCase) and one.action.about == "raid") for one in trace)
    return known or all(isinstance(one.action, Timeout | Say | OpenDirect) for one in trace)


def _is_card(act: Act) -> bool:
    """Say whether an act told the staff of a raid."""
    return isinstance(act.action, AskStaff) and any(one.press == f"{NAME}.lift" for one in act.action.buttons)


async def _unheld(context: Context, seen: _Seen) -> list[Timeout]:
    """Return what would hold those of a raid who never were, in each space: whoever staff let go there is let be."""
    proposed = seen.card.action.proposed if isinstance(seen.card.action, AskStaff) else ()
    wanted = [one for one in proposed if isinstance(one, Timeout)]
    moderator = await context.faculties.moderator(context.community)
    raid = moderator.raids.state(context.now) if moderator.raids is not None and seen.latest else None
    if raid is not None:
        wanted += _held_everywhere(context, raid, sorted(raid.members), await for_staff(context))
    async with context.faculties.database.read() as connection:
        since = seen.card.intended_at
        every = [act for by in BY for act in await acts.of_skill(connection, context.community, by, since)]
    met = {(one.action.member, one.action.space) for one in every if isinstance(one.action, Timeout | Ban | Unban)}
    latest = {(one.member, one.space): one for one in wanted}
    return [one for pair, one in latest.items() if pair not in met]


def _member(act: Act) -> Ref:
    assert isinstance(act.action, Timeout | Ban)  # noqa: S101 - only such are asked about
    return act.action.member


def _space(act: Act) -> Ref | None:
    assert isinstance(act.action, Timeout | Ban)  # noqa: S101 - only such are asked about
    return act.action.space


def _closed(
    context: Context,
    card: Act,
    done: Sequence[Timeout | Ban | KeepCase],
    words: str,
    *,
    left: int,
    undoes: Sequence[int | None] = (),
) -> Decision:
    """Do it, say so, and say it under the card; while some are left, its buttons stay."""
    told = _told(context, len({one.member for one in done}), left)
    under = () if left else close_message(card, escape(words))
    actions = (*done, context.answer(told), *under)
    numbers = (*undoes, *(None for _each in actions[len(undoes) :])) if undoes else ()
    by = ref(context)
    return Decision(
        skill=NAME, actions=actions, reason=words, about=(by,) if by else (), undoes=numbers, settles=not left
    )


def _told(context: Context, done: int, left: int) -> str:
    """Say how many were acted on, and how many are left."""
    told = [context.translate(_("Done for {count} members.")).format(count=done)]
    if left:
        told.append(context.translate(_("{count} are left: press again.")).format(count=left))
    return " ".join(told)
