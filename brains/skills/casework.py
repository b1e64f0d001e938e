"""What all casework shares: how a case is named and opened, and what a verdict does by the ladder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from bot.core import policies
from bot.core.actions import Ban, Exhibit, KeepCase, Kick, Ruled, Timeout, target
from bot.core.commands import CASE, LETTERS
from bot.core.i18n import _
from bot.core.things import Rank
from brains.moderation import ladder
from storage import cases, members, ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, Kind
    from bot.core.events import MessageEdited, MessagePosted
    from bot.core.i18n import Translate
    from bot.core.things import Member, Ref
    from brains.moderation.ladder import Step, Strictness
    from brains.skills.skill import Context
    from storage.cases import Case

NAME = "moderate"
"""The skill that answers what stands under a card."""
QUOTED = 700
"""Characters of a message that are quoted; the rest is behind its link."""
CHOICES: tuple[Ruled, ...] = tuple(one for one in get_args(Ruled) if one)
"""The verdicts, in the order of their buttons."""
KINDS: dict[Kind, str] = {
    "spam": _("spam"),
    "scam": _("a scam"),
    "toxicity": _("an insult"),
    "hate": _("hate"),
    "sexual": _("sexual content"),
    "self_harm": _("somebody may harm themselves"),
    "flood": _("a flood of messages"),
    "raid": _("a raid"),
    "rule": _("a rule of this community"),
    "reported": _("reported by a member"),
    "hand": _("the staff's own word"),
}
"""What a case is about, for staff and for the member."""


def lasting(minutes: int, translate: Translate) -> str:
    """Say how long something lasts, in the largest unit that it fills."""
    for unit, sentence in ((24 * 60, _("{number} d")), (60, _("{number} h"))):
        if minutes and minutes % unit == 0:
            return translate(sentence).format(number=minutes // unit)
    return translate(_("{number} min")).format(number=minutes)


def case_id() -> str:
    """Make the id of a case: whoever proposes it does, so that a redelivery opens no second one."""
    return "".join(secrets.choice(LETTERS) for _each in range(CASE))


def is_case_id(word: str) -> bool:
    """Say whether a word may be the id of a case, however it was typed."""
    return len(word) == CASE and set(word.upper()) <= set(LETTERS)


def opened(
    context: Context,
    *,
    member: Ref,
    about: Kind,
    reason: str,
    exhibits: Sequence[Exhibit] = (),
    detectors: Sequence[str] = (),
    score: float = 1.0,
    step: Step | None = None,
    points: int = 0,
    by: Ref | None = None,
    case: str = "",
    space: Ref | None = None,
) -> KeepCase:
    """Return what opens a case, or adds to the one of this id. `step` is what is done now, None for nothing yet.

    `space` is where it was, if that is another one than where it is told of. A case that staff open by hand is settled
    by that.
    """
    return KeepCase(
        case=case or case_id(),
        member=member,
        about=about,
        reason=reason,
        detectors=tuple(detectors),
        score=score,
        exhibits=tuple(exhibits),
        step=step.rung if step else "",
        minutes=step.minutes if step else 0,
        points=points,
        days=context.policy.points_days,
        by=by,
        space=space or (context.space if context.space.platform == member.platform else None),
        standing="settled" if about == "hand" else "open",
    )


async def exhibit(
    context: Context, event: MessagePosted | MessageEdited, member: Member, *, picture: str = ""
) -> Exhibit:
    """Return a message as evidence. Of who is not collected no word is kept: the staff reads it behind its link."""
    hidden = await is_withheld(context, member)
    return Exhibit(
        message=event.message,
        channel=event.channel.ref,
        text="" if hidden else event.text,
        at=event.at,
        picture="" if hidden else picture,
    )


async def is_withheld(context: Context, member: Member) -> bool:
    """Say whether nothing is collected of a member, so that neither words nor pictures of theirs are kept."""
    async with context.faculties.database.read() as connection:
        return bool(
            await members.withheld(connection, context.community, among=[member.id], consent=context.policy.consent)
        )


def kept(case: Case) -> KeepCase:
    """Return a stored case as what opened it."""
    return KeepCase(
        case=case.id,
        member=case.member.ref,
        about=case.kind,
        reason=case.reason,
        detectors=case.detectors,
        score=case.score,
        exhibits=case.exhibits,
        step=case.step,
        minutes=case.minutes,
        points=case.points,
        by=case.by,
        space=case.space,
        standing=case.standing,
    )


def strictness(context: Context, where: Ref | None = None) -> Strictness:
    """Return how strict a channel is: the one where something was said, whichever it is judged in."""
    if where is None:
        return context.here.strictness
    return policies.at(context.policy, context.overrides, str(where)).strictness


def sanction(kept: KeepCase, step: Step, reason: str) -> Timeout | Kick | Ban | None:
    """Return what a step does to a member; None for a note or a warning, which are words alone."""
    match step.rung:
        case "timeout":
            return Timeout(member=kept.member, minutes=step.minutes, reason=reason, space=kept.space)
        case "kick":
            return Kick(member=kept.member, reason=reason, space=kept.space)
        case "ban":
            return Ban(member=kept.member, reason=reason, space=kept.space)
        case _:
            return None


def can(context: Context, action: Action) -> bool:
    """Say whether a platform lets the bot do this."""
    where = target(action)
    return where is None or type(action).__name__ in context.can.get(where.platform, frozenset())


def takes(context: Context, member: Ref, step: Step) -> bool:
    """Say whether a member's platform lets the bot take a step; words alone it always can."""
    act = {"timeout": Timeout, "kick": Kick, "ban": Ban}.get(step.rung)
    return act is None or act.__name__ in context.can.get(member.platform, frozenset())


async def is_told_first(context: Context, member: Member, step: str) -> bool:
    """Say whether somebody hears of a step before it is done: once they are out, nobody can write to them.

    Who was last seen as staff is told after it: platforms let nobody act on most of them, and then nothing was done.
    """
    if step not in {"kick", "ban"}:
        return False
    async with context.faculties.database.read() as connection:
        return await ranks.last_seen(connection, context.community, member) < Rank.STAFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is held against a member beside this case: points that count, and earlier cases, newest first."""

    points: int = 0
    earlier: tuple[Case, ...] = field(default=())


async def record(context: Context, member: Member, *, beside: str = "") -> Record:
    """Read what is held against a member beside a case."""
    async with context.faculties.database.read() as connection:
        every = await cases.of_member(connection, context.community, member.id)
        points = await cases.points(connection, member.id, context.now)
    mine = next((one for one in every if one.id == beside), None)
    own = mine.points if mine is not None and mine.counts(context.now) else 0
    return Record(points=points - own, earlier=tuple(one for one in every if one.id != beside))


def planned(context: Context, kept: KeepCase, verdict: Ruled, held: int) -> Step:
    """Return the step of a verdict: none where one was taken already, but a day's rest for whose account was taken."""
    if verdict == "compromised" and kept.step not in {"kick", "ban"} and kept.minutes < ladder.DAY:
        return ladder.Step(points=held, rung="timeout", minutes=ladder.DAY)
    if verdict == "fine" or kept.step:
        return ladder.Step(points=held, rung="")
    said_in = kept.exhibits[-1].channel if kept.exhibits else None
    return ladder.step(strictness(context, said_in), held, ladder.adds(kept.about, verdict))
