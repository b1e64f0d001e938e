"""The generator's usual engine: llama.cpp on a GGUF file, by `xllamacpp`, with several conversations at once."""

from __future__ import annotations

import contextlib
import ctypes
import tempfile
from typing import TYPE_CHECKING, Any

import xllamacpp

from brains.engines.generator_engine import Finish, Unfit, too_long

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from brains.engines.generator_engine import Emit, Prompt

CONTEXT = 2048
"""Tokens of one conversation. In 8 bits four of SmolLM2's take 94 MB, in 16 they would take 188."""

TOO_LONG = "exceed_context_size_error"


class GgufEngine:
    """A GGUF file in llama.cpp. Prompts that begin alike are read once."""

    name = "llama.cpp"

    def __init__(self, path: Path, *, threads: int, slots: int) -> None:
        # llama.cpp serves HTTP beside us. On a Unix socket in a folder of ours it serves nobody else.
        self._folder = tempfile.TemporaryDirectory(prefix="kf-llama-")
        try:
            self._server = xllamacpp.Server(_parameters(path, f"{self._folder.name}/l.sock", threads, slots))
        except Exception:
            self._folder.cleanup()
            raise

    def generate(self, prompt: Prompt, emit: Emit) -> Finish:
        """Write the next turn; stops soon after `emit` says so. Raises Unfit."""
        listener = _Listener(emit)
        try:
            self._server.handle_chat_completions(_request(prompt), listener)
        except ValueError as error:
            raise Unfit(
                f"The schema cannot be kept to: {error}.", code="invalid_schema", param="response_format"
            ) from None
        return listener.finish(prompt)

    def close(self) -> None:
        """Let go of the model's memory."""
        del self._server
        self._folder.cleanup()
        # The C library would keep a fifth of it for later. Not every one can be asked.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


class _Listener:
    """Takes llama.cpp's chunks: pieces, then how it ended. Answers whether to stop, as it wants."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._error: Mapping[str, Any] | None = None
        self._last: Mapping[str, Any] = {}

    def __call__(self, chunk: Mapping[str, Any]) -> bool:
        if "error" in chunk:
            self._error = chunk["error"]
            return True
        self._last = chunk
        pieces = [choice["delta"].get("content") for choice in chunk.get("choices", ())]
        return not all(self._emit(piece) for piece in pieces if piece)

    def finish(self, prompt: Prompt) -> Finish:
        """Say how it ended; raises Unfit where the model had no room, RuntimeError for what else went wrong."""
        if self._error and self._error.get("type") == TOO_LONG:
            raise too_long(int(self._error["n_prompt_tokens"]) + prompt.most, int(self._error["n_ctx"]))
        if self._error:
            raise RuntimeError(f"llama.cpp: {self._error.get('message')}")
        times = self._last.get("timings", {})
        ended = any(choice.get("finish_reason") == "length" for choice in self._last.get("choices", ()))
        return Finish(
            reason="length" if ended else "stop",
            read=times.get("cache_n", 0) + times.get("prompt_n", 0),
            written=times.get("predicted_n", 0),
        )


def _parameters(path: Path, socket: str, threads: int, slots: int) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.hostnames = [socket]
    parameters.n_parallel, parameters.n_ctx = slots, slots * CONTEXT
    parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    # Its cache of finished conversations may take 8 GB; the one of each slot is enough.
    parameters.cache_ram_mib = 0
    parameters.fit_params, parameters.verbosity = False, 0
    return parameters


def _request(prompt: Prompt) -> dict[str, object]:
    request: dict[str, object] = {
        "messages": [{"role": turn.role, "content": turn.text} for turn in prompt.turns],
        "max_tokens": prompt.most,
        "temperature": prompt.temperature,
        "stream": True,
    }
    if prompt.schema is not None:
        schema = {"name": "answer", "schema": dict(prompt.schema)}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    return request
