"""Puts matters, questions, decisions and links into lines: a title, whole sentences that were said, and by whom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brains.knowledge.extract import plain, shortened
from brains.matching.terms import substance, words
from brains.rhythm import gleaning
from brains.rhythm.digest import Line, Quote
from brains.rhythm.summary import Spoken, summarise
from brains.rhythm.titles import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.core.things import Channel
    from brains.rhythm.digest import Kind
    from brains.rhythm.gleaning import Gleaned, Shared
    from brains.rhythm.span import Matter, Span
    from storage.talks import Said

SENTENCES, WIDTH = 2, 320
"""Sentences of a summary, and how wide they may be together."""
LONGEST_TITLE = 90
SHARED, LIKED = 1.0, 0.3
"""What each that shared a link counts, and each that liked a message, by their logarithms."""
MANY_PEOPLE = 12
"""Names that a line keeps."""


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
        summary=" ".join(one.text for one in known.quotes),
        quotes=known.quotes,
        channel=rooms[matter.channel],
        began=matter.said[0].at,
        ended=matter.said[-1].at,
        people=_names(span, matter.authors),
        messages=len(matter.said),
        score=score,
        label=matter.label,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a matter is called and what is quoted of it, the same for every reader."""

    title: str
    quotes: tuple[Quote, ...]


def _told(span: Span, matter: Matter, said: Sequence[Spoken]) -> _Told:
    picked = summarise(said, rarity=span.rarity, most=SENTENCES, limit=WIDTH)
    best = [one.text for one in sorted(picked, key=lambda one: -one.score)]
    if picked:
        quotes = tuple(_quote(span, matter.said[one.at], one.text) for one in picked)
    else:
        longest = max(matter.said, key=lambda one: (substance(words(one.text)), -one.id))
        quotes = (_quote(span, longest, shortened(plain(longest.text), WIDTH)),)
    texts = [one.text for one in matter.said]
    return _Told(title=title(texts, best, thread=matter.thread, rarity=span.rarity), quotes=quotes)


def others(span: Span, rooms: Mapping[int, Channel]) -> dict[str, list[Other]]:
    """Return the questions, decisions and links of a span, of channels that its reader may read."""
    found = span.known.get(0)
    if not isinstance(found, dict):
        found = span.known[0] = _glean(span)
    return {
        kind: [_other(span, kind, one, rooms) for one in some if one.said[0].channel in rooms]
        for kind, some in found.items()
    }


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
        if asked := gleaning.question(some, answered):
            told = substance(words(asked.said.text)) + _liked(span, [asked.said])
            found["question"].append(_found(asked, told, label))
        for decided in gleaning.decisions(some)[-1:]:
            told = weights.get(decided.said.id, 0.0) + _liked(span, [decided.said])
            found["decision"].append(_found(decided, told, label))
    found["link"] = [_link(span, one) for one in _shared(span)]
    return found


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


def _other(span: Span, kind: str, one: _Found, rooms: Mapping[int, Channel]) -> Other:
    first, sentence = one.said[0], one.sentences[0]
    quotes = tuple(_quote(span, each, told) for each, told in zip(one.said, one.sentences, strict=True))
    authors = tuple(dict.fromkeys(each.author for each in one.said))
    line = Line(
        kind="link" if kind == "link" else "decision" if kind == "decision" else "question",
        title=one.url or shortened(sentence, LONGEST_TITLE),
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
    return Quote(text=sentence, source=one.ref, author=span.heard.names.get(one.author, ""))


def _names(span: Span, authors: Sequence[int]) -> tuple[str, ...]:
    names = (span.heard.names.get(one, "") for one in authors[:MANY_PEOPLE])
    return tuple(name for name in names if name)
