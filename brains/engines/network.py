"""The network in torch, pooled to vectors of length 1. Imports torch: import this module only where torch is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from tokenizers import Tokenizer

from brains.engines import weights

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel


class Pooled(torch.nn.Module):
    """An encoder with its pooling: (rows, tokens) ids and mask in, (rows, size) vectors of length 1 out."""

    def __init__(self, encoder: PreTrainedModel, *, cls: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.cls = cls

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode one padded batch."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = states[:, 0].float() if self.cls else _summed(states, attention_mask)
        return torch.nn.functional.normalize(pooled, dim=1)


def load(source: Path, *, cls: bool = False, longest: int = weights.LONGEST) -> tuple[Pooled, Tokenizer, int]:
    """Load an E5S1 file or a `transformers` folder: the network in float32, its tokeniser, and the padding id."""
    encoder, tokenizer = weights.load(source) if source.is_file() else _folder(source)
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    padding = getattr(encoder.config, "pad_token_id", None)
    return Pooled(encoder, cls=cls).eval(), tokenizer, padding or 0


def _summed(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    # The sum points where the mean does, and only the direction is kept.
    return (states.float() * mask.unsqueeze(-1).float()).sum(1)


def _folder(folder: Path) -> tuple[PreTrainedModel, Tokenizer]:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    return cast("PreTrainedModel", model), Tokenizer.from_file(str(folder / "tokenizer.json"))
