"""What was talked of in a span of time, thought through once for all who read it: the matters, and what each weighs."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from brains.matching.centre import Centre
from brains.matching.circle import corpus
from brains.matching.conversations import gather, labelled
from brains.matching.corpus import unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.ports import Vector
    from bot.core.things import Ref
    from brains.matching.conversations import Conversations
    from brains.matching.corpus import Floats, Ids, Rows
    from brains.matching.terms import Vocabulary
    from brains.moderation.moderator import Moderator
    from storage.spans import Heard
    from storage.talks import Said

SAID, PEOPLE, REPLIES, LIKED, BEGUN = 1.0, 0.25, 0.15, 0.3, 0.1
"""What a matter's score is made of, each by its logarithm but the last: what was said, how many people said it, how
often one answered another, how many liked it, and that it began in this span."""
SAME = 0.55
"""Loose conversations of a channel that are more alike than this are one matter: people come back to it."""
MOST = 400
"""Loose conversations of a channel that are compared with each other, the largest."""
ENOUGH = 20
"""Messages from which a span has a middle of its own."""
QUARTER = 15
"""Minutes."""
UNSEEN = 1.0
"""What a term that the span does not know is multiplied by, over the rarest it knows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matter:
    """One thing that was talked of in one channel, in one conversation or several: a line that could be.

    `rows` are the places of its messages in the span, oldest first, `mean` (d,) their middle as a unit row, `weight`
    what speaks for it whoever reads, `authors` who took part, those who said most first, `thread` its title, if any,
    with the message of whoever gave it.
    """

    label: int
    channel: int
    said: tuple[Said, ...]
    rows: Rows
    mean: Floats
    weight: float
    authors: tuple[int, ...]
    thread: tuple[str, Said] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much was said in a channel, by whom, what each said first, and how much in each quarter of an hour."""

    messages: int
    authors: frozenset[int]
    first: Mapping[int, Said]
    quarters: Mapping[datetime, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Span:
    """What some channels said in a span: messages, their vectors (n, d) as they are and centred, and the matters."""

    heard: Heard
    said: Sequence[Said]
    vectors: Floats
    placed: Floats
    centre: Centre
    vocabulary: Vocabulary | None
    matters: Sequence[Matter] = ()
    known: dict[int | str, object] = field(default_factory=dict)
    """What was made of a matter already, by its label, and of the whole: the same for every reader."""
    rooms: Mapping[int, Room] = field(default_factory=dict)
    weighed: dict[Ref, tuple[Moderator, bool]] = field(default_factory=dict)
    """Of messages that were to be cited, whether they may be, and who says so."""
    by_author: Mapping[int, Sequence[Said]] = field(default_factory=dict)
    """What each said, oldest first."""
    cited: Mapping[Ref, tuple[Said, int]] = field(default_factory=dict)
    """Each message that was heard, or gave a thread its title, by its reference, with the place of its vector, -1 where
    it has none."""

    def rarity(self, term: str) -> float:
        """Return how rare a term is in the span, as its idf."""
        if self.vocabulary is None or not len(self.vocabulary.idf):
            return UNSEEN
        at = self.vocabulary.index.get(term)
        return float(self.vocabulary.idf[at]) if at is not None else UNSEEN * float(self.vocabulary.idf.max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A span and the channels of it that a reader may read and wants."""

    span: Span
    channels: frozenset[int]


def think(heard: Heard, vectors: Mapping[UUID, Vector], *, size: int, centre: Centre | None = None) -> Span:
    """Think through what was heard; messages without a vector yet are left out.

    `centre` is the community's, for a few messages that have no middle of their own.
    """
    pairs = [(one, vectors[one.point]) for one in heard.said if one.point in vectors]
    side = corpus(pairs, size)
    said = [one for one, _vector in pairs]
    if centre is None or len(said) >= ENOUGH:
        centre = Centre.of(side.texts, side.vectors)
    placed = centre.place(side.vectors, side.texts)
    place = {one.ref: at for at, one in enumerate(said)}
    begun = [one for _title, one in heard.titles.values()]
    cited = {one.ref: (one, place.get(one.ref, -1)) for one in (*heard.said, *begun)}
    rooms, by_author = _rooms(heard.said), _by_author(heard.said)
    if not said:
        return Span(
            cited=cited,
            rooms=rooms,
            by_author=by_author,
            heard=heard,
            said=(),
            vectors=side.vectors,
            placed=placed,
            centre=centre,
            vocabulary=None,
        )
    labels = labelled(side.channels, side.times, np.array([one.conversation or 0 for one in said], dtype=np.int64))
    talk = gather(side, labels)
    matters = [_matter(talk, members, said=said, placed=placed, heard=heard) for members in _matters(talk, said)]
    return Span(
        cited=cited,
        rooms=rooms,
        by_author=by_author,
        heard=heard,
        said=said,
        vectors=side.vectors,
        placed=placed,
        centre=centre,
        vocabulary=talk.vocabulary,
        matters=matters,
    )


