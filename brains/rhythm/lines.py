"""Puts matters, questions, decisions and links into lines: a title, whole sentences that were said, and by whom."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core.sentences import width
from brains.knowledge.asking import seeks_place
from brains.knowledge.extract import plain, shortened
from brains.matching.terms import substance, words
from brains.rhythm import gleaning
from brains.rhythm.digest import Line, Quote
from brains.rhythm.summary import Spoken, summarise
from brains.rhythm.titles import LONGEST, SAID, title
from storage.digests import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from bot.core.things import Channel
    from brains.rhythm.digest import Kind
    from brains.rhythm.gleaning import Gleaned, Shared
    from brains.rhythm.span import Matter, Span
    from storage.talks import Said

SENTENCES, WIDTH = 2, 320
"""Sentences of a summary, and how wide they may be together."""
GLEANED = "gleaned"
"""Where a span keeps what was found in it besides conversations."""
AROUND = 40
"""Letters of a line beside its title and summary: where, how many, by whom."""
SHARERS = 5
"""Messages that a link's line names; how often it was shared is counted in all."""
SHARED, LIKED = 1.0, 0.3
"""What each that shared a link counts, and each that liked a message, by their logarithms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A line that is no conversation, and whose words it rests on."""

    line: Line
    authors: frozenset[int]


def of_matter(span: Span, matter: Matter, score: float, rooms: Mapping[int, Channel]) -> Line:
    """Return the line of a matter."""
    said = [Spoken(text=one.text, liked=span.heard.reactions.get(one.id, 0)) for one in matter.said]
    known = span.known.get(matter.label)
    if not isinstance(known, _Told):
        known = span.known[matter.label] = _told(span, matter, said)
    return Line(
        kind="conversation",
        title=known.title,
        summary="\n".join(one.text for one in known.quotes),
        quotes=known.quotes,
        channel=rooms[matter.channel],
        began=matter.said[0].at,
        ended=matter.said[-1].at,
        people=_names(span, matter.authors),
        messages=len(matter.said),
        score=score,
        label=matter.label,
        heading=known.heading,
    )


def fit(told: Sequence[Line], limit: int) -> list[Line]:
    """Make conversations fit into so many letters: the last ones lose their second sentence, then themselves."""
    kept = list(told)
    room = limit - sum(map(_length, kept))
    for at in reversed(range(len(kept))):
        if room < 0 and len(kept[at].quotes) > 1:
            first = kept[at].quotes[0]
            shorter = replace(kept[at], quotes=(first,), summary=first.text)
            room += _length(kept[at]) - _length(shorter)
            kept[at] = shorter
    while room < 0 and len(kept) > 1:
        room += _length(kept.pop())
    return kept


