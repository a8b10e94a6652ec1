"""What is published: its source is clean, and the wheel works where nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hub import Hub

HERE = Path(__file__).resolve().parent.parent


def _run(*command: str, folder: Path = HERE, **env: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", **env},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_source_is_clean(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    python = sys.executable
    _run(python, "-m", "ruff", "check", "--no-cache", ".")
    _run(python, "-m", "ruff", "format", "--no-cache", "--check", ".")
    _run(python, "-m", "mypy", "--cache-dir", str(tmp_path), "--no-error-summary")


def test_the_wheel_works_where_nothing_else_is(hub: Hub, tmp_path: Path) -> None:
    pytest.importorskip("uv")
    uv = (sys.executable, "-m", "uv", "--quiet", "--no-cache")
    built = ("build", "--wheel", "--no-build-isolation", "--python", sys.executable)
    _run(*uv, *built, "--out-dir", str(tmp_path), str(HERE))
    [wheel] = tmp_path.glob("reef_agents-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "reef_agents/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "examples/", "compat/"))]
    venv = tmp_path / "empty"
    _run(*uv, "venv", "--python", sys.executable, str(venv))
    python = str(venv / "bin/python")
    _run(*uv, "pip", "install", "--python", python, str(wheel))
    program = (
        "from reef_agents.sync import Reef\n"
        "with Reef() as reef:\n"
        "    print(reef.cluster.is_ready(), reef.tasks.stats()['total'] >= 0)\n"
    )
    told = _run(
        *(python, "-c", program),
        folder=tmp_path,
        PYTHONPATH="",
        REEF_HUB=hub.url,
        REEF_API_KEY=hub.admin_key,
    )
    assert told == "True True\n"
