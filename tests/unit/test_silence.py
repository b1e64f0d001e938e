"""Nothing is sent to the makers of our libraries: what onnxruntime would report, it first notes in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("first", "noted"), [("import brains.engines", False), ("pass", True)])
def test_onnxruntime_reports_nothing_once_our_engines_are_imported(tmp_path: Path, first: str, *, noted: bool) -> None:
    pytest.importorskip("onnxruntime")
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in quiet} | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", f"{first}; import onnxruntime"], env=environment, check=True)
    assert (tmp_path / ".cache" / "Microsoft").exists() == noted
