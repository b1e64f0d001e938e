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

NAMED = 3
"""Terms named in a sentence."""


class Kind(StrEnum):
    """What moved the score."""

    TERMS = "terms"
    MESSAGES = "messages"
    MEANING = "meaning"
    NEWCOMERS = "newcomers"
    COMPANY = "company"
    LITTLE = "little"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a channel: shared `terms`, or a `count` of messages or people, and its `weight` in log-odds."""

    kind: Kind
    channel: int
    weight: float
    terms: tuple[str, ...] = ()
    count: int = 0


def explain(suggestion: Suggestion, *, limit: int = 3) -> tuple[Reason, ...]:
    """Name what moved a suggestion, strongest first; that too little is known where nothing did. Never empty."""
    found = sorted(_candidates(suggestion), key=lambda reason: -reason.weight)
    telling = [reason for reason in found if reason.weight >= WORTH_SAYING]
    return tuple(telling[:limit]) or (Reason(kind=Kind.LITTLE, channel=suggestion.channel, weight=0.0),)


def say(reason: Reason, translate: Callable[[str], str]) -> str:
    """Put a reason into a sentence; `translate` is a gettext function."""
    sentence = translate(_SENTENCES[reason.kind])
    return sentence.format(terms=", ".join(reason.terms[:NAMED]), count=reason.count)


_SENTENCES = {
    Kind.TERMS: _("People there talk about {terms}."),
    Kind.MESSAGES: _("Your own messages are close to what is said there ({count})."),
    Kind.MEANING: _("What is said there is close in meaning."),
    Kind.NEWCOMERS: _("Many members have lately found their way there."),
    Kind.COMPANY: _("Members of the channels you use often go there too."),
    Kind.LITTLE: _("I have read too little to say how well it fits."),
}


def _candidates(suggestion: Suggestion) -> list[Reason]:
    parts, channel = suggestion.parts, suggestion.channel
    meaning = Kind.MESSAGES if suggestion.messages else Kind.MEANING
    found = [
        Reason(kind=meaning, channel=channel, weight=parts.vector, count=len(suggestion.messages)),
        Reason(kind=Kind.COMPANY, channel=channel, weight=parts.company),
    ]
    if came := round(suggestion.newcomers):
        found.append(Reason(kind=Kind.NEWCOMERS, channel=channel, weight=parts.newcomers, count=came))
    if suggestion.terms:
        terms = tuple(shared.term for shared in suggestion.terms)
        found.append(Reason(kind=Kind.TERMS, channel=channel, weight=parts.terms, terms=terms))
    return found
