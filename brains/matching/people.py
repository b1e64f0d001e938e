"""Who would get on: members as their interests, words, language, hours and company, and how well two of them fit."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from bot.core.i18n import is_chinese
from brains.matching.corpus import DAY, beside, fading, unit
from brains.matching.describing import SAID
from brains.matching.interests import group
from brains.matching.terms import as_written, substances, unit_rows, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brains.matching.centre import Centre
    from brains.matching.corpus import Corpus, Floats, Ids

HALF_LIFE = 180 * DAY
"""Of a message's say in what its author is about: who is to be met now is into it now."""
NEWEST = 60
"""Messages read of each."""
NAMED = 2.0
"""How many full messages an interest counts for that somebody named: it is meant, and is short."""
HOURS = 24
CLOSENESS, WORDS, LANGUAGE, TIMES = 0.5, 0.3, 0.1, 0.1
"""What the score is made of. Chosen, not learned: no community has introductions to learn from yet."""
WORTH = 0.16
"""Least of closeness and words, as they count, for two to be worth introducing. By reading the sample community."""
COMPANY = 3.0
"""Talks (shared conversations, by how few took part) from which two need no introduction: as good as three that
were theirs alone."""
SAMPLED = 100
"""Messages from which they tell which words are topical; in fewer, all words count as such."""
TOPICAL = 0.3
"""From which a term counts as being about something; so does one that is not in the sample. By reading the sample
community: its "bread" and "solder" have more, its "hours" and "people" less."""
CROWDED = 4.0
"""So often shown of late halves somebody's score, so that not the same three are shown to everybody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrait:
    """One human, from what they said in public.

    `interests` (k, d) are unit rows, centred on the community, and `raw` (k, d) the same as the encoder made them;
    `terms` how much they said of what; `hours` (24,) when, UTC, summing to 1; `talks` the conversations they took part
    in, and `chinese` the share of what they wrote in Chinese. All are empty for somebody who has said nothing.
    """

    person: int
    interests: Floats
    raw: Floats
    terms: Mapping[str, float]
    hours: Floats
    chinese: float = 0.0
    talks: frozenset[int] = frozenset()
    messages: int = 0


def draw(
    person: int, own: Corpus, *, talks: frozenset[int], centre: Centre, now: float, told: Corpus | None = None
) -> Portrait:
    """Draw somebody from their messages, in any order, newest counting most, and from the interests that they `told`.

    When they are here, and in which language they write, their messages tell; the latter also what they told, if that
    is all.
    """
    own = own.take(np.lexsort((own.ids, own.times))[::-1][:NEWEST])
    every = own if told is None else beside(own, told)
    documents = [words(text) for text in every.texts]
    says = np.concatenate([substances(documents[: len(own)]), np.full(len(every) - len(own), NAMED, dtype=np.float32)])
    weights = fading(every.times, now=now, half_life=HALF_LIFE) * says
    vectors = unit(every.vectors)
    placed = centre.place(vectors, every.texts)
    labels, interests, _shares = group(np.where(vectors.any(axis=1, keepdims=True), placed, 0), weights)
    raw = [(vectors * weights[:, None])[labels == one].sum(axis=0) for one in range(len(interests))]
    terms: Counter[str] = Counter()
    for document, weight in zip(documents, weights.tolist(), strict=True):
        for term in set(document):
            terms[term] += weight
    hours = np.bincount((own.times // 3600 % HOURS).astype(np.int64), minlength=HOURS).astype(np.float32)
    return Portrait(
        person=person,
        interests=interests,
        raw=unit(np.array(raw, dtype=np.float32).reshape(len(raw), every.vectors.shape[1])),
        terms=dict(terms),
        hours=hours / max(1.0, float(hours.sum())),
        chinese=float(np.mean([is_chinese(text) for text in own.texts or every.texts])) if len(every) else 0.0,
        talks=talks,
        messages=len(own),
    )


def named(portrait: Portrait, text: str, vector: Floats, *, centre: Centre) -> Portrait:
    """Return somebody with the interests that they named in place of those that their messages show."""
    return Portrait(
        person=portrait.person,
        interests=centre.place(unit(vector)[None, :], [text]),
        raw=unit(vector)[None, :],
        terms=dict.fromkeys(words(text), 1.0),
        hours=portrait.hours,
        chinese=portrait.chinese if portrait.messages else float(is_chinese(text)),
        talks=portrait.talks,
        messages=portrait.messages,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usual:
    """Which words are usual in a community, from a sample of its messages.

    How many there are, how many of them hold a term, and how much a term tells of the channel that it is in: from 0,
    said everywhere alike, to 1.
    """

    messages: int
    terms: Mapping[str, int]
    topical: Mapping[str, float]

    @classmethod
    def of(cls, texts: Sequence[str], channels: Sequence[int]) -> Self:
        """Learn what is usual from messages and their channels.

        How much a term tells is the Kullback-Leibler divergence of the channels it is in, with one message's worth of
        all channels added, from all channels, as a share of their entropy.
        """
        seen: dict[str, Counter[int]] = {}
        for text, channel in zip(texts, channels, strict=True):
            for term in set(words(text)):
                seen.setdefault(term, Counter())[channel] += 1
        rooms = {channel: count / len(channels) for channel, count in Counter(channels).items()}
        entropy = -sum(share * np.log(share) for share in rooms.values())
        enough = entropy > 0 and len(texts) >= SAMPLED
        topical = {term: _told(counts, rooms) / entropy for term, counts in seen.items()} if enough else {}
        terms = {term: counts.total() for term, counts in seen.items()}
        return cls(messages=len(texts), terms=terms, topical=topical)

    def tells(self, term: str) -> float:
        """Return how much a term tells: how rare it is (scikit-learn's smooth idf), by how topical; else 0."""
        topical = self.topical.get(term, TOPICAL)
        rare = float(np.log((1 + self.messages) / (1 + self.terms.get(term, 0))) + 1)
        return rare * topical if topical >= TOPICAL else 0.0


def _told(counts: Counter[int], rooms: Mapping[int, float]) -> float:
    """Return the divergence in nats; the channels without the term are all as far from usual, so they are one."""
    total = counts.total() + 1
    rest = 1 - sum(rooms[channel] for channel in counts)
    found = -rest / total * math.log(total)
    for channel, count in counts.items():
        share = (count + rooms[channel]) / total
        found += share * math.log(share / rooms[channel])
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """How well everybody (p,) fits one of them: the score before rotation, what is shared, how well they know them."""

    score: Floats
    shared: Floats
    company: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crowd:
    """Everybody who wants to be introduced, side by side, in the order of `portraits`."""

    portraits: Sequence[Portrait]
    owners: Ids
    rows: Floats
    vocabulary: Mapping[str, int]
    idf: Floats
    terms: csr_array
    hours: Floats
    chinese: Floats
    rooms: Mapping[int, int]
    talks: csr_array
    place: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, portraits: Sequence[Portrait], present: Mapping[int, int], *, usual: Usual) -> Self:
        """Put portraits side by side; `present` says how many took part in each conversation."""
        vocabulary = {term: at for at, term in enumerate(sorted({term for one in portraits for term in one.terms}))}
        idf = np.array([usual.tells(term) for term in vocabulary], dtype=np.float32)
        rooms = {one: at for at, one in enumerate(sorted({talk for one in portraits for talk in one.talks}))}
        told = [one.interests for one in portraits if len(one.interests)]
        return cls(
            portraits=portraits,
            owners=np.repeat(np.arange(len(portraits)), [len(one.interests) for one in portraits]),
            rows=np.concatenate(told) if told else np.zeros((0, 0), dtype=np.float32),
            vocabulary=vocabulary,
            idf=idf,
            terms=_weigh([one.terms for one in portraits], vocabulary, idf),
            hours=np.array([one.hours for one in portraits], dtype=np.float32).reshape(len(portraits), HOURS),
            chinese=np.array([one.chinese for one in portraits], dtype=np.float32),
            rooms=rooms,
            talks=_talks([one.talks for one in portraits], rooms, present),
            place={one.person: at for at, one in enumerate(portraits)},
        )

    def fit(self, asker: Portrait) -> Fit:
        """Say how well everybody fits somebody, themselves included."""
        closeness = self._closeness(asker)
        overlap = self.terms @ _weigh([asker.terms], self.vocabulary, self.idf).T
        told = np.asarray(overlap.todense(), dtype=np.float32).ravel()
        silent = np.array([not one.messages for one in self.portraits])
        language = np.where(silent, 0.5, 1 - np.abs(self.chinese - asker.chinese))
        times = np.minimum(self.hours, asker.hours).sum(axis=1)
        shared = CLOSENESS * np.maximum(closeness, 0) + WORDS * told
        at = self.place.get(asker.person)
        company = np.zeros(len(self.portraits), dtype=np.float32)
        if at is not None:
            company = np.asarray((self.talks @ self.talks[[at]].T).todense(), dtype=np.float32).ravel()
        return Fit(score=shared + LANGUAGE * language + TIMES * times, shared=shared, company=company)

    def _closeness(self, asker: Portrait) -> Floats:
        """Return the cosine (p,) of the closest pair of interests."""
        best = np.zeros(len(self.portraits), dtype=np.float32)
        if len(asker.interests) and len(self.rows):
            starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
            nearest = (asker.interests @ self.rows.T).max(axis=0)
            best[self.owners[starts]] = np.maximum.reduceat(nearest, starts)
        return best