def _length(line: Line) -> int:
    return len(line.title) + len(line.summary) + AROUND


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a matter is called and what is quoted of it, the same for every reader."""

    title: str
    quotes: tuple[Quote, ...]
    heading: Quote | None = None


def _told(span: Span, matter: Matter, said: Sequence[Spoken]) -> _Told:
    picked = summarise(said, rarity=span.rarity, most=SENTENCES, limit=WIDTH)
    if picked:
        quotes = tuple(_quote(span, matter.said[one.at], one.text) for one in picked)
    else:
        longest = max(matter.said, key=lambda one: (substance(words(one.text)), -one.id))
        quotes = (_quote(span, longest, shortened(plain(longest.text), WIDTH)),)
    if matter.thread:
        named, first = matter.thread
        return _Told(title=title(quotes[0].text, thread=named), quotes=quotes, heading=_quote(span, first, named))
    if asked := _asked(span, matter.said[0]):
        rest = tuple(one for one in quotes if (one.source, one.text) != (asked.source, asked.text))
        if rest:
            return _Told(title=shortened(asked.text, SAID), quotes=rest, heading=asked)
    return _Told(title=title(quotes[0].text), quotes=quotes)


def _asked(span: Span, first: Said) -> Quote | None:
    """Return the question that a conversation began with, where it is short enough to be its title."""
    if first.conversation not in {None, first.id} or seeks_place(first.text):
        return None
    found = [one for one in gleaning.asked(first) if width(one) <= LONGEST]
    return _quote(span, first, found[0]) if found else None


def others(span: Span, kind: Kind, rooms: Mapping[int, Channel], channels: Collection[int]) -> Iterator[Other]:
    """Yield the questions, decisions or links of a span's channels, best first; each is made when it is asked for."""
    found = span.known.get(GLEANED)
    if not isinstance(found, dict):
        found = span.known[GLEANED] = _glean(span)
    for one in found[kind]:
        if one.said[0].channel in channels:
            yield _other(span, kind, one, rooms)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Messages that say one thing, oldest first, in which words, and how much it weighs."""

    said: tuple[Said, ...]
    sentences: tuple[str, ...]
    weight: float
    label: int
    url: str = ""


def _glean(span: Span) -> dict[Kind, list[_Found]]:
    talk: dict[int, list[Said]] = {}
    for one in span.heard.said:
        talk.setdefault(one.conversation if one.conversation is not None else one.id, []).append(one)
    weights = {one.id: matter.weight for matter in span.matters for one in matter.said}
    author = {str(one.ref): one.author for one in span.heard.said}
    answered = frozenset(one.reply_to for one in span.heard.said if author.get(one.reply_to, one.author) != one.author)
    found: dict[Kind, list[_Found]] = {"question": [], "decision": [], "link": []}
    for label, some in talk.items():
        asked = gleaning.question(some, answered)
        if asked is not None and _waits(span, asked, label):
            told = substance(words(asked.said.text)) + _liked(span, [asked.said])
            found["question"].append(_found(asked, told, label))
        for decided in gleaning.decisions(some)[-1:]:
            told = weights.get(decided.said.id, 0.0) + _liked(span, [decided.said])
            found["decision"].append(_found(decided, told, label))
    found["link"] = [_link(span, one) for one in _shared(span)]
    return {kind: sorted(some, key=lambda one: (-one.weight, one.said[0].at)) for kind, some in found.items()}


def _waits(span: Span, asked: Gleaned, label: int) -> bool:
    """Say whether a question waits: in a thread nobody else spoke after it; elsewhere nobody seems to mean it."""
    if label < 0:
        return True
    later = (one for one in span.heard.said if one.channel == asked.said.channel and one.at > asked.said.at)
    return gleaning.waits(asked.said, [one for one in later if one.conversation is None or one.conversation >= 0])


def _shared(span: Span) -> Iterable[Shared]:
    """Return the links of each channel apart: who reads one may not read another."""
    for channel in sorted({one.channel for one in span.heard.said}):
        yield from gleaning.links(one for one in span.heard.said if one.channel == channel)


def _found(one: Gleaned, weight: float, label: int) -> _Found:
    return _Found(said=(one.said,), sentences=(one.sentence,), weight=weight, label=label)


def _link(span: Span, one: Shared) -> _Found:
    people = len({said.author for said in one.said})
    weight = SHARED * math.log(people) + _liked(span, one.said) + substance(words(one.sentences[0]))
    return _Found(said=one.said, sentences=one.sentences, weight=weight, label=0, url=one.url)


def _liked(span: Span, said: Sequence[Said]) -> float:
    return LIKED * math.log1p(sum(span.heard.reactions.get(one.id, 0) for one in said))


def _other(span: Span, kind: Kind, one: _Found, rooms: Mapping[int, Channel]) -> Other:
    first, sentence = one.said[0], one.sentences[0]
    named = list(zip(one.said, one.sentences, strict=True))[:SHARERS]
    quotes = tuple(_quote(span, each, told) for each, told in named)
    authors = tuple(dict.fromkeys(each.author for each in one.said))
    line = Line(
        kind=kind,
        title=one.url or shortened(sentence, LONGEST),
        summary=sentence,
        quotes=quotes,
        channel=rooms[first.channel],
        began=first.at,
        ended=one.said[-1].at,
        people=_names(span, authors),
        messages=len(one.said),
        score=one.weight,
        label=one.label,
        url=one.url,
    )
    return Other(line=line, authors=frozenset(authors))


def _quote(span: Span, one: Said, sentence: str) -> Quote:
    author = span.heard.names.get(one.author, "")
    return Quote(text=sentence, source=one.ref, author=author, read=digest(one.text))


def _names(span: Span, authors: Sequence[int]) -> tuple[str, ...]:
    names = (span.heard.names.get(one, "") for one in authors)
    return tuple(name for name in names if name)
