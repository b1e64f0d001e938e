"""Settings: read from the environment, explained when wrong, and held equal to `.env.example`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.core.errors import Misconfigured, Unavailable
from bot.core.settings import Settings, load_settings, prepare_home, strangers
from storage.db import Database

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def a_bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("KINFOLK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_example_names_every_setting_with_its_meaning_and_default() -> None:
    example = (ROOT / ".env.example").read_text()
    described = dict(re.findall(r"^# (.+)\n# ?KINFOLK_(\w+)=", example, re.MULTILINE))
    expected = {field.description: name.upper() for name, field in Settings.model_fields.items()}
    assert described == expected, "give .env.example a line of each setting's description, and its variable"
    for name, value in re.findall(r"^#KINFOLK_(\w+)=(.*)$", example, re.MULTILINE):
        default = Settings.model_fields[name.lower()].get_default()
        assert value == ("" if default is None or not isinstance(default, (str, int)) else str(default)), name


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KINFOLK_THREADS=2\nKINFOLK_LANGUAGE=zh_CN\n")
    monkeypatch.setenv("KINFOLK_THREADS", "3")
    settings = load_settings()
    assert (settings.threads, settings.language) == (3, "zh_CN")


def test_a_wrong_value_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_LANGUAGE", "klingon")
    with pytest.raises(Misconfigured, match=r"KINFOLK_LANGUAGE: .*'en' or 'zh_CN'"):
        load_settings()
    monkeypatch.setenv("KINFOLK_LANGUAGE", "en")
    assert load_settings().language == "en"


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINFOLK_VECTORS_KEY", "hunter2")
    settings = load_settings()
    assert settings.vectors_key.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_everything_lives_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINFOLK_HOME", str(tmp_path / "h"))
    settings = load_settings()
    assert settings.tables_url == f"sqlite:///{tmp_path}/h/kinfolk.db"
    assert settings.vectors_folder == tmp_path / "h" / "vectors"
    monkeypatch.setenv("KINFOLK_VECTORS", "http://127.0.0.1:6333")
    assert load_settings().vectors_folder is None


def test_a_home_that_cannot_be_used_names_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(Misconfigured, match="KINFOLK_HOME: .*cannot be read and written"):
        prepare_home(file / "home")
    prepare_home(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://h/d", "must begin with"),
        ("postgresql://u:p@h:port/d", "cannot be read"),
        ("postgresql://u:p@127.0.0.1:1/d", "cannot be reached"),
        ("sqlite:////dev/null/x", "cannot be opened"),
    ],
)
async def test_a_database_that_cannot_be_used_names_its_variable(tmp_path: Path, url: str, complaint: str) -> None:
    with pytest.raises((Misconfigured, Unavailable), match=f"KINFOLK_DATABASE_URL.* {complaint}"):
        async with Database.open(url, home=tmp_path):
            pass
    async with Database.open(f"sqlite:///{tmp_path}/new.db", home=tmp_path) as database, database.read() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


def test_a_variable_that_is_none_of_ours_is_named_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KINFOLK_PLAYGROUND", "off")
    assert strangers() == []
    monkeypatch.setenv("KINFOLK_PLAYGROUD", "off")
    (tmp_path / ".env").write_text("# KINFOLK_COMMENT=1\nKINFOLK_HOME=x\nexport KINFOLK_ZZZ=1\n")
    assert strangers() == [
        "KINFOLK_PLAYGROUD is no setting. Did you mean KINFOLK_PLAYGROUND?",
        "KINFOLK_ZZZ is no setting; .env.example names all there are.",
    ]


async def test_a_url_of_the_driver_of_earlier_releases_is_understood(tmp_path: Path) -> None:
    older = "postgresql+asyncpg://u:p@127.0.0.1:1/d?ssl=require&prepared_statement_cache_size=0"
    with pytest.raises(Unavailable, match="cannot be reached"):
        async with Database.open(older, home=tmp_path):
            pass
    with pytest.raises(Misconfigured, match='invalid connection option "nonsense"'):
        async with Database.open("postgresql://u:p@127.0.0.1:1/d?nonsense=1", home=tmp_path):
            pass
