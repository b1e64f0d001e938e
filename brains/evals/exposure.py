"""`eval exposure`: how often each channel would be shown among three offers, ours beside what popularity shows.

A recommender that sends everybody to the same place starves the others: here it is counted whom it shows, small
channels and those of each script apart, and whether a channel that fits somebody is shown to nobody.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from brains.evals import baselines
from brains.evals.recommend import ranked, read_uses, split
from brains.evals.recommend_ours import learned, offered
from brains.matching.behaviour import Moments
from brains.matching.offering import places, waiting
from brains.matching.scripts import SCRIPTS, shares
from brains.training.encoding import Progress, passages, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.metrics import Values
    from brains.evals.recommend import Split
    from brains.matching.corpus import Ids, Mask

OFFERS = 3
"""Channels offered at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one recommender shows, of all that it shows: shares are 0..1.

    `gini` is 0 where every channel is shown alike and near 1 where one is shown alone; `small` is the share of the
    smaller half of the channels, `own_script` of offers in the script that the member mostly writes; `never` counts
    channels shown to nobody. `nothing` counts members who are offered nothing.
    """

    gini: float
    small: float
    own_script: float
    never: int
    nothing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One channel: `fits` members might be offered it if there were room, ours and popularity show it so often."""

    name: str
    script: str
    members: int
    fits: int
    ours: int
    popularity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """The result of one run over `n` members; `scripts` are shares of channels, of messages and of what is shown.

    `starved` names the channels that fit somebody and are shown to nobody: there should be none.
    """

    task: str
    n: int
    ours: Shown
    baselines: Mapping[str, Shown]
    scripts: Mapping[str, Mapping[str, float]]
    starved: Sequence[str]
    channels: Sequence[Room]
    seconds: float
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the document that `kinfolk eval --json` prints."""
        return {**asdict(self), "notes": list(self.notes)}


async def exposure(path: Path, *, cut: datetime, encoder: Encoder, progress: Progress = silent) -> Exposure:
    """Count what every member known before the cut would be offered on that day. Raises Mistake."""
    uses = [use for use in await asyncio.to_thread(read_uses, path) if use.at < cut.timestamp()]
    if not uses:
        raise Mistake(f"{path}: there is nothing before {cut:%Y-%m-%d}. Choose a later cut.")
    vectors = await passages(encoder, [use.text for use in uses], progress=progress)
    parts = split(uses, [], vectors, cut=cut.timestamp())
    return await asyncio.to_thread(_judge, parts, encoder=encoder.fingerprint)


def gini(counts: Ids) -> float:
    """Return the Gini coefficient of counts (c,): mean absolute difference over twice the mean; 0 of none."""
    if not counts.sum():
        return 0.0
    ordered, size = np.sort(counts), len(counts)
    return float((2 * np.arange(1, size + 1) - size - 1) @ ordered / (size * ordered.sum()))


def _judge(parts: Split, *, encoder: str) -> Exposure:
    started = time.perf_counter()
    users = range(len(parts.users))
    offers = [offered(parts, profiles, user) for profiles in [learned(parts, encoder=encoder)] for user in users]
    ours = _again(parts, offers)
    others = {name: _first(parts, scores) for name, scores in _rivals(parts).items()}
    fits = _counts(offers, len(parts.channels))
    sizes, scripts = parts.used.sum(axis=0).astype(np.int64), _scripts(parts)
    shown, popular = _counts(ours, len(sizes)), _counts(others["popularity"], len(sizes))
    return Exposure(
        task="exposure",
        n=len(users),
        ours=_shown(ours, sizes, scripts),
        baselines={name: _shown(one, sizes, scripts) for name, one in others.items()},
        scripts=_by_script(parts, scripts[0], {"ours": shown, "popularity": popular}),
        starved=[parts.channels[at] for at in np.flatnonzero((fits > 0) & (shown == 0)).tolist()],
        channels=[
            Room(
                name=parts.channels[at],
                script=SCRIPTS[int(scripts[0][at])],
                members=int(sizes[at]),
                fits=int(fits[at]),
                ours=int(shown[at]),
                popularity=int(popular[at]),
            )
            for at in np.argsort(-sizes, kind="stable").tolist()
        ],
        seconds=round(time.perf_counter() - started, 1),
        notes=(
            f"{OFFERS} offers to each of {len(users)} members, of {len(sizes)} channels. Small are the half of the "
            f"channels with the fewest members, {int(_small(sizes).sum())} of them.",
            "Ours is asked by everybody for the second time: it knows which channels it has offered to nobody yet.",
        ),
    )


def _again(parts: Split, offers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Offer once more, knowing what was offered to everybody the first time."""
    first = [(user, at) for user, one in enumerate(offers) for at in one[:OFFERS]]
    members, channels = np.array(first, dtype=np.int64).reshape(-1, 2).T
    shown = Moments(members=members, channels=channels, times=np.full(len(first), parts.cut))
    late = waiting(np.arange(len(parts.channels)), shown, now=parts.cut)
    return [[one[at] for at in places(one, OFFERS, late)] for one in offers]


