"""Writes a model as int8 ONNX for the CPU, once for each home, in a process of its own that takes torch's memory along.

The word embedding, four fifths of a small multilingual model, goes into a file beside the graph: in the graph, ONNX and
its tools would copy it until 5.4 GB are gone.

`python -m brains.engines.export --encoder SPEC --home HOME` prints a line for each step and ends when the files are
there. Two processes write once (a file lock); a folder gets its name only when it is whole, so that a kill leaves
nothing that counts.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import logging
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

from filelock import FileLock

from bot.core.errors import Misconfigured
from brains.engines.embedding_table import PRECISION, write_table
from brains.engines.encoders import parse_local
from brains.engines.tokens import write_tokeniser

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from brains.engines.encoders import Model
    from brains.engines.network import Pooled

RECIPE = "int8-2"
"""Names the folder of the exported files: raised when the recipe below changes. Those of other recipes are removed."""

TABLE = "tokens.npy"
PORTION = 4096
"""Rows of the word embedding that are written at once."""

STEPS = 4
ROOM = 2.5
"""Disk the export needs beside the table, in sizes of the float32 layers: two copies at once, and the result."""

INPUTS = ["inputs_embeds", "attention_mask"]
OUTPUT = "vectors"
AXES = {name: {0: "rows", 1: "tokens"} for name in INPUTS} | {OUTPUT: {0: "rows"}}


def folder_of(model: Model, home: Path) -> Path:
    """Return where the exported files of a model lie, whether or not they are there yet."""
    return home / "models" / model.fingerprint / RECIPE


def export(model: Model, home: Path) -> Path:
    """Export a model unless that is done already, and return the folder.

    Raises Misconfigured when the disk has no room.
    """
    done = folder_of(model, home)
    done.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(done.parent / "export.lock"):
        if not done.exists():
            with _work_folder(done) as work:
                _write(model, work)
            _remove_others(done)
    return done


def main() -> None:
    """Run as a process: exit code 2 with the message on standard error when a setting is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--home", type=Path, required=True)
    wanted = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        export(parse_local(wanted.encoder), wanted.home)
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


@contextlib.contextmanager
def _work_folder(done: Path) -> Iterator[Path]:
    work = done.with_suffix(".unfinished")
    shutil.rmtree(work, ignore_errors=True)
    scratch = work / "scratch"
    scratch.mkdir(parents=True)
    # The quantiser sets a hundred megabytes aside: where room was looked for, and not in a /tmp that may be memory.
    tempfile.tempdir = str(scratch)
    try:
        yield work
        shutil.rmtree(scratch)
        work.rename(done)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_room(work, 0) from None
        raise
    finally:
        tempfile.tempdir = None
        shutil.rmtree(work, ignore_errors=True)


def _remove_others(done: Path) -> None:
    for folder in done.parent.iterdir():
        if folder.is_dir() and folder != done:
            shutil.rmtree(folder, ignore_errors=True)


def _write(model: Model, work: Path) -> None:
    from brains.engines.network import load_network

    _step(1, "reading the weights")
    write_tokeniser(model, work)
    network = load_network(model.source, cls=model.pooling == "cls")
    facts = {"name": model.name, "size": model.size, "padding": network.padding, "longest": model.longest}
    (work / "model.json").write_text(json.dumps(facts))
    _set_table_aside(network, work)
    heads, width = network.encoder.config.num_attention_heads, network.encoder.config.hidden_size
    _trace(network, work / "plain.onnx")
    del network
    _fuse(work / "plain.onnx", work / "fused.onnx", heads=heads, width=width)
    _quantise(work / "fused.onnx", work / "encoder.onnx")


def _set_table_aside(network: Pooled, work: Path) -> None:
    import torch

    words = cast("torch.nn.Embedding", network.encoder.get_input_embeddings())
    rows, width = words.weight.shape
    layers = sum(weights.numel() for weights in network.parameters()) - rows * width
    _check_room(work, PRECISION.itemsize * rows * width + int(ROOM * 4 * layers))
    begins = range(0, rows, PORTION)
    portions = (words(torch.arange(at, min(at + PORTION, rows))).detach().numpy() for at in begins)
    write_table(work / TABLE, portions, rows=rows, width=width)
    network.encoder.set_input_embeddings(torch.nn.Embedding(1, width))


def _check_room(work: Path, needed: int) -> None:
    if shutil.disk_usage(work).free < needed:
        raise _no_room(work, needed)


def _no_room(work: Path, needed: int) -> Misconfigured:
    amount = f" needs {needed / 1e9:.1f} GB for a moment and" if needed else ""
    free = shutil.disk_usage(work).free / 1e9
    return Misconfigured(
        f"KINFOLK_HOME: preparing the encoder{amount} finds {free:.1f} GB free in {work.parent}. "
        "Make room on that disk, or move KINFOLK_HOME to another."
    )


def _trace(network: Pooled, plain: Path) -> None:
    import torch

    from brains.engines.network import Headless

    _step(2, "writing it as ONNX")
    # The fused attention of onnxruntime is found only in the spelled-out form.
    network.encoder.set_attn_implementation("eager")
    width = cast("torch.nn.Embedding", network.encoder.get_input_embeddings()).embedding_dim
    torch.onnx.export(
        Headless(network),
        (torch.ones(2, 16, width), torch.ones(2, 16, dtype=torch.long)),
        str(plain),
        input_names=INPUTS,
        output_names=[OUTPUT],
        dynamic_axes=AXES,
        opset_version=17,
        dynamo=False,
    )


def _fuse(plain: Path, fused: Path, *, heads: int, width: int) -> None:
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    _step(3, "fusing its layers")
    options = FusionOptions("bert")
    # Measured a message: `Attention`, which multiplies each head's slice of the weights alone, takes 1.7 times the time
    # of matrix products with `MultiHeadAttention`, and `SkipLayerNormalization` 4 times that of its two parts.
    options.use_multi_head_attention = True
    options.enable_skip_layer_norm = False
    model = optimizer.optimize_model(
        str(plain),
        model_type="bert",
        num_heads=heads,
        hidden_size=width,
        opt_level=0,
        optimization_options=options,
    )
    model.save_model_to_file(str(fused))
    plain.unlink()


def _quantise(fused: Path, small: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _step(4, "making it small")
    # Processors without VNNI add two products in 16 bits, which full-range weights overflow; the quantiser cannot
    # tell the type of a few tensors and raises unless it is told that they are float (1).
    quantize_dynamic(
        str(fused),
        str(small),
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": 1},
    )
    fused.unlink()


def _step(number: int, what: str) -> None:
    sys.stdout.write(f"{number}/{STEPS} {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
