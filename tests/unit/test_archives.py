"""Archives: a good one is read, and each that no export is, is refused with its reason."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from adapters.history import archives
from adapters.history.archives import open_archive
from bot.core.errors import Mistake


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def contents(path: Path) -> dict[str, bytes]:
    found = {}
    with open_archive(path) as archive:
        for name in archive.names:
            with archive.open(name) as file:
                found[name] = file.read()
    return found


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_archives_and_folders_hold_the_same(tmp_path: Path) -> None:
    files = {"channels.json": b"[]", "general/2024-01-01.json": b"[1]"}
    (tmp_path / "folder/general").mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / "folder" / name).write_bytes(content)
    (tmp_path / "folder/link.json").symlink_to("/etc/hostname")
    (tmp_path / "folder/notes.txt").write_text("not an export's")
    assert contents(tmp_path / "folder") == files
    assert contents(packed(tmp_path / "f.zip", *files.items(), ("general/", b""))) == files


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../etc/passwd", "leads out of the archive"),
        ("a/../../b.json", "leads out of the archive"),
        ("a\\..\\..\\b.json", "leads out of the archive"),
        ("/etc/passwd", "is no name inside of an archive"),
        ("\\\\server\\share", "is no name inside of an archive"),
        ("C:\\b.json", "is no name inside of an archive"),
        ("C:b.json", "is no name inside of an archive"),
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    path = packed(tmp_path / "f.zip", ("channels.json", b"[]"), (name, b"[]"))
    with pytest.raises(Mistake, match=f"f.zip: .* {reason}. Nothing was imported"):
        contents(path)


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "f.zip", ("aXb.json", b"[]"))
    path.write_bytes(path.read_bytes().replace(b"aXb.json", b"a\x00b.json"))
    with pytest.raises(Mistake, match="no name inside of an archive"):
        contents(path)


def test_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="'users.json' is a link"):
        contents(packed(tmp_path / "f.zip", (linked("users.json"), b"/etc/passwd")))


def test_what_is_encrypted_or_packed_otherwise_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "f.zip", ("users.json", b"[]"))
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(Mistake, match="'users.json' is encrypted"):
        contents(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("users.json", b"[]")
    with pytest.raises(Mistake, match="packed in a way that exports are not"):
        contents(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="'users.json' is in it twice"):
        contents(packed(tmp_path / "f.zip", ("users.json", b"[]"), ("users.json", b"[1]")))


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, kept: float) -> None:
    path = packed(tmp_path / "f.zip", *((f"{n}.json", os.urandom(200)) for n in range(50)))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    with pytest.raises(Mistake, match="no ZIP archive, or a damaged one"):
        contents(path)


def test_a_damaged_file_is_named_when_it_is_read(tmp_path: Path) -> None:
    path = packed(tmp_path / "f.zip", ("users.json", os.urandom(2000)))
    raw = bytearray(path.read_bytes())
    raw[500:520] = bytes(20)
    path.write_bytes(raw)
    with pytest.raises(Mistake, match="'users.json' is damaged"):
        contents(path)


def test_a_bomb_is_refused_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE", 2**20)
    path = packed(tmp_path / "f.zip", ("users.json", bytes(8 * 2**20)))
    assert path.stat().st_size < 10_000
    with pytest.raises(Mistake, match="it grows to more than 200 times its size"):
        contents(path)


def test_how_large_a_file_says_it_is_does_not_help_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE", 2**20)
    path = packed(tmp_path / "f.zip", ("users.json", bytes(8 * 2**20)))
    raw = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        raw[raw.index(mark) + place : raw.index(mark) + place + 4] = struct.pack("<I", 100)
    path.write_bytes(raw)
    with pytest.raises(Mistake, match=r"grows to more|is damaged"):
        contents(path)


def test_what_grows_as_exports_do_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE", 2**20)
    path = packed(tmp_path / "f.zip", ("users.json", bytes(600_000)))
    with open_archive(path) as archive:
        for _time in range(3):
            with archive.open("users.json") as file:
                assert len(file.read()) == 600_000


def test_far_too_many_files_are_refused_before_their_names_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "f.zip", *((f"{n}.json", b"") for n in range(60)))
    monkeypatch.setattr(archives, "MOST_ENTRIES", 60)
    assert len(contents(path)) == 60
    monkeypatch.setattr(archives, "MOST_ENTRIES", 59)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(Mistake, match=r"more than 59 files; unpack it"):
        contents(path)


def test_an_archive_inside_of_one_is_left_alone(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("../evil.json", b"[]")
    path = packed(tmp_path / "f.zip", ("channels.json", b"[]"), ("inner.zip", inner.getvalue()))
    assert contents(path)["channels.json"] == b"[]"


def test_what_is_no_archive_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.zip").write_bytes(b"%PDF-1.7" * 100)
    with pytest.raises(Mistake, match="no ZIP archive"):
        contents(tmp_path / "f.zip")
    with pytest.raises(Mistake, match="none.zip cannot be read"):
        contents(tmp_path / "none.zip")
