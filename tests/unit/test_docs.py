"""Documentation that can be wrong is held equal to what it speaks of."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import get_args

import pytest
import typer

from adapters.discord import needs
from adapters.discord.adapter import FORBIDDEN, REFUSED, WITHHELD
from adapters.discord.examining.examine import INTENTS
from bot.cli import app
from bot.core.policies import FIELDS, PRESET, PRESETS, Speak
from bot.core.settings import Settings
from bot.living import commands_of
from brains.skills import SKILLS

ROOT = Path(__file__).parents[2]


def test_the_reference_is_what_make_docs_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    # Here and not in a process of its own: what it imports, most tests have imported already.
    for name in ("TERMINAL_WIDTH", "COLUMNS", "NO_COLOR", "TERM"):
        monkeypatch.setenv(name, "")  # which the script sets, so that they are what they were afterwards
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("reference").page()
    assert (ROOT / "docs" / "reference.md").read_text() == page, "run `make docs`"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_the_readme_stays_short_and_its_make_verbs_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 150
    verbs = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", readme)) <= verbs
    assert {"setup", "run", "test", "check", "bench", "docs"} <= verbs


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "adding-a-skill.md", "adding-a-platform.md"])
def test_pages_name_only_files_that_exist(name: str) -> None:
    page = (ROOT / "docs" / name).read_text()
    paths = re.findall(r"`((?:bot|adapters|brains|storage|tests|docs|deploy)/[\w/.]+)`", page)
    assert paths
    for path in paths:
        assert (ROOT / path).exists() or "NAME" in path, path


@pytest.mark.parametrize("name", ["adding-a-skill.md", "adding-a-platform.md"])
def test_pages_of_adding_name_only_what_the_code_has(name: str) -> None:
    sources = [
        path.read_text()
        for folder in ("bot", "adapters", "brains", "storage")
        for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    known = {
        found
        for text in sources
        for found in re.findall(r"^(?:class )?([A-Z][A-Za-z]+)(?= = |\(|:)", text, re.MULTILINE)
    }
    named = set(re.findall(r"`((?:[A-Z][a-z]+)+)(?:\.\w+|\(.*?\))?`", (ROOT / "docs" / name).read_text()))
    assert len(named) >= 10
    assert named <= known | {"None"}


DISCORD = ROOT / "docs" / "platforms" / "discord.md"


def test_the_page_of_discord_asks_for_what_doctor_asks_for() -> None:
    page = DISCORD.read_text()
    assert len(page.splitlines()) < 200
    rows = [line for line in page.splitlines() if line in {f"| {one.label} | {one.why} |" for one in needs.NEEDS}]
    assert rows == [f"| {one.label} | {one.why} |" for one in needs.NEEDS]
    (link,) = re.findall(r"^https://discord\.com/oauth2/.*$", page, re.MULTILINE)
    assert link == needs.invitation(1).replace("client_id=1&", "client_id=APPLICATION_ID&")
    assert all(f"**{name}**" in page for name in INTENTS)


def test_the_page_of_discord_names_only_what_exists() -> None:
    page = DISCORD.read_text()
    assert set(re.findall(r"`/([a-z]+)", page)) - {"metrics"} <= {one.name for one in commands_of(SKILLS)}
    assert set(re.findall(r"`/setup (\w+)", page)) <= {*FIELDS, PRESET}
    assert set(re.findall(r"^\| `(\w+)`(?: \(the default\))? \|", page, re.MULTILINE)) == set(get_args(Speak))
    assert re.findall(r"`/setup preset (\w+)`", page) == ["helpful"]
    assert all(f"`{name}`" in page for name in PRESETS if name != "helpful")
    assert set(re.findall(r"KINFOLK_(\w+)", page)) <= {name.upper() for name in Settings.model_fields}
    assert set(re.findall(r"`(?:code )(\d+)`", page)) <= {str(code) for code in FORBIDDEN}
    assert "Discord refuses it" in REFUSED
    assert "this bot may not see members or what they write" in WITHHELD


def test_the_page_of_discord_speaks_of_verbs_that_there_are() -> None:
    page = DISCORD.read_text()
    verbs = typer.main.get_command(app).commands
    assert set(re.findall(r"`kinfolk (\w+)", page)) <= verbs.keys()
    assert set(re.findall(r"`kinfolk import (\w+)", page)) <= verbs["import"].commands.keys()
    options = {name for one in verbs["import"].commands["discord"].params for name in one.opts}
    assert set(re.findall(r"`(--\w+)`", page)) - {"--json"} <= options
    assert "--json" in {name for one in verbs["doctor"].params for name in one.opts}
