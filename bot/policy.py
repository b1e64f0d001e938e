"""Which proposed actions may happen, and why not the others. Pure; the only reader of modes, rights and thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.actions import AskStaff, Button, Delete, OpenDirect, Say, target
from bot.core.decisions import Mode, Ruling, Verdict
from bot.core.i18n import _
from bot.core.wording import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.actions import Action
    from bot.core.decisions import Decision
    from bot.core.i18n import Translate
    from bot.core.things import Ref

ONLY = "only"
"""In what an adapter can: speaking to one member alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a ruling rests on, besides the proposals.

    `asked` says that a member asked for an answer; `live` is false for what came to us late; `can` holds what each
    platform's adapter is able to do; `confidence` is how sure a skill must be to act unasked.
    """

    asked: bool
    live: bool
    can: Mapping[str, frozenset[str]]
    confidence: float
    staff_channel: Ref | None
    translate: Translate


def judge(decisions: Sequence[Decision], facts: Facts, modes: Mapping[str, Mode]) -> Verdict:
    """Rule on every proposed action, in order."""
    rulings = [
        ruling
        for number, decision in enumerate(decisions)
        for ruling in _judge(number, decision, facts, modes.get(decision.skill, Mode.WATCH))
    ]
    return Verdict(decisions=tuple(decisions), rulings=tuple(_without_echoes(rulings, facts)))


def _judge(number: int, decision: Decision, facts: Facts, mode: Mode) -> list[Ruling]:
    if why := _against(decision, facts, mode):
        return _declined(number, decision, why)
    if facts.asked or decision.approved or mode is Mode.ACT:
        return _possible(number, decision, facts)
    return _for_staff(number, decision, facts)


def _against(decision: Decision, facts: Facts, mode: Mode) -> str:
    """Say what speaks against a whole decision; empty when nothing does."""
    translate = facts.translate
    if not facts.live:
        return translate(_("It came to me late. I learn from it, and never answer or punish late."))
    if facts.asked or decision.approved:
        return ""
    if mode is Mode.OFF:
        return translate(_("This skill is off here."))
    if mode is Mode.WATCH:
        return translate(_("I only watch here, so this is what I would have done."))
    if decision.confidence < facts.confidence:
        why = translate(_("{sure:.0%} sure; here I act from {needed:.0%} on."))
        return why.format(sure=decision.confidence, needed=facts.confidence)
    return ""


def _declined(number: int, decision: Decision, why: str) -> list[Ruling]:
    return [Ruling(decision=number, action=action, kept=False, why=why) for action in decision.actions]


def _possible(number: int, decision: Decision, facts: Facts) -> list[Ruling]:
    """Keep what the platform can do; where it cannot, say so and take the next best."""
    undoes = decision.undoes or (None,) * len(decision.actions)
    return [
        ruling
        for action, undone in zip(decision.actions, undoes, strict=True)
        for ruling in _fitted(number, action, undone, facts)
    ]


def _fitted(number: int, action: Action, undoes: int | None, facts: Facts) -> list[Ruling]:
    if (lacking := _lacking(action, facts)) is None:
        return [Ruling(decision=number, action=action, kept=True, undoes=undoes)]
    declined = Ruling(decision=number, action=action, kept=False, why=lacking)
    instead = _instead(action)
    if instead is None or _lacking(instead, facts) is not None:
        return [declined]
    return [declined, Ruling(decision=number, action=instead, kept=True, undoes=undoes)]


def _lacking(action: Action, facts: Facts) -> str | None:
    """Say what is missing to carry out an action; None when nothing is."""
    where = target(action)
    if where is None:
        return None
    able = facts.can.get(where.platform)
    if able is None:
        return facts.translate(_("{platform} is not connected.")).format(platform=where.platform)
    if type(action).__name__ not in able:
        sentence = facts.translate(_("{platform} does not let a bot do this: {action}."))
        return sentence.format(platform=where.platform, action=describe(action, facts.translate))
    if isinstance(action, Say) and action.only and ONLY not in able:
        return facts.translate(_("{platform} cannot show a message to one member alone.")).format(
            platform=where.platform
        )
    return None


def _instead(action: Action) -> Action | None:
    """Return the next best thing: what cannot be said aside is said in a direct conversation, never aloud."""
    if isinstance(action, Say) and action.only:
        return OpenDirect(member=action.only, text=action.text)
    return None


def _for_staff(number: int, decision: Decision, facts: Facts) -> list[Ruling]:
    """Put a proposal to the staff, all of it at once."""
    if facts.staff_channel is None:
        why = _("This wants the staff's word, and there is no staff channel. /setup staff_channel names one.")
        return _declined(number, decision, facts.translate(why))
    asked = _declined(number, decision, facts.translate(_("The staff was asked.")))
    return [*asked, Ruling(decision=number, action=_proposal(decision, facts.staff_channel, facts), kept=True)]


def _proposal(decision: Decision, channel: Ref, facts: Facts) -> AskStaff:
    translate = facts.translate
    wishes = "\n".join(f"- {describe(action, translate)}" for action in decision.actions)
    head = translate(_("**{skill}** proposes: {reason}")).format(skill=decision.skill, reason=decision.reason)
    return AskStaff(
        to=channel,
        text=f"{head}\n{wishes}",
        skill=decision.skill,
        proposed=decision.actions,
        buttons=(
            Button(label=translate(_("Approve")), press="staff.approve", choice="proposal"),
            Button(label=translate(_("Decline")), press="staff.decline", choice="proposal"),
        ),
    )


def _without_echoes(rulings: list[Ruling], facts: Facts) -> list[Ruling]:
    """Decline answers to a message that is being taken away."""
    gone = {ruling.action.message for ruling in rulings if ruling.kept and isinstance(ruling.action, Delete)}
    why = facts.translate(_("The message it answers is taken away."))
    return [
        Ruling(decision=one.decision, action=one.action, kept=False, why=why)
        if one.kept and isinstance(one.action, Say) and one.action.reply_to in gone
        else one
        for one in rulings
    ]
