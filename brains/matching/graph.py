"""Who goes where as a graph: LightGCN (He et al. 2020) on members, channels and topics, by `torch-geometric`.

Neighbours share what they are: a member is the mean of their channels (and topics), a channel of its members, a few
steps far. Learning needs torch; scoring somebody by their own row is numpy alone, and exact but for what was learned
of that very member.
"""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from bot.core.errors import Unavailable
from brains.matching.factorisation import Embedding, nowhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor
    from torch_geometric.nn.models import LightGCN

    from brains.matching.corpus import Floats, Ids


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Topics:
    """What members (m, t) and channels (c, t) are about, as weights that are not below 0."""

    members: csr_array
    channels: csr_array


def lightgcn(
    used: csr_array,
    *,
    topics: Topics | None = None,
    factors: int = 32,
    layers: int = 2,
    rate: float = 0.02,
    ridge: float = 1e-3,
    rounds: int = 200,
    seed: int = 0,
) -> Embedding:
    """Fit LightGCN on weights (m, c), and on topics if given; the rows of a newcomer are then [channels, topics].

    Each round is one step of Adam over every use, against a channel not used drawn by chance (BPR loss); `ridge`
    weighs the squares of the embeddings. The same seed gives the same model. Raises Unavailable without the packages.
    """
    if not installed():
        raise Unavailable("LightGCN needs torch and the package `torch-geometric`: pip install 'kinfolk[matching]'.")
    links = _links(used, topics)
    if not used.nnz:
        return nowhere(used.shape, factors, links.shape[0] - used.shape[0])
    import torch

    with _one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, edges, weights = _prepare(links, factors, layers)
        _train(model, edges, weights, used=used, seed=seed, rate=rate, ridge=ridge, rounds=rounds)
        with torch.no_grad():
            return _read(model, edges, weights, links, used.shape)


def installed() -> bool:
    """Say whether torch and torch-geometric are there."""
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "torch_geometric"))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: a graph of this size gains nothing by more, and loses much where cores are shared."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _links(used: csr_array, topics: Topics | None) -> coo_array:
    """Return the symmetric weights between all nodes: members, then channels, then topics."""
    members, channels = used.shape
    parts = [(0, members, used)]
    count = members + channels
    if topics is not None:
        parts += [(0, count, topics.members), (members, count, topics.channels)]
        count += topics.members.shape[1]
    found = [(row + part.tocoo().row, column + part.tocoo().col, part.tocoo().data) for row, column, part in parts]
    one, other, weight = (np.concatenate(each) for each in zip(*found, strict=True))
    both = (np.concatenate([weight, weight]), (np.concatenate([one, other]), np.concatenate([other, one])))
    return coo_array(both, shape=(count, count), dtype=np.float32)


def _prepare(links: coo_array, factors: int, layers: int) -> tuple[LightGCN, Tensor, Tensor]:
    import torch
    from torch_geometric.nn.models import LightGCN

    model = LightGCN(links.shape[0], factors, layers)
    torch.nn.init.normal_(model.embedding.weight, std=0.1)  # as in the paper's code; Xavier's is too small to rank by
    edges = torch.from_numpy(np.stack([links.row, links.col]).astype(np.int64))
    return model, edges, torch.from_numpy(links.data)


def _train(
    model: LightGCN,
    edges: Tensor,
    weights: Tensor,
    *,
    used: csr_array,
    seed: int,
    rate: float,
    ridge: float,
    rounds: int,
) -> None:
    import torch

    random = np.random.default_rng(seed)
    source, target = used.nonzero()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(rounds):
        kept, unused = _unused(used, source, random)
        ends = [
            torch.from_numpy(np.ascontiguousarray(one, dtype=np.int64))
            for one in (source[kept], used.shape[0] + target[kept], used.shape[0] + unused[kept])
        ]
        placed = model.get_embedding(edges, weights)
        who, right, wrong = (placed[one] for one in ends)
        loss = model.recommendation_loss(
            (who * right).sum(-1), (who * wrong).sum(-1), node_id=torch.cat(ends), lambda_reg=ridge
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _unused(used: csr_array, source: Ids, random: np.random.Generator) -> tuple[Ids, Ids]:
    """Draw a channel for every use; return the uses for which it is one that the member has not used, and all drawn."""
    drawn = random.integers(0, used.shape[1], len(source))
    return np.flatnonzero(np.asarray(used[source, drawn]).reshape(-1) == 0), drawn


def _read(model: LightGCN, edges: Tensor, weights: Tensor, links: coo_array, shape: tuple[int, int]) -> Embedding:
    """Take the embeddings, and what a neighbour hands on in all steps but the first, which is a member's own."""
    members, channels = shape
    degree = np.asarray(links.sum(axis=0)).reshape(-1)
    at, handed = model.embedding.weight, model.embedding.weight * model.alpha[1]
    for step, layer in enumerate(list(model.convs)[:-1]):
        at = layer(at, edges, weights)
        handed = handed + at * model.alpha[step + 2]
    placed: Floats = model.get_embedding(edges, weights).numpy()
    entry = handed.numpy() / np.sqrt(np.where(degree > 0, degree, 1.0))[:, None]
    return Embedding(
        members=placed[:members],
        channels=placed[members : members + channels],
        bias=np.zeros(channels, dtype=np.float32),
        entry=entry[members:].astype(np.float32),
    )


def rows_of(used: csr_array, topics: Topics | None) -> csr_array:
    """Return what `fold_in` reads of these members: their weights of channels, then of topics (m, f)."""
    return used if topics is None else csr_array(hstack([used, topics.members], format="csr"))
