"""Channel profiles as bytes: a safetensors file of arrays with JSON metadata. Loads in milliseconds, runs no code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load, save
from scipy.sparse import csr_array

from brains.matching.prior import Prior
from brains.matching.profiles import ChannelProfiles, ChannelTerms
from brains.matching.space import Space
from brains.matching.terms import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brains.matching.corpus import Floats

FORMAT = "kinfolk channel profiles"
VERSION = "1"


def to_bytes(profiles: ChannelProfiles) -> bytes:
    """Write profiles down."""
    terms, prior = profiles.terms, profiles.prior
    arrays = {
        "channels": profiles.channels,
        "messages": profiles.messages,
        "mean": profiles.space.mean,
        "whitening": profiles.space.whitening,
        "centroids": profiles.centroids,
        "owners": profiles.owners,
        "vocabulary": np.frombuffer("\n".join(terms.vocabulary.terms).encode(), dtype=np.uint8),
        "idf": terms.vocabulary.idf,
        "terms.mean": terms.mean,
        "terms.spread": terms.spread,
        "newcomers": prior.newcomers,
        **_sparse("terms", terms.rows),
        **_sparse("company", prior.company),
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
        space=Space(mean=arrays["mean"], whitening=arrays["whitening"]),
        centroids=arrays["centroids"],
        owners=arrays["owners"],
        terms=_terms(arrays, channels),
        prior=Prior(newcomers=arrays["newcomers"], company=_csr("company", arrays, (channels, channels))),
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
