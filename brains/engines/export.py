"""Writes a model as int8 ONNX for the CPU, once for each home, in a process of its own that takes torch's memory along.

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
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from bot.core.errors import Misconfigured
from brains.engines.models import parse_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brains.engines.models import Model
    from brains.engines.network import Pooled

RECIPE = "int8"
"""Names the folder of the exported files: raised when the recipe below changes."""

STEPS = 4
ROOM = 2.3
"""Disk the export needs, in sizes of the float32 model: the plain and the fused copy at once, and the result."""

INPUTS = ["input_ids", "attention_mask"]
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
                work.rename(done)
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
    work.mkdir()
    try:
        yield work
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_room(work, 0) from None
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(model: Model, work: Path) -> None:
    from brains.engines.network import load

    _step(1, "reading the weights")
    network, tokenizer, padding = load(model.source, cls=model.pooling == "cls", longest=model.longest)
    _check_room(work, 4 * sum(weights.numel() for weights in network.parameters()))
    _trace(network, work / "plain.onnx")
    _fuse(network, work / "plain.onnx", work / "fused.onnx")
    _quantise(work / "fused.onnx", work / "encoder.onnx")
    tokenizer.save(str(work / "tokenizer.json"))
    (work / "model.json").write_text(json.dumps({"name": model.name, "size": model.size, "padding": padding}))


def _check_room(work: Path, model_bytes: int) -> None:
    needed = int(ROOM * model_bytes)
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

    _step(2, "writing it as ONNX")
    # The fused attention of onnxruntime is found only in the spelled-out form.
    network.encoder.set_attn_implementation("eager")
    sample = torch.ones(2, 16, dtype=torch.long)
    torch.onnx.export(
        network,
        (sample, sample),
        str(plain),
        input_names=INPUTS,
        output_names=[OUTPUT],
        dynamic_axes=AXES,
        opset_version=17,
        dynamo=False,
    )


def _fuse(network: Pooled, plain: Path, fused: Path) -> None:
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    _step(3, "fusing its layers")
    config = network.encoder.config
    options = FusionOptions("bert")
    # Measured a message: `Attention`, which multiplies each head's slice of the weights alone, takes 1.7 times the time
    # of matrix products with `MultiHeadAttention`, and `SkipLayerNormalization` 4 times that of its two parts.
    options.use_multi_head_attention = True
    options.enable_skip_layer_norm = False
    model = optimizer.optimize_model(
        str(plain),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
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
