"""Channel profiles as bytes: a safetensors file of arrays with JSON metadata. Loads in milliseconds, runs no code."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load, save
from scipy.sparse import csr_array

from brains.matching.chances import Chances
from brains.matching.choice import Choice
from brains.matching.gate import Gate, Range
from brains.matching.placing import Placing
from brains.matching.presence import Presence
from brains.matching.prior import Prior
from brains.matching.profiles import ChannelProfiles
from brains.matching.ranker import Exam, Ranker
from brains.matching.signals import NAMES, Scene
from brains.matching.space import Space
from brains.matching.terms import Vocabulary
from brains.matching.topics import ChannelTerms, Topics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brains.matching.choice import Doubles
    from brains.matching.corpus import Floats

FORMAT = "kinfolk channel profiles"
VERSION = "4"


def to_bytes(profiles: ChannelProfiles) -> bytes:
    """Write profiles down."""
    topics, terms = profiles.topics, profiles.topics.terms
    prior, presence = profiles.prior, profiles.scene.presence
    arrays = {
        "channels": profiles.channels,
        "messages": profiles.messages,
        "mean": topics.space.mean,
        "whitening": topics.space.whitening,
        "centroids": topics.centroids,
        "owners": topics.owners,
        "vocabulary": np.frombuffer("\n".join(terms.vocabulary.terms).encode(), dtype=np.uint8),
        "idf": terms.vocabulary.idf,
        "terms.mean": terms.mean,
        "terms.spread": terms.spread,
        "choice": np.array(astuple(profiles.choice)),
        "learned": profiles.placing.learned,
        "placing": profiles.placing.weights,
        "gate": np.array(astuple(profiles.placing.gate)),
        **_sparse("terms", terms.rows),
        "newcomers": prior.newcomers,
        "arrivals": prior.arrivals,
        "voices": prior.voices,
        **_sparse("together", prior.together),
        "members": presence.ids,
        **_sparse("inside", presence.inside),
        **_sparse("ties", presence.ties),
        "hours": presence.hours,
        "scripts": presence.scripts,
        "waiting": np.array(sorted(profiles.waiting), dtype=np.int64),
        **ranker_arrays(profiles.ranker),
    }
    about = {
        "format": FORMAT,
        "version": VERSION,
        "encoder": profiles.encoder,
        "built_at": str(float(profiles.built_at)),
        "signals": " ".join(NAMES),
        "rehearsed": "yes" if profiles.rehearsed else "no",
    }
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata=about)


def from_bytes(data: bytes) -> ChannelProfiles:
    """Read profiles back. Raises ValueError for anything but this version of this format: build them again then."""
    about = _about(data)
    arrays = load(data)
    channels = len(arrays["channels"])
    choice = Choice(**dict(zip(Choice.__slots__, arrays["choice"].tolist(), strict=True)))
    scene = Scene.of(_topics(arrays, channels), choice, _prior(arrays, channels), _presence(arrays, channels))
    return ChannelProfiles(
        encoder=about["encoder"],
        built_at=float(about["built_at"]),
        channels=arrays["channels"],
        messages=arrays["messages"],
        scene=scene,
        placing=_placing(arrays),
        ranker=ranker_of(arrays),
        rehearsed=about.get("rehearsed", "yes") == "yes",
        waiting=frozenset(arrays["waiting"].astype(np.int64).tolist()),
    )


def ranker_arrays(ranker: Ranker) -> dict[str, Doubles]:
    """Lay a ranker out as arrays."""
    return {
        "weights": ranker.weights,
        "tried": ranker.judged,
        "chances": np.array(astuple(ranker.chances)),
        "ranker": np.array([ranker.variety, ranker.joins, *_exam(ranker.exam)]),
    }


def _exam(exam: Exam) -> list[float]:
    before = np.nan if exam.before is None else exam.before
    return [exam.n, exam.learned, exam.usual, before, exam.chance, exam.share]


def ranker_of(arrays: Mapping[str, Floats]) -> Ranker:
    """Read a ranker back from its arrays."""
    variety, joins, n, learned, usual, before, chance, share = arrays["ranker"].tolist()
    exam = Exam(
        n=int(n),
        learned=learned,
        usual=usual,
        before=None if np.isnan(before) else before,
        chance=chance,
        share=share,
    )
    return Ranker(
        weights=arrays["weights"].astype(np.float64),
        tried=arrays["tried"].astype(np.float64),
        chances=Chances(**dict(zip(Chances.__slots__, arrays["chances"].tolist(), strict=True))),
        variety=variety,
        joins=int(joins),
        exam=exam,
    )


def _prior(arrays: Mapping[str, Floats], channels: int) -> Prior:
    return Prior(
        newcomers=arrays["newcomers"],
        arrivals=arrays["arrivals"],
        voices=arrays["voices"],
        together=_csr("together", arrays, (channels, channels)),
    )


def _presence(arrays: Mapping[str, Floats], channels: int) -> Presence:
    members = len(arrays["members"])
    return Presence(
        ids=arrays["members"].astype(np.int64),
        inside=_csr("inside", arrays, (members, channels)),
        ties=_csr("ties", arrays, (members, members)),
        hours=arrays["hours"],
        scripts=arrays["scripts"],
    )


def _placing(arrays: Mapping[str, Floats]) -> Placing:
    gate = Gate(told=_range(arrays["gate"][0]), near=_range(arrays["gate"][1]))
    return Placing(learned=arrays["learned"], weights=arrays["placing"], gate=gate)


def _range(ends: Floats) -> Range:
    low, middle, count = ends.tolist()
    return Range(low=low, middle=middle, count=int(count))


def _topics(arrays: Mapping[str, Floats], channels: int) -> Topics:
    return Topics(
        space=Space(mean=arrays["mean"], whitening=arrays["whitening"]),
        centroids=arrays["centroids"],
        owners=arrays["owners"].astype(np.int64),
        terms=_terms(arrays, channels),
    )


def _terms(arrays: Mapping[str, Floats], channels: int) -> ChannelTerms:
    text = arrays["vocabulary"].tobytes().decode()
    vocabulary = Vocabulary.of(text.split("\n") if text else [], arrays["idf"])
    return ChannelTerms(
        vocabulary=vocabulary,
        rows=_csr("terms", arrays, (channels, len(vocabulary.terms))),
        mean=arrays["terms.mean"],
        spread=arrays["terms.spread"],
    )


def _about(data: bytes) -> dict[str, str]:
    """Read the metadata: a safetensors file starts with the length of its JSON header in 8 little-endian bytes."""
    size = int.from_bytes(data[:8], "little")
    try:
        about: dict[str, str] = json.loads(data[8 : 8 + size])["__metadata__"]
    except (ValueError, KeyError, TypeError) as trouble:
        raise ValueError("these are no channel profiles") from trouble
    if (about.get("format"), about.get("version"), about.get("signals")) != (FORMAT, VERSION, " ".join(NAMES)):
        raise ValueError(f"channel profiles of version {about.get('version')}, not {VERSION}: build them again")
    return about


def _sparse(name: str, rows: csr_array) -> dict[str, Floats]:
    return {f"{name}.data": rows.data, f"{name}.columns": rows.indices, f"{name}.ends": rows.indptr}


def _csr(name: str, arrays: Mapping[str, Floats], shape: tuple[int, int]) -> csr_array:
    return csr_array((arrays[f"{name}.data"], arrays[f"{name}.columns"], arrays[f"{name}.ends"]), shape=shape)
