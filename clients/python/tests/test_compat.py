"""The module names of the older services, put on the path as their users do it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub import PATIENCE, Hub

from reef_agents import compat


def test_older_programs_find_what_they_import(own_hub: Hub, tmp_path: Path) -> None:
    pytest.importorskip("pydantic")
    told = subprocess.run(
        [sys.executable, "-m", "reef_agents.compat", "path"],
        check=True,
        capture_output=True,
        text=True,
    )
    path = told.stdout.strip()
    assert path == str(compat.path())
    program = Path(__file__).with_name("compat_program.py")
    done = subprocess.run(
        [sys.executable, str(program)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([path, os.environ.get("PYTHONPATH", "")]),
            "REEF_HUB": own_hub.url,
            "REEF_API_KEY": own_hub.admin_key,
        },
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["coordinator", "storage", "messages", "store"]


def test_nothing_of_it_is_importable_without_being_asked_for() -> None:
    program = "import importlib.util as u; print(u.find_spec('config_loader'), u.find_spec('db'))"
    told = subprocess.run(
        [sys.executable, "-c", f"import reef_agents; {program}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout == "None None\n"
