"""What members did, as it was read from the tables, laid side by side to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brains.matching.behaviour import Behaviour, Moments, Stated, Ties

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.core.ports import Vector
    from brains.matching.corpus import Ids
    from storage.behaviour import Deed, Deeds, Turn, Wanted


def behaviour_of(deeds: Deeds, wanted: Sequence[Wanted], vectors: Vector, doubles: Mapping[int, int]) -> Behaviour:
    """Lay out what was done; `vectors` (n, d) are of what was `wanted`, and accounts of one human are one member."""
    return Behaviour(
        joins=_moments(deeds.joins, doubles),
        leaves=_moments(deeds.leaves, doubles),
        refusals=_moments(deeds.refusals, doubles),
        offers=_moments(deeds.offers, doubles),
        replies=_ties(deeds.replies, doubles),
        reactions=_ties(deeds.reactions, doubles),
        stated=Stated(
            members=_ids((one.member for one in wanted), doubles),
            texts=[one.text for one in wanted],
            vectors=vectors,
            times=np.array([one.at.timestamp() for one in wanted], dtype=np.float64),
        ),
    )


def _moments(deeds: Sequence[Deed], doubles: Mapping[int, int]) -> Moments:
    return Moments(
        members=_ids((one.member for one in deeds), doubles),
        channels=_ids((one.channel for one in deeds), {}),
        times=np.array([one.at.timestamp() for one in deeds], dtype=np.float64),
    )


def _ties(turns: Sequence[Turn], doubles: Mapping[int, int]) -> Ties:
    apart = [one for one in turns if doubles.get(one.member, one.member) != doubles.get(one.other, one.other)]
    return Ties(
        members=_ids((one.member for one in apart), doubles),
        others=_ids((one.other for one in apart), doubles),
        channels=_ids((one.channel for one in apart), {}),
        times=np.array([one.at.timestamp() for one in apart], dtype=np.float64),
    )


def _ids(numbers: Iterable[int], doubles: Mapping[int, int]) -> Ids:
    return np.array([doubles.get(number, number) for number in numbers], dtype=np.int64)
