"""Hypothesis builds values of our dataclasses from their own types, so that a new one is tested without a line."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from bot.core.things import Ref

LATE = datetime(9000, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
WORD = st.text(st.characters(exclude_characters=":", exclude_categories=("Cs",)), min_size=1, max_size=12)
st.register_type_strategy(Ref, st.builds(Ref, platform=WORD, id=st.text(min_size=1, max_size=12)))
st.register_type_strategy(str, st.text(max_size=40))
st.register_type_strategy(int, st.integers(-(2**53), 2**53))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(datetime, st.datetimes(max_value=LATE, timezones=st.just(UTC)))


def of(kind: type) -> st.SearchStrategy[object]:
    """Return what builds values of a type."""
    return st.from_type(kind)
