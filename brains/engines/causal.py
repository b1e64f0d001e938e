"""The generator's engine for `transformers` folders: torch on the GPU in bf16, or on the CPU in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList, TextStreamer

from bot.core.errors import Misconfigured
from brains.engines.generator_engine import Finish, Unfit, too_long

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

    from brains.engines.generator_engine import Emit, Prompt

CONTEXT = 4096
"""Tokens of one conversation at most, whatever the model could hold."""


class CausalEngine:
    """A causal language model and its chat template."""

    def __init__(self, folder: Path, *, threads: int, gpu: bool) -> None:
        self._device = torch.device("cuda" if gpu else "cpu")
        if not gpu:
            torch.set_num_threads(threads)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if not self._tokenizer.chat_template:
            raise Misconfigured(
                f"KINFOLK_GENERATOR: {folder} has no chat template. Name a model tuned for instructions."
            )
        precision = torch.bfloat16 if gpu else torch.float32
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=precision, local_files_only=True)
        self._model = model.to(self._device).eval()
        self._context = min(CONTEXT, getattr(model.config, "max_position_embeddings", CONTEXT))
        self.name = f"torch bf16 on {torch.cuda.get_device_name(self._device)}" if gpu else "torch fp32"

    def generate(self, prompt: Prompt, emit: Emit) -> Finish:
        """Write the next turn; stops soon after `emit` says so. Raises Unfit."""
        if prompt.schema is not None:
            raise Unfit(
                "This engine cannot keep to a JSON schema; a GGUF file can.",
                code="unsupported",
                param="response_format",
            )
        ids = self._read(prompt)
        if ids.shape[1] + prompt.most > self._context:
            raise too_long(ids.shape[1] + prompt.most, self._context)
        voice = _Voice(self._tokenizer, emit)
        written = self._write(ids, prompt, voice)
        return Finish(reason="length" if written == prompt.most else "stop", read=ids.shape[1], written=written)

    def close(self) -> None:
        """Let go of the model's memory."""
        del self._model
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _read(self, prompt: Prompt) -> torch.Tensor:
        turns = [{"role": turn.role, "content": turn.text} for turn in prompt.turns]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids: torch.Tensor = self._tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        return ids.to(self._device)

    def _write(self, ids: torch.Tensor, prompt: Prompt, voice: _Voice) -> int:
        warmth = {"temperature": prompt.temperature, "do_sample": True} if prompt.temperature else {"do_sample": False}
        with torch.inference_mode():
            whole = self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=prompt.most,
                streamer=voice,
                stopping_criteria=StoppingCriteriaList([_Hush(voice)]),
                pad_token_id=self._tokenizer.eos_token_id,
                **warmth,
            )
        return int(whole.shape[1] - ids.shape[1])


class _Voice(TextStreamer):
    """Hands on each piece of text as soon as its characters are whole, and hears whether to go on."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, emit: Emit) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._emit = emit
        self.wanted = True

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: FBT001, FBT002
        """Take a piece."""
        if text and self.wanted:
            self.wanted = self._emit(text)


class _Hush(StoppingCriteria):
    """Ends the writing once nobody listens."""

    def __init__(self, voice: _Voice) -> None:
        self._voice = voice

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), not self._voice.wanted, device=input_ids.device)
