"""Why a channel is suggested, as data and in words. Reasons name only what truly moved the score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.core.i18n import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from brains.matching.suggestion import Suggestion

WORTH_SAYING = 0.1
"""Log-odds beside the average channel; less than this moved nothing that a member would notice."""

MANY = 3
"""Members who found their way lately from which on one speaks of many: one is more than the average of nobody."""

NAMED, PEOPLE = 3, 2
"""Terms and people named in a sentence."""


class Kind(StrEnum):
    """What moved the score."""

    TERMS = "terms"
    MESSAGES = "messages"
    MEANING = "meaning"
    STATED = "stated"
    TIES = "ties"
    HOURS = "hours"
    LANGUAGE = "language"
    NEWCOMERS = "newcomers"
    ALIVE = "alive"
    COMPANY = "company"
    LITTLE = "little"


DULL = frozenset({Kind.LANGUAGE, Kind.HOURS})
"""What is true of so many channels that it is told after all the rest, whatever its weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a channel, and its `weight` in log-odds.

    It names shared `terms`, a `count` of messages or people, or `people` by their ids: whoever shows it puts in the
    `names` of those that the reader may see there.
    """

    kind: Kind
    channel: int
    weight: float
    terms: tuple[str, ...] = ()
    count: int = 0
    people: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


def explain(suggestion: Suggestion, *, limit: int = 3) -> tuple[Reason, ...]:
    """Name what moved a suggestion, strongest first and what tells least last; never empty.

    Where nothing moved it, too little is known.
    """
    found = sorted(_candidates(suggestion), key=lambda reason: (reason.kind in DULL, -reason.weight))
    telling = [reason for reason in found if reason.weight >= WORTH_SAYING]
    return tuple(telling[:limit]) or (Reason(kind=Kind.LITTLE, channel=suggestion.channel, weight=0.0),)


def say(reason: Reason, translate: Callable[[str], str]) -> str:
    """Put a reason into a sentence; `translate` is a gettext function."""
    named = _NAMED[len(reason.names[:PEOPLE])] if reason.kind is Kind.TIES else _SENTENCES[reason.kind]
    first, second = (*reason.names, "", "")[:2]
    terms = ", ".join(reason.terms[:NAMED])
    return translate(named).format(terms=terms, count=reason.count, first=first, second=second)


_SENTENCES = {
    Kind.TERMS: _("People there talk about {terms}."),
    Kind.MESSAGES: _("What they talk about there is much like what you write."),
    Kind.MEANING: _("That is much like what they talk about there."),
    Kind.STATED: _("It goes with what you told me that you like."),
    Kind.HOURS: _("Conversations there are at your hours."),
    Kind.LANGUAGE: _("They write in your language there."),
    Kind.NEWCOMERS: _("Many members have lately found their way there."),
    Kind.ALIVE: _("Much is said there these days."),
    Kind.COMPANY: _("People from the channels you are in often go there too."),
    Kind.LITTLE: _("I have read too little to say how well it fits."),
}

_NAMED = (
    _("People you already talk with write there."),
    _("You already talk with {first}, who writes there."),
    _("You already talk with {first} and {second}, who write there."),
)


def _candidates(suggestion: Suggestion) -> list[Reason]:
    parts, channel = suggestion.parts, suggestion.channel
    meaning = Kind.MESSAGES if suggestion.messages else Kind.MEANING
    found = [
        Reason(kind=meaning, channel=channel, weight=parts.vector + parts.breadth, count=len(suggestion.messages)),
        Reason(kind=Kind.STATED, channel=channel, weight=parts.stated),
        Reason(kind=Kind.HOURS, channel=channel, weight=parts.hours),
        Reason(kind=Kind.LANGUAGE, channel=channel, weight=parts.language),
        Reason(kind=Kind.ALIVE, channel=channel, weight=parts.alive),
        Reason(kind=Kind.COMPANY, channel=channel, weight=parts.company),
    ]
    if (came := round(suggestion.newcomers)) >= MANY:
        found.append(Reason(kind=Kind.NEWCOMERS, channel=channel, weight=parts.newcomers, count=came))
    if suggestion.people:
        found.append(Reason(kind=Kind.TIES, channel=channel, weight=parts.ties, people=suggestion.people))
    if suggestion.terms:
        terms = tuple(shared.term for shared in suggestion.terms)
        found.append(Reason(kind=Kind.TERMS, channel=channel, weight=parts.terms, terms=terms))
    return found
