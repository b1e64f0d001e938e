"""Which topics are spoken of more than before, or less: terms beyond chance, gathered where they meet.

They are ranked by the log-odds ratio with an informative Dirichlet prior of Monroe, Colaresi and Quinn 2008 ("Fightin'
Words"), which favours neither rare terms nor common ones; whether they are chance, an exact test says. What is counted
is how many members used a term on how many days: somebody who says a thing forty times in an evening is one, so that
neither a quarrel nor a flood makes a topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brains.matching.growth_names import PARTICLES, is_chinese, whole_word
from brains.matching.terms import as_written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from brains.matching.corpus import Ids, Mask

    Floats64 = npt.NDArray[np.float64]

VOICES, DAYS = 3, 2
"""Members who must have used a term, and days on which: what two say, or on one day, is no trend."""
PRIOR = 500.0
"""Uses that the prior counts for: a term is as frequent as in both times together, until so many say otherwise."""
CHANCE = 0.1
"""Share of the terms found that may be chance."""
TESTED = 0.005
"""A term whose every use falls in one time, and yet that is likelier than this, is used too seldom to be tested."""
TIMES = 1.5
"""How many times more often, or less often, a topic must be spoken of: what is less is nothing to tell anybody."""
TOGETHER = 0.5
"""Share of the rarer term's messages in which another occurs too, from which on both are one topic."""
LOOKED_AT = 40
"""Terms that are gathered to topics, those that stand out most."""
NAMED, KEPT = 2, 6
"""Terms that name a topic, and that are kept of it."""
EXAMPLES = 3
LEAST = 0.5
"""Uses of all other terms, where there are none."""
DAY_SHIFT = 1_000_000
"""Above any day's ordinal, so that a member and a day are one number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spoken:
    """Messages (n,), oldest first: their terms, texts, authors, days (ordinals), and whether each is of `now`.

    `rows` (n,) is what each is called.
    """

    rows: Ids
    documents: Sequence[Sequence[str]]
    texts: Sequence[str]
    authors: Ids
    days: Ids
    now: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that is spoken of otherwise than before.

    `now` and `before` are how many messages spoke of it, `times` how many times as often as before, a day compared with
    a day; `z` the log-odds of its strongest term in standard errors. `rows` are its newest messages.
    """

    name: str
    terms: tuple[str, ...]
    now: int
    before: int
    times: float
    z: float
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is spoken of more than before, and what less; what stands out most first."""

    rising: tuple[Topic, ...] = ()
    falling: tuple[Topic, ...] = ()

    @property
    def all(self) -> tuple[Topic, ...]:
        """Return those that rise and those that fall."""
        return (*self.rising, *self.falling)


def changes(spoken: Spoken, *, days: float, before: float, unnamed: Collection[str] = (), most: int = 3) -> Change:
    """Find topics that rise and that fall, at most so many of each; `days` and `before` are how long either time was.

    None of the terms `unnamed` is looked at: members are no topics.
    """
    if not spoken.now.any() or spoken.now.all():
        return Change()
    counts = _counts(spoken, frozenset(unnamed))
    terms = list(counts)
    now, earlier = (np.array([len(one[at]) for one in counts.values()], dtype=np.float64) for at in (0, 1))
    scores = log_odds(now, earlier)
    found = []
    for sign, side in ((1, 0), (-1, 1)):
        sure = beyond_chance(now, now + earlier, sign)
        order = [int(at) for at in np.argsort(-sign * scores, kind="stable") if sure[at]]
        shared = [at for at in order if _is_shared(counts[terms[at]][side])]
        strongest = {terms[at]: float(scores[at]) for at in shared[:LOOKED_AT]}
        topics = _gathered(spoken, strongest, sign, days=days, before=before)
        found.append(tuple(topics[:most]))
    return Change(rising=found[0], falling=found[1])


def beyond_chance(now: Floats64, ever: Floats64, sign: int) -> Mask:
    """Say of which terms (t,) the uses `now`, of those `ever`, are more than chance gives; with a sign below 0, fewer.

    Each by Fisher's exact test, whether its share of all uses now is its share of all others; together at a false
    discovery rate of CHANCE (Benjamini and Hochberg 1995), among the terms that could be beyond chance at all (Tarone
    1990): which they are follows from how often they were used in both times together, and says nothing of when.
    """
    from scipy import stats  # takes a second, which whoever reads no pulse does without

    total, inside = float(ever.sum()), float(now.sum())
    if sign > 0:
        chances = stats.hypergeom.sf(now - 1, total, ever, inside)
        least = stats.hypergeom.sf(np.minimum(ever, inside) - 1, total, ever, inside)
    else:
        chances = stats.hypergeom.cdf(now, total, ever, inside)
        least = stats.hypergeom.cdf(np.maximum(0, ever + inside - total), total, ever, inside)
    tested = np.flatnonzero(least <= TESTED)
    order = tested[np.argsort(chances[tested])]
    allowed = CHANCE * np.arange(1, len(order) + 1) / max(len(order), 1)
    kept = np.flatnonzero(chances[order] <= allowed)
    sure = np.zeros(len(ever), dtype=np.bool_)
    sure[order[: kept[-1] + 1 if len(kept) else 0]] = True
    return sure


def log_odds(now: Floats64, before: Floats64) -> Floats64:
    """Return for each term (t,) how much more it is used now than before, in standard errors (t,): Monroe et al. 2008.

    `now` and `before` (t,) are its uses. The prior is the use in both times together, worth PRIOR uses.
    """
    prior = PRIOR * (now + before) / max(float((now + before).sum()), 1.0)

    def odds(uses: Floats64) -> Floats64:
        total = float(uses.sum()) + PRIOR
        return np.asarray(np.log(uses + prior) - np.log(np.maximum(total - uses - prior, LEAST)))

    error = np.sqrt(1 / (now + prior) + 1 / (before + prior))
    return np.asarray((odds(now) - odds(before)) / error)


def _counts(spoken: Spoken, unnamed: frozenset[str]) -> dict[str, tuple[set[int], set[int]]]:
    """Gather the uses of each term now and before; a use is a member and a day. Of terms that enough used."""
    uses: dict[str, tuple[set[int], set[int]]] = {}
    owners = spoken.authors * DAY_SHIFT + spoken.days
    for document, owner, now in zip(spoken.documents, owners.tolist(), spoken.now.tolist(), strict=True):
        for term in set(document):
            uses.setdefault(term, (set(), set()))[0 if now else 1].add(owner)
    return {
        term: sides
        for term, sides in uses.items()
        if term not in unnamed and _says(term) and _is_shared(sides[0] | sides[1])
    }


def _is_shared(owners: set[int]) -> bool:
    people, days = {one // DAY_SHIFT for one in owners}, {one % DAY_SHIFT for one in owners}
    return len(people) >= VOICES and len(days) >= DAYS


def _says(term: str) -> bool:
    """Say whether a term can tell a topic: not a pair of Chinese characters of which one only joins others."""
    return not (is_chinese(term) and (len(term) == 1 or set(term) & PARTICLES))


def _gathered(spoken: Spoken, scores: Mapping[str, float], sign: int, *, days: float, before: float) -> list[Topic]:
    """Gather terms that occur in the same messages, the strongest first, and name what they tell."""
    places: dict[str, set[int]] = {term: set() for term in scores}
    for row, document in enumerate(spoken.documents):
        for term in set(document) & scores.keys():
            places[term].add(row)
    groups: list[list[str]] = []
    for term in scores:
        near = next((group for group in groups if _meet(places[term], places[group[0]])), None)
        if near is None:
            groups.append([term])
        else:
            near.append(term)
    made = (_topic(spoken, group, places, scores[group[0]], days=days, before=before) for group in groups)
    return [one for one in made if (one.times >= TIMES if sign > 0 else one.times <= 1 / TIMES)]


def _meet(some: set[int], others: set[int]) -> bool:
    return len(some & others) >= TOGETHER * min(len(some), len(others))


def _topic(
    spoken: Spoken, group: Sequence[str], places: Mapping[str, set[int]], z: float, *, days: float, before: float
) -> Topic:
    rows = sorted(set().union(*(places[term] for term in group)))
    here = [row for row in rows if spoken.now[row]]
    earlier = len(rows) - len(here)
    told = here or rows
    return Topic(
        name=_name(group, [spoken.texts[row] for row in rows]),
        terms=tuple(group[:KEPT]),
        now=len(here),
        before=earlier,
        times=((len(here) + 0.5) / days) / ((earlier + 0.5) / before),
        z=z,
        rows=tuple(int(spoken.rows[row]) for row in told[-EXAMPLES:][::-1]),
    )


def _name(group: Sequence[str], texts: Sequence[str]) -> str:
    """Name a topic by its first terms as they are written mostly; pairs of Chinese characters grow to words."""
    if is_chinese(group[0]):
        return whole_word(group[0], texts)
    latin = [term for term in group if not is_chinese(term)][:NAMED]
    written = as_written(latin, texts)
    return ", ".join(written[term] for term in latin)