def ranked(fit: Fit, shown: Floats, *, allowed: Sequence[int]) -> list[int]:
    """Return the places of those `allowed`, best first: worth it, no company yet, and not shown too often.

    `shown` (p,) says how often each was shown to others of late.
    """
    score = fit.score / (1 + fit.company) / (1 + shown / CROWDED)
    worth = [one for one in allowed if fit.shared[one] >= WORTH and fit.company[one] < COMPANY]
    return sorted(worth, key=lambda one: (-float(score[one]), one))


NOBODY_S = frozenset(
    """
    nothing nobody nowhere anybody anyone anywhere somebody somewhere everybody everywhere none first second third
    two three four five six seven eight nine ten eleven twelve dozen hundred thousand
    once twice always left right mean tonight tomorrow weekend
    monday tuesday wednesday thursday friday saturday sunday
    january february april june july august september october november december
    今天 明天 昨天 晚上 周末 星期 一次 两次 七点 八点
    """.split()  # noqa: SIM905
)
"""Words that may be rare in a community and yet are no subject that two share."""
ORDINARY = frozenset(
    term for term, many in Counter(term for text in SAID for term in set(words(text))).items() if many > 1
)
"""Words of more than one text of ordinary talk, each of which is about something else: said anywhere, of anything."""
SUBJECT = 0.6
"""Twice `TOPICAL`: from which such a word is a subject all the same, where it is said in few channels."""