def _rivals(parts: Split) -> dict[str, Values]:
    used, corpus = parts.used, parts.corpus
    return {
        "popularity": baselines.popularity(used),
        "recent popularity": baselines.recent_popularity(used, corpus, corpus.channels, now=parts.cut),
        "EASE": baselines.ease(used),
    }


def _first(parts: Split, scores: Values) -> list[list[int]]:
    return [order[:OFFERS] for order in ranked(parts, scores, users=range(len(parts.users)))]


def _counts(offers: Sequence[Sequence[int]], channels: int) -> Ids:
    """Count how often each channel is among the offers (c,)."""
    return np.bincount([at for one in offers for at in one], minlength=channels).astype(np.int64)


def _small(sizes: Ids) -> Mask:
    """Mark the half of the channels with the fewest members (c,)."""
    small = np.zeros(len(sizes), dtype=np.bool_)
    small[np.argsort(sizes, kind="stable")[: len(sizes) // 2]] = True
    return small


def _scripts(parts: Split) -> tuple[Ids, Ids]:
    """Return the script most written in each channel (c,) and by each member (m,)."""
    each, corpus = shares(parts.corpus.texts), parts.corpus
    found = []
    for owners, count in ((corpus.channels, len(parts.channels)), (corpus.authors, len(parts.users))):
        total = np.zeros((count, each.shape[1]))
        np.add.at(total, owners, each)
        found.append(total.argmax(axis=1))
    return found[0], found[1]


def _shown(offers: Sequence[Sequence[int]], sizes: Ids, scripts: tuple[Ids, Ids]) -> Shown:
    counts, (of_channel, of_member) = _counts(offers, len(sizes)), scripts
    total = max(1, int(counts.sum()))
    same = sum(of_channel[at] == of_member[user] for user, one in enumerate(offers) for at in one)
    return Shown(
        gini=round(gini(counts), 4),
        small=round(float(counts[_small(sizes)].sum()) / total, 4),
        own_script=round(float(same) / total, 4),
        never=int((counts == 0).sum()),
        nothing=sum(not one for one in offers),
    )


def _by_script(parts: Split, scripts: Ids, shown: Mapping[str, Ids]) -> dict[str, dict[str, float]]:
    """Return each script's share of the channels, of the messages, and of what each recommender shows."""
    counted = {
        "channels": np.ones(len(scripts), dtype=np.int64),
        "messages": np.bincount(parts.corpus.channels, minlength=len(scripts)),
        **shown,
    }
    return {
        SCRIPTS[script]: {
            name: round(float(counts[scripts == script].sum()) / max(1, int(counts.sum())), 4)
            for name, counts in counted.items()
        }
        for script in np.unique(scripts).tolist()
    }
