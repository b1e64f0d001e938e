"""JSON read piece by piece: the same as at once, whatever the pieces, and complaints that name the line."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from adapters.history import json_stream
from adapters.history.json_stream import JsonStream
from bot.core.errors import Mistake

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-(10**15), 10**15) | some.text(max_size=20) | some.floats(0, 1),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def read(raw: bytes) -> object:
    stream = JsonStream(io.BytesIO(raw), "f")
    value = stream.value()
    stream.end()
    return value


@given(value=VALUES, piece=some.integers(1, 40), indent=some.sampled_from([None, 1]))
def test_pieces_of_any_size_give_the_same(value: object, piece: int, indent: int | None) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=False).encode(errors="surrogatepass")
    expected = json.loads(raw.decode(errors="replace"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "PIECE", piece)
        assert read(raw) == expected


@pytest.mark.parametrize("number", ["0.0", "-0.5e-10", "1E+3", "12e0", "-7", "NaN", "-Infinity"])
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"a": {}, "b": 1}}', "{}\n"])
def test_a_number_may_be_cut_anywhere(number: str, around: str) -> None:
    raw = around.format(number).encode()
    whole = read(raw)
    for piece in range(1, len(raw)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_stream, "PIECE", piece)
            assert read(raw) == whole


@pytest.mark.parametrize("raw", [b"1.", b"  1e", b"[1e]", b"-", b"[0., 1]", b"1e+"])
def test_a_number_that_does_not_go_on_is_none(raw: bytes) -> None:
    with pytest.raises(Mistake):
        read(raw)


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1000])
def test_control_characters_as_telegram_desktop_writes_them(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(json_stream, "PIECE", piece)
    assert read(rb'["a\x1Fb", "\\x41", "\x0B\\\x01", 12]') == ["a\x1fb", "\\x41", "\x0b\\\x01", 12]


def test_what_is_not_wanted_is_passed_over_without_being_held() -> None:
    stream = JsonStream(io.BytesIO(b'{"a": {"b": [1, {"c": 2}], "d": {}}, "e": [], "f": 3}'), "f")
    found = {}
    for key in stream.entries():
        if key == "f":
            found[key] = stream.value()
        else:
            stream.skip()
    stream.end()
    assert found == {"f": 3}


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"", "line 1: it ends in the middle"),
        (b"[1,\n2", "line 2: it ends in the middle"),
        (b'[1,\n"two', "line 2: it ends in the middle.*Unterminated string"),
        (b'[1,\n\n{"a" 1}, 2, 3, 4, 5, 6, 7, 8, 9, 10]', "line 3: not JSON .*':'"),
        (b'{"a": 1]', "line 1: ',' is missing"),
        (b'{1: "a"}', "a key of an object is no text"),
        (b"[1]\n[2]", "line 2: something follows after the end"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"%PDF-1.7 and what comes after it, which is long", "not JSON"),
    ],
)
def test_complaints_name_the_line(raw: bytes, complaint: str) -> None:
    stream = JsonStream(io.BytesIO(raw), "f")
    with pytest.raises(Mistake, match=f"^f, .*{complaint}.*Nothing was imported"):
        stream.skip()
        stream.end()


@pytest.mark.parametrize("begun", [b'["', b"[", b"0."])
def test_a_value_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(json_stream, "LONGEST_VALUE", 1000)
    monkeypatch.setattr(json_stream, "PIECE", 100)
    file = io.BytesIO(begun + b"1" * 100_000)
    stream = JsonStream(file, "f")
    with pytest.raises(Mistake, match="longer than 16 MiB"):
        stream.skip()
    assert file.tell() < 50_000


def test_numbers_that_would_take_long_are_none() -> None:
    assert read(b"[" + b"9" * 100_000 + b", 7, NaN, 1e999]") == [None, 7, None, float("inf")]


def test_bytes_that_are_no_text_do_not_stop_the_rest() -> None:
    assert read(b'\xef\xbb\xbf["a\xff", 1]') == ["a�", 1]
