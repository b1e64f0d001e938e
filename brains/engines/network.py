"""The network in torch, pooled to vectors of length 1. Imports torch: import this module only where torch is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from tokenizers import Tokenizer

from brains.engines import weights
from brains.engines.tokens import RULES

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel


class Pooled(torch.nn.Module):
    """An encoder with its pooling: (rows, tokens) ids and mask in, (rows, size) vectors of length 1 out."""

    def __init__(self, encoder: PreTrainedModel, *, cls: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.cls = cls

    @property
    def padding(self) -> int:
        """Return the id that fills a batch's shorter rows; the mask hides it."""
        return getattr(self.encoder.config, "pad_token_id", None) or 0

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode one padded batch."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.pool(states, attention_mask)

    def pool(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Make one vector of a row's states."""
        pooled = states[:, 0].float() if self.cls else _summed(states, attention_mask)
        return torch.nn.functional.normalize(pooled, dim=1)


class Headless(torch.nn.Module):
    """The same network behind its word embedding: (rows, tokens, width) vectors of tokens and a mask in."""

    def __init__(self, network: Pooled) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode one padded batch."""
        states = self.network.encoder(inputs_embeds=inputs_embeds, attention_mask=attention_mask).last_hidden_state
        return self.network.pool(states, attention_mask)


def load(source: Path, *, cls: bool = False, longest: int = weights.LONGEST) -> tuple[Pooled, Tokenizer, int]:
    """Load an E5S1 file or a `transformers` folder: the network in float32, its tokeniser, and the padding id."""
    network = load_network(source, cls=cls)
    tokenizer = weights.load_tokenizer(source) if source.is_file() else Tokenizer.from_file(str(source / RULES))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return network, tokenizer, network.padding


def load_network(source: Path, *, cls: bool = False) -> Pooled:
    """Load an E5S1 file or a `transformers` folder in float32, without its tokeniser."""
    encoder = weights.load_model(source) if source.is_file() else _folder(source)
    return Pooled(encoder, cls=cls).eval()


def _summed(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    # The sum points where the mean does, and only the direction is kept.
    return (states.float() * mask.unsqueeze(-1).float()).sum(1)


def _folder(folder: Path) -> PreTrainedModel:
    from transformers import AutoModel

    return cast("PreTrainedModel", AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True))
