"""The older services' published samples: the table in the documents is what running them says."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub import Hub, Redis

from reef_agents import compat

HERE = Path(__file__).resolve()
DOCUMENT = HERE.parents[3] / "docs/migrating/samples.md"
#: The folder of the documents, which are not Reef's to publish.
TEXTS = os.environ.get("REEF_SAMPLES")
#: For all samples together; each has a bound of its own.
PATIENCE = 300


def _printed(*arguments: str, folder: Path, **env: str) -> str:
    path = os.pathsep.join([str(compat.path()), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "samples", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **env},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _compare(table: str) -> None:
    if "REEF_WRITE_GENERATED" in os.environ:
        DOCUMENT.write_text(table, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == table


def test_the_table_is_current(tmp_path: Path) -> None:
    pytest.importorskip("pydantic")
    _compare(_printed(folder=tmp_path))


@pytest.mark.skipif(TEXTS is None, reason="REEF_SAMPLES does not name the documents' folder")
def test_each_sample_does_what_the_table_says(own_redis: Redis, tmp_path: Path) -> None:
    for package in ("pydantic", "redis", "fastapi"):
        assert importlib.util.find_spec(package), f"the samples need {package}"
    hub = Hub(tmp_path / "state", "--redis-url", own_redis.url, "--auth-mode", "open")
    hub.start()
    try:
        arguments = (str(TEXTS), own_redis.url)
        env = {"REEF_HUB": hub.url, "REEF_API_KEY": hub.admin_key}
        work = tmp_path / "work"
        work.mkdir()
        _compare(_printed(*arguments, folder=work, **env))
    finally:
        hub.stop()