def _by_author(said: Sequence[Said]) -> dict[int, list[Said]]:
    found: dict[int, list[Said]] = {}
    for one in said:
        found.setdefault(one.author, []).append(one)
    return found


def _rooms(said: Sequence[Said]) -> dict[int, Room]:
    there: dict[int, list[Said]] = {}
    for one in said:
        there.setdefault(one.channel, []).append(one)
    return {
        channel: Room(
            messages=len(some),
            authors=frozenset(one.author for one in some),
            first={one.author: one for one in reversed(some)},
            quarters=Counter(_quarter(one.at) for one in some),
        )
        for channel, some in there.items()
    }


def _quarter(moment: datetime) -> datetime:
    """Return when the quarter of an hour began: everywhere on earth a day is made of whole ones."""
    return moment.replace(minute=moment.minute // QUARTER * QUARTER, second=0, microsecond=0)


def _matters(talk: Conversations, said: Sequence[Said]) -> list[Ids]:
    """Return which conversations, by their places, are of one matter: threads stand alone, what is loose may join."""
    first = {int(owner): at for at, owner in reversed(list(enumerate(talk.owners.tolist()))) if owner >= 0}
    threads = np.array([(said[first[at]].conversation or 0) < 0 for at in range(len(talk))], dtype=np.bool_)
    found = [np.array([at]) for at in np.flatnonzero(threads)]
    for channel in np.unique(talk.channels):
        loose = np.flatnonzero((talk.channels == channel) & ~threads)
        found += _joined(talk, loose)
    return found


def _joined(talk: Conversations, loose: Ids) -> list[Ids]:
    """Join conversations by average linkage of how like one another they are."""
    sizes = np.bincount(talk.owners[talk.owners >= 0], minlength=len(talk))[loose]
    large = loose[np.argsort(-sizes, kind="stable")[:MOST]]
    rest = [np.array([at]) for at in np.setdiff1d(loose, large)]
    if len(large) < 2:  # noqa: PLR2004 - nothing to join
        return [*rest, *(np.array([at]) for at in large)]
    vectors, terms = talk.vectors[large], talk.rows[large]
    alike = 0.5 * (vectors @ vectors.T) + 0.5 * (terms @ terms.T).toarray()
    apart = np.clip(1 - (alike + alike.T) / 2, 0, None)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), method="average")
    groups = fcluster(tree, 1 - SAME, criterion="distance")
    return [*rest, *(large[groups == one] for one in np.unique(groups))]


def _matter(talk: Conversations, members: Ids, *, said: Sequence[Said], placed: Floats, heard: Heard) -> Matter:
    """Weigh a matter."""
    rows = np.flatnonzero(np.isin(talk.owners, members))
    there = tuple(said[int(at)] for at in rows)
    spoke = Counter(one.author for one in there)
    substance = float(talk.weights[rows].sum())
    liked = sum(heard.reactions.get(one.id, 0) for one in there)
    label = there[0].conversation
    began = label is None or label in {one.id for one in there} or label < 0
    refs = {str(one.ref): one.author for one in there}
    replies = sum(refs.get(one.reply_to, one.author) != one.author for one in there)
    weight = (
        SAID * math.log1p(substance)
        + PEOPLE * math.log(len(spoke))
        + REPLIES * math.log1p(replies)
        + LIKED * math.log1p(liked)
        + BEGUN * began
    )
    mean = (placed[rows] * talk.weights[rows][:, None]).sum(axis=0)
    return Matter(
        label=int(talk.names[members[0]]),
        channel=there[0].channel,
        said=there,
        rows=rows,
        mean=np.asarray(unit(mean[None, :])[0], dtype=np.float32),
        weight=weight,
        authors=tuple(sorted(spoke, key=lambda one: (-spoke[one], one))),
        thread=heard.titles.get(-label) if label is not None and label < 0 else None,
    )
