"""All that profiles are learned from, side by side, and as a file of arrays by which another process gets it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import IO, TYPE_CHECKING, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from brains.matching.behaviour import Behaviour, Moments, Stated, Ties
from brains.matching.corpus import Card, Corpus
from brains.matching.profiles import build_profiles
from brains.matching.storing import ranker_arrays, ranker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from brains.matching.corpus import Floats
    from brains.matching.profiles import ChannelProfiles
    from brains.matching.ranker import Ranker

T = TypeVar("T")
Arrays: TypeAlias = dict[str, npt.NDArray[np.generic]]

DEEDS: dict[str, type[Moments] | type[Ties]] = {
    "joins": Moments,
    "leaves": Moments,
    "refusals": Moments,
    "offers": Moments,
    "replies": Ties,
    "reactions": Ties,
}
"""The parts of what members did that are arrays alone."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """What `build_profiles` is asked, as it names it."""

    corpus: Corpus
    cards: Sequence[Card]
    encoder: str
    now: float
    behaviour: Behaviour
    before: Ranker | None = None
    talk: Floats | None = None
    rehearsed: bool = True

    def profiles(self) -> ChannelProfiles:
        """Learn."""
        return build_profiles(
            self.corpus,
            self.cards,
            encoder=self.encoder,
            now=self.now,
            behaviour=self.behaviour,
            before=self.before,
            talk=self.talk,
            rehearsed=self.rehearsed,
        )

    def write(self, file: IO[bytes]) -> None:
        """Write it down as numpy's archive of arrays, without pickle."""
        corpus, stated = self.corpus, self.behaviour.stated
        about = {
            "encoder": self.encoder,
            "now": self.now,
            "rehearsed": self.rehearsed,
            "cards": [(card.id, card.name, card.description) for card in self.cards],
        }
        arrays: Arrays = {
            "about": np.frombuffer(orjson.dumps(about), dtype=np.uint8),
            **_columns("corpus", corpus),
            **_texts("corpus", corpus.texts),
            **_columns("stated", stated),
            **_texts("stated", stated.texts),
            **{
                name: column for part in DEEDS for name, column in _columns(part, getattr(self.behaviour, part)).items()
            },
            **_rows("vector", [card.vector for card in self.cards]),
            **_rows("titled", [card.titled for card in self.cards]),
            **({} if self.before is None else ranker_arrays(self.before)),
            **({} if self.talk is None else {"talk": self.talk}),
        }
        np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def read(cls, file: IO[bytes]) -> Self:
        """Read it back."""
        with np.load(file, allow_pickle=False) as arrays:
            about = orjson.loads(arrays["about"].tobytes())
            vectors, titles = _places("vector", arrays), _places("titled", arrays)
            return cls(
                corpus=_table(Corpus, "corpus", arrays, texts=_split("corpus", arrays)),
                cards=[
                    Card(id=number, name=name, description=told, vector=vectors.get(at), titled=titles.get(at))
                    for at, (number, name, told) in enumerate(about["cards"])
                ],
                encoder=about["encoder"],
                now=about["now"],
                behaviour=_behaviour(arrays),
                before=ranker_of(arrays) if "ranker" in arrays else None,
                talk=arrays.get("talk"),
                rehearsed=about["rehearsed"],
            )


def _columns(part: str, table: Corpus | Moments | Ties | Stated) -> Arrays:
    return {f"{part}.{one.name}": getattr(table, one.name) for one in fields(table) if one.name != "texts"}


def _table(kind: Callable[..., T], part: str, arrays: Mapping[str, Floats], **texts: Sequence[str]) -> T:
    start = f"{part}."
    names = [name for name in arrays if name.startswith(start) and name not in {f"{part}.texts", f"{part}.sizes"}]
    return kind(**{name.removeprefix(start): arrays[name] for name in names}, **texts)


def _behaviour(arrays: Mapping[str, Floats]) -> Behaviour:
    make: Callable[..., Behaviour] = Behaviour
    parts = {part: _table(kind, part, arrays) for part, kind in DEEDS.items()}
    return make(**parts, stated=_table(Stated, "stated", arrays, texts=_split("stated", arrays)))


def _texts(part: str, texts: Sequence[str]) -> Arrays:
    """Lay texts end to end, and how many bytes each has."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    sizes = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    return {f"{part}.texts": np.frombuffer(b"".join(encoded), dtype=np.uint8), f"{part}.sizes": sizes}


def _split(part: str, arrays: Mapping[str, Floats]) -> list[str]:
    whole, ends = arrays[f"{part}.texts"].tobytes(), np.cumsum(arrays[f"{part}.sizes"]).tolist()
    pairs = zip([0, *ends], ends, strict=False)
    return [whole[start:end].decode("utf-8", "surrogatepass") for start, end in pairs]


def _rows(name: str, rows: Sequence[Floats | None]) -> Arrays:
    """Stack the rows that there are, and say where they belong."""
    there = {at: row for at, row in enumerate(rows) if row is not None}
    if not there:
        return {}
    return {f"{name}.rows": np.stack(list(there.values())), f"{name}.places": np.array(list(there), dtype=np.int64)}


def _places(name: str, arrays: Mapping[str, Floats]) -> dict[int, Floats]:
    if f"{name}.rows" not in arrays:
        return {}
    return dict(zip(arrays[f"{name}.places"].tolist(), arrays[f"{name}.rows"], strict=True))
