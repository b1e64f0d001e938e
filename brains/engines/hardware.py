"""Chooses the engine that fits the hardware at hand: the GPU in bf16, else the CPU in int8, else the CPU in float32."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sys
from asyncio.subprocess import PIPE, STDOUT
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.errors import Misconfigured
from brains.engines.export import folder_of

if TYPE_CHECKING:
    from asyncio import StreamReader
    from collections.abc import Callable

    from brains.engines.encoder_engine import Engine
    from brains.engines.encoders import Model

log = logging.getLogger(__name__)

GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))
"""Present where a GPU's driver is; asking torch first would cost every CPU worker its import: 4 s and 300 MB."""

LOCAL = "Install the engines with `pip install 'kinfolk[local]'`, or name a server: KINFOLK_ENCODER=openai:URL#MODEL."


def open_engine(model: Model, spec: str, home: Path, *, threads: int, progress: Callable[[str], None]) -> Engine:
    """Do what `load_engine` does, in a thread that has no event loop."""
    return asyncio.run(load_engine(model, spec, home, threads, progress))


async def load_engine(model: Model, spec: str, home: Path, threads: int, progress: Callable[[str], None]) -> Engine:
    """Load a model where it runs best; the first start on a CPU exports it, and tells `progress` about it.

    Raises Misconfigured when nothing here can run it, or when the disk is full.
    """
    if await asyncio.to_thread(has_gpu):
        from brains.engines.cuda import open_cuda

        return await asyncio.to_thread(open_cuda, model)
    if installed("onnxruntime", "sentencepiece", "tokenizers") and await _exported(model, spec, home, progress):
        from brains.engines.cpu import OnnxEngine

        return await asyncio.to_thread(partial(OnnxEngine, folder_of(model, home), threads=threads))
    return await asyncio.to_thread(_torch_engine, model, threads)


def has_gpu() -> bool:
    """Say whether torch can use a GPU here."""
    if not any(device.exists() for device in GPU_DEVICES) or not installed("torch"):
        return False
    import torch

    return torch.cuda.is_available()


def _torch_engine(model: Model, threads: int) -> Engine:
    if not installed("torch", "transformers", "tokenizers"):
        raise Misconfigured(f"KINFOLK_ENCODER: torch, transformers and tokenizers are not installed. {LOCAL}")
    from brains.engines.cpu import TorchEngine

    return TorchEngine(model, threads=threads)


async def _exported(model: Model, spec: str, home: Path, progress: Callable[[str], None]) -> bool:
    if folder_of(model, home).exists():
        return True
    return installed("onnx", "torch", "transformers") and await _export(spec, home, progress)


async def _export(spec: str, home: Path, progress: Callable[[str], None]) -> bool:
    command = (sys.executable, "-P", "-m", "brains.engines.export", f"--encoder={spec}", f"--home={home}")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    try:
        words = await _last_words(process.stdout, progress) if process.stdout else ""
        # Before anything is sent to it: a signal to a process that has just ended takes its exit code away.
        return _succeeded(await process.wait(), words)
    finally:
        if process.returncode is None:
            process.terminate()


async def _last_words(output: StreamReader, progress: Callable[[str], None]) -> str:
    words = ""
    async for line in output:
        words = line.decode("utf-8", "replace").strip() or words
        progress(words)
    return words


def _succeeded(exit_code: int, words: str) -> bool:
    if exit_code == Misconfigured.exit_code:
        raise Misconfigured(words)
    if exit_code:
        log.warning("The encoder could not be exported, so it runs in float32 at half the speed: %s", words)
    return exit_code == 0


def installed(*packages: str) -> bool:
    """Say whether packages are there, without importing them."""
    return all(importlib.util.find_spec(package) for package in packages)
