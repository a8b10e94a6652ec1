"""The examples, as people start them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub import PATIENCE, Hub

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@contextmanager
def _started(hub: Hub, name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "REEF_HUB": hub.url, "REEF_API_KEY": hub.admin_key},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _output(hub: Hub, name: str, *arguments: str) -> str:
    with _started(hub, name, *arguments) as process:
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        return output


def _line(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The next line that is like this."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"ended without {pattern!r}")


def test_a_worker_streams_its_answer(own_hub: Hub) -> None:
    with _started(own_hub, "streamed_worker.py") as worker:
        _line(worker, "waits for questions")
        answer = "You asked 'What now?'. The answer is 42, as it always is. "
        told = _output(own_hub, "streamed_worker.py", "ask", "What now?")
        assert told == f"{answer}\ncompleted: {{'words': 12}}\n"
        told = _output(own_hub, "streamed_worker.py", "ask", "Nothing.")
        assert told == "\nfailed: that is no question\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0


def test_three_agents_share_work_and_pay_each_other(hub: Hub) -> None:
    assert _output(hub, "three_agents.py").splitlines() == [
        "CALL ME ISHMAEL.",
        "IT WAS THE BEST OF TIMES.",
        "ALL HAPPY FAMILIES",
        "MOTHER DIED.",
        "editor has 0",
        "anna has 5",
        "boris has 5",
        "0 is available, and 1 was asked for.",
    ]


def test_the_lead_goes_on_when_a_leader_is_killed(own_hub: Hub) -> None:
    with _started(own_hub, "leader.py", "one") as one:
        first = int(_line(one, r"one leads in term (\d+)")[1])
        with _started(own_hub, "leader.py", "two") as two:
            one.kill()
            second = int(_line(two, r"two leads in term (\d+)")[1])
            assert second > first
