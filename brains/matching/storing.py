"""Channel profiles as bytes: a safetensors file of arrays with JSON metadata. Loads in milliseconds, runs no code."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load, save
from scipy.sparse import csr_array

from brains.matching.choice import Choice
from brains.matching.gate import Gate, Range
from brains.matching.prior import Prior
from brains.matching.profiles import ChannelProfiles
from brains.matching.space import Space
from brains.matching.terms import Vocabulary
from brains.matching.topics import ChannelTerms, Topics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brains.matching.corpus import Floats

FORMAT = "kinfolk channel profiles"
VERSION = "2"


def to_bytes(profiles: ChannelProfiles) -> bytes:
    """Write profiles down."""
    topics, terms, prior = profiles.topics, profiles.topics.terms, profiles.prior
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
        "gate": np.array(astuple(profiles.gate)),
        "newcomers": prior.newcomers,
        **_sparse("terms", terms.rows),
        "habits": np.array([prior.pull_weight, prior.company_weight]),
        **_sparse("together", prior.together),
    }
    about = {
        "format": FORMAT,
        "version": VERSION,
        "encoder": profiles.encoder,
        "built_at": str(float(profiles.built_at)),
    }
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata=about)


def from_bytes(data: bytes) -> ChannelProfiles:
    """Read profiles back. Raises ValueError for anything but this version of this format: build them again then."""
    about = _about(data)
    arrays = load(data)
    channels = len(arrays["channels"])
    return ChannelProfiles(
        encoder=about["encoder"],
        built_at=float(about["built_at"]),
        channels=arrays["channels"],
        messages=arrays["messages"],
        topics=_topics(arrays, channels),
        choice=Choice(**dict(zip(Choice.__slots__, arrays["choice"].tolist(), strict=True))),
        gate=Gate(told=_range(arrays["gate"][0]), near=_range(arrays["gate"][1])),
        prior=_prior(arrays, channels),
    )


def _prior(arrays: Mapping[str, Floats], channels: int) -> Prior:
    pull, company = arrays["habits"].tolist()
    return Prior(
        newcomers=arrays["newcomers"],
        together=_csr("together", arrays, (channels, channels)),
        pull_weight=pull,
        company_weight=company,
    )


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
    if (about.get("format"), about.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"channel profiles of version {about.get('version')}, not {VERSION}: build them again")
    return about


def _sparse(name: str, rows: csr_array) -> dict[str, Floats]:
    return {f"{name}.data": rows.data, f"{name}.columns": rows.indices, f"{name}.ends": rows.indptr}


def _csr(name: str, arrays: Mapping[str, Floats], shape: tuple[int, int]) -> csr_array:
    return csr_array((arrays[f"{name}.data"], arrays[f"{name}.columns"], arrays[f"{name}.ends"]), shape=shape)
