"""The engines of a machine without a GPU: onnxruntime int8, and torch in float32 where that is missing.

Dynamic quantisation scales each layer's activations by the largest value in the batch, so that an int8 vector depends
a little on the texts beside it: the cosine between a message encoded in a batch and alone is .997 in the mean and .993
at least (300 chat messages), that to float32 .9957 and .988.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from brains.engines.embedding_table import Table
from brains.engines.encoder_engine import pad
from brains.engines.export import TABLE
from brains.engines.text import clean
from brains.engines.tokens import open_tokeniser

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from brains.engines.encoder_engine import Tokens, Vectors
    from brains.engines.encoders import Model

BUDGET = 512
"""Tokens of a batch, so that what it touches stays in the cache: batches of 2,048 cost 1.6 times the processor time."""


class OnnxEngine:
    """int8 on the CPU, from the files that `export` writes. Needs no torch."""

    name = "onnx int8"
    budget = BUDGET

    def __init__(self, folder: Path, *, threads: int) -> None:
        facts = json.loads((folder / "model.json").read_text("utf-8"))
        self.size: int = facts["size"]
        self._padding: int = facts["padding"]
        self._tokeniser = open_tokeniser(folder, longest=facts["longest"], threads=threads)
        self._table = Table(folder / TABLE)
        self._session = _session(folder / "encoder.onnx", threads)
        self.infer(self.tokenise(["warm"]))

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        return self._tokeniser.tokenise(texts)

    def infer(self, rows: Sequence[Tokens]) -> Vectors:
        """Encode one batch: float32, shape (rows, size), in order."""
        ids, mask = pad(rows, self._padding)
        given = {"inputs_embeds": self._table.look_up(ids), "attention_mask": mask}
        return cast("Vectors", self._session.run(None, given)[0])


class TorchEngine:
    """float32 on the CPU: half as quick as int8, and exact."""

    name = "torch fp32"
    budget = BUDGET

    def __init__(self, model: Model, *, threads: int) -> None:
        import torch

        from brains.engines.network import load

        torch.set_num_threads(threads)
        self.size = model.size
        self._network, self._tokenizer, self._padding = load(
            model.source, cls=model.pooling == "cls", longest=model.longest
        )

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        return [row.ids for row in self._tokenizer.encode_batch_fast([clean(text) for text in texts])]

    def infer(self, rows: Sequence[Tokens]) -> Vectors:
        """Encode one batch: float32, shape (rows, size), in order."""
        import torch

        ids, mask = (torch.from_numpy(array) for array in pad(rows, self._padding))
        with torch.inference_mode():
            return cast("Vectors", self._network(ids, mask).numpy())


def _session(path: Path, threads: int) -> Any:  # noqa: ANN401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Spinning threads take the processor from the bot and from the vector process on the same machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The export keeps these layers apart on purpose; see there.
    apart = ["SkipLayerNormFusion"]
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=apart
    )
