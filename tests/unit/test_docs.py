"""Documentation that can be wrong is held equal to what it speaks of."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_is_what_make_docs_writes() -> None:
    script = "import sys; sys.path.insert(0, 'docs'); import reference; sys.stdout.write(reference.page())"
    written = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (ROOT / "docs" / "reference.md").read_text() == written.stdout


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


def test_the_tree_in_the_architecture_names_only_what_exists() -> None:
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    for path in re.findall(r"`((?:bot|adapters|brains|storage|tests|docs|deploy)/[\w/.]+)`", page):
        assert (ROOT / path).exists() or "NAME" in path, path
