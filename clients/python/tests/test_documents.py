"""What ``docs/start/python.md`` shows is what happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from hub import PATIENCE, Hub

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/start/python.md"


def test_what_the_document_shows_is_what_happens(own_hub: Hub, tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    programs = [body for kind, body in blocks if kind == "python"]
    worker, ask, *others = programs
    # The first block of text installs; each further one is what the program before it prints.
    shown = [body for kind, body in blocks if kind == "text"][1:]
    assert len(shown) == len(programs) - 1 >= 3
    (tmp_path / ".reef").symlink_to(own_hub.folder)
    names = ("REEF_API_KEY", "REEF_KEY_FILE", "REEF_STATE_DIR")
    env = {name: it for name, it in os.environ.items() if name not in names}
    env["REEF_HUB"] = own_hub.url

    def start(program: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )

    with start(worker) as working:
        for program, output in zip([ask, *others], shown, strict=True):
            with start(program) as running:
                printed, _ = running.communicate(timeout=PATIENCE)
                assert running.returncode == 0
            assert printed == output
        working.send_signal(signal.SIGTERM)
        assert working.wait(PATIENCE) == 0