def shared(mine: Sequence[str], theirs: Sequence[str], usual: Usual | None, most: int) -> tuple[str, ...]:
    """Return up to `most` words that texts of two share, those that tell most first, as the other writes them."""
    own, other = (Counter(term for text in texts for term in set(words(text))) for texts in (mine, theirs))

    def telling(term: str) -> float:
        if term in ORDINARY and (usual is None or usual.topical.get(term, 0.0) < SUBJECT):
            return 0.0
        tells = usual.tells(term) if usual else 1.0
        return tells**2 * float(np.log1p(own[term]) * np.log1p(other[term]))

    told = {term: telling(term) for term in (own.keys() & other.keys()) - NOBODY_S}
    both = sorted((term for term in told if told[term] > 0), key=lambda term: (-told[term], term))[:most]
    written = as_written(both, theirs)
    return tuple(written[term] for term in both)


def _weigh(told: Sequence[Mapping[str, float]], vocabulary: Mapping[str, int], idf: Floats) -> csr_array:
    """Return unit rows (n, v) of (ln(1 + said)) * idf."""
    kept = [[(vocabulary[term], said) for term, said in one.items() if term in vocabulary] for one in told]
    ends = np.cumsum([0, *(len(one) for one in kept)])
    columns = np.array([column for one in kept for column, _ in one], dtype=np.int64)
    values = np.array([said for one in kept for _, said in one], dtype=np.float32)
    data = np.log1p(values) * idf[columns] if len(columns) else values
    return unit_rows(csr_array((data.astype(np.float32), columns, ends), shape=(len(told), len(vocabulary))))


def _talks(told: Sequence[frozenset[int]], rooms: Mapping[int, int], present: Mapping[int, int]) -> csr_array:
    """Return rows (p, c) by which two multiply to their shared conversations, each as 1 / (others who took part)."""
    ends = np.cumsum([0, *(len(one) for one in told)])
    columns = np.array([rooms[talk] for one in told for talk in sorted(one)], dtype=np.int64)
    data = np.array([1 / np.sqrt(max(1, present.get(talk, 2) - 1)) for one in told for talk in sorted(one)])
    return csr_array((data.astype(np.float32), columns, ends), shape=(len(told), len(rooms)))
