"""The encoder as it is learned: the network with its adapter or its free layers, a batch's loss, and its vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bot.core.errors import Misconfigured
from brains.engines.encoder_engine import pad, plan
from brains.engines.text import clean, prefix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from peft import PeftModel
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from bot.core.ports import Vector
    from brains.engines.encoders import Model
    from brains.engines.network import Pooled
    from brains.training.encoder_texts import Pair

SHARPNESS = 20.0
"""What a cosine is multiplied by before the softmax: 1 / temperature, as Sentence-Transformers' ranking loss has it."""
RANK, SCALE, DROPOUT = 16, 32, 0.05
"""Of the adapter, LoRA (Hu et al. 2021): rank, what its product is scaled by over the rank, and dropout."""
ADAPTED = ("query", "key", "value", "dense")
"""Layers that the adapter is put beside: all of the attention and of the feed-forward part."""
LONGEST = 64
"""Tokens of a text that are learned from: two thirds of chat messages have fewer, and the cost grows with them."""
SEEN = 128
"""Tokens of a text that is judged."""
BUDGET = 2048
"""Tokens encoded together where nothing is learned."""


@dataclass(slots=True, kw_only=True)
class Tuning:
    """A network under way. Its methods block."""

    name: str
    network: Pooled
    tokenizer: Tokenizer
    device: str
    size: int
    adapted: bool

    @property
    def free(self) -> dict[str, torch.Tensor]:
        """Return what is learned, by name."""
        return {name: one for name, one in self.network.named_parameters() if one.requires_grad}

    def encode(self, texts: Sequence[str], *, kind: str = "passage") -> Vector:
        """Encode texts without learning: float32 (n, d), in order; an empty text is a row of zeros."""
        import torch

        rows = self._tokens(texts, kind=kind, longest=SEEN)
        found = np.zeros((len(texts), self.size), np.float32)
        self.network.eval()
        with torch.inference_mode():
            for batch in plan([len(row) for row in rows], BUDGET):
                found[batch] = self._vectors([rows[at] for at in batch]).float().cpu().numpy()
        found[[at for at, text in enumerate(texts) if not text.strip()]] = 0
        return found

    def loss(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return the loss of a batch (n pairs), each side among the others' (in-batch negatives, both ways).

        Multiple negatives ranking (Henderson et al. 2017). Pairs of one channel are no negatives of each other, since
        a channel is what matching looks for, nor are equal texts.
        """
        import torch

        with torch.autocast(self.device, torch.bfloat16, enabled=self.device != "cpu"):
            ones = self._sides([pair.one for pair in pairs], asked=[pair.asked for pair in pairs])
            others = self._sides([pair.other for pair in pairs], asked=[False] * len(pairs))
        scores = SHARPNESS * ones.float() @ others.float().T
        scores = scores.masked_fill(torch.from_numpy(alike(pairs)).to(scores.device), float("-inf"))
        right = torch.arange(len(pairs), device=scores.device)
        cross = torch.nn.functional.cross_entropy
        return (cross(scores, right) + cross(scores.T, right)) / 2

    def snapshot(self) -> dict[str, torch.Tensor]:
        """Copy what is learned."""
        return {name: one.detach().clone() for name, one in self.free.items()}

    def restore(self, kept: Mapping[str, torch.Tensor]) -> None:
        """Put a copy back."""
        for name, one in self.free.items():
            one.data.copy_(kept[name])

    def _sides(self, texts: Sequence[str], *, asked: Sequence[bool]) -> torch.Tensor:
        rows = [
            self._tokens([text], kind="query" if ask else "passage", longest=LONGEST)[0]
            for text, ask in zip(texts, asked, strict=True)
        ]
        return self._vectors(rows)

    def _vectors(self, rows: Sequence[list[int]]) -> torch.Tensor:
        import torch

        ids, mask = (torch.from_numpy(one).to(self.device) for one in pad(rows, self.network.padding))
        return cast("torch.Tensor", self.network(ids, mask))

    def _tokens(self, texts: Sequence[str], *, kind: str, longest: int) -> list[list[int]]:
        before = prefix(self.name, "query" if kind == "query" else "passage")
        rows = [row.ids for row in self.tokenizer.encode_batch([before + clean(text) for text in texts])]
        return [row if len(row) <= longest else [*row[: longest - 1], row[-1]] for row in rows]


def alike(pairs: Sequence[Pair]) -> np.ndarray:
    """Say which pairs (n, n) are of one channel or share a text, the diagonal aside."""
    channels, ones, others = (
        np.array([getattr(pair, name) for pair in pairs], dtype=object) for name in ("channel", "one", "other")
    )
    same = channels[:, None] == channels
    same |= (ones[:, None] == ones) | (others[:, None] == others) | (ones[:, None] == others)
    same = same | same.T
    np.fill_diagonal(same, val=False)
    return cast("np.ndarray", same)


def open_tuning(model: Model, *, full: bool, seed: int, threads: int) -> Tuning:
    """Load a model and free what is to be learned: an adapter, or with `full` all layers but the word embedding.

    That embedding is four fifths of the weights, of which a community's words touch little. Raises Misconfigured.
    """
    import torch

    from brains.engines.hardware import has_gpu
    from brains.engines.network import load

    _quiet()
    torch.manual_seed(seed)
    device = "cuda" if has_gpu() else "cpu"
    if device == "cpu":
        torch.set_num_threads(threads)
    network, tokenizer, _ = load(model.source, cls=model.pooling == "cls", longest=min(SEEN, model.longest))
    if full:
        network.requires_grad_(requires_grad=True)
        network.encoder.get_input_embeddings().requires_grad_(requires_grad=False)
    else:
        network.encoder = _adapted(network)
    return Tuning(
        name=model.name,
        network=network.to(device),
        tokenizer=tokenizer,
        device=device,
        size=model.size,
        adapted=not full,
    )


def merged(tuning: Tuning) -> Pooled:
    """Return the network with its adapter melted into its weights, which is the end of the tuning."""
    if tuning.adapted:
        adapter = cast("PeftModel", tuning.network.encoder)
        tuning.network.encoder = adapter.merge_and_unload()
        tuning.adapted = False
    return tuning.network.eval()


def _quiet() -> None:
    """Keep `transformers` from drawing its own bars, and from telling of layers that are not used here."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _adapted(network: Pooled) -> PreTrainedModel:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as trouble:
        raise Misconfigured(
            "An adapter needs the package `peft`: pip install 'kinfolk[train]', or train with --full."
        ) from trouble
    network.requires_grad_(requires_grad=False)
    config = LoraConfig(r=RANK, lora_alpha=SCALE, lora_dropout=DROPOUT, target_modules=list(ADAPTED), bias="none")
    return cast("PreTrainedModel", get_peft_model(network.encoder, config))
