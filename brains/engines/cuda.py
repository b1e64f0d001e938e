"""The engine of a machine with a GPU: torch in bf16, in wide batches of like length."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from brains.engines.encoder_engine import pad
from brains.engines.network import load
from brains.engines.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from tokenizers import Tokenizer

    from brains.engines.encoder_engine import Tokens, Vectors
    from brains.engines.encoders import Model
    from brains.engines.network import Pooled

BUDGET = 32768
"""Tokens of a batch: enough to fill a data-centre GPU at 384 dimensions, in well under 1 GB."""

WIDTH = 16
"""Rows are padded to a multiple of this many tokens, so that few shapes are met and kernels stay aligned."""


class TorchBatches:
    """A network on a device in a precision: bf16 on `cuda`; a smoke test may name `cpu`."""

    budget = BUDGET

    def __init__(self, network: Pooled, tokenizer: Tokenizer, padding: int, *, device: str = "cuda") -> None:
        self._device = torch.device(device)
        self.network = network.to(self._device, torch.bfloat16).eval()
        self.network.encoder.set_attn_implementation("sdpa")
        self._tokenizer, self._padding = tokenizer, padding
        self.name = f"torch bf16 on {_device_name(self._device)}"
        self.size = int(network.encoder.config.hidden_size)
        self._warm_up()

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        return [row.ids for row in self._tokenizer.encode_batch_fast([clean(text) for text in texts])]

    def infer(self, rows: Sequence[Tokens]) -> Vectors:
        """Encode one batch: float32, shape (rows, size), in order."""
        with torch.inference_mode():
            vectors = self.network(*self.placed(rows))
        return cast("Vectors", vectors.float().cpu().numpy())

    def placed(self, rows: Sequence[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
        """Pad a batch and put its ids and mask on the device."""
        ids, mask = pad(rows, self._padding, multiple=WIDTH)
        return self._moved(ids), self._moved(mask)

    def _moved(self, array: npt.NDArray[np.int64]) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        if self._device.type == "cpu":
            return tensor
        return tensor.pin_memory().to(self._device, non_blocking=True)

    def _warm_up(self) -> None:
        for rows in (1, 64):
            self.infer([self.tokenise(["The first batch pays for loading the kernels."])[0]] * rows)


def open_cuda(model: Model) -> TorchBatches:
    """Load a model onto the first GPU."""
    return TorchBatches(*load(model.source, cls=model.pooling == "cls", longest=model.longest))


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
