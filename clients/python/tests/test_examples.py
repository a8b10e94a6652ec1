"""The examples, as people start them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hub import PATIENCE, Hub

from reef_agents.sync import Reef

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


def test_every_document_is_counted_once_though_workers_die(own_hub: Hub) -> None:
    names = ("map_reduce.py", "count")
    with _started(own_hub, "map_reduce.py") as first, _started(own_hub, *names) as counting:
        _line(first, "counts")
        with Reef(own_hub.url, key=own_hub.admin_key) as reef:
            # Some of the 200 are done, and some are not.
            deadline = time.monotonic() + PATIENCE
            while reef.tasks.stats()["completed"] < 20:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            first.kill()
            with _started(own_hub, "map_reduce.py") as second:
                told, _ = counting.communicate(timeout=PATIENCE)
                second.send_signal(signal.SIGTERM)
                assert second.wait(PATIENCE) == 0
            assert told == "completed: {'documents': 200, 'words': {'even': 100, 'odd': 100}}\n"
            assert reef.tasks.stats()["completed"] == 201


def test_twenty_workers_share_a_limit(own_hub: Hub) -> None:
    answered, most = _output(own_hub, "shared_limit.py").splitlines()
    assert answered == "100 of 100 answered"
    found = re.fullmatch(r"at most ([1-8]) at once, 1 refused", most)
    assert found is not None, most


def _as_shown(chapter: str, command: str) -> str:
    """What a chapter shows that an example prints."""
    text = (EXAMPLES.parents[2] / f"docs/concepts/{chapter}.md").read_text("utf-8")
    found = re.search(rf"^```text\n\$ python {command}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_a_research_job_asks_before_it_spends_more(own_hub: Hub) -> None:
    told = _output(own_hub, "budgeted_research.py")
    assert told == _as_shown("budgets", "budgeted_research.py")


def test_agents_are_paid_by_result(own_hub: Hub) -> None:
    told = _output(own_hub, "marketplace.py")
    assert told == _as_shown("paid-work", "marketplace.py")


@pytest.mark.parametrize(
    ("chapter", "example"),
    [
        ("waits-and-flows", "map_reduce"),
        ("limits", "shared_limit"),
        ("budgets", "budgeted_research"),
    ],
)
def test_the_chapter_shows_what_the_example_does(chapter: str, example: str) -> None:
    text = (EXAMPLES.parents[2] / f"docs/concepts/{chapter}.md").read_text("utf-8")
    (shown,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert shown in (EXAMPLES / f"{example}.py").read_text("utf-8")


def test_the_lead_goes_on_when_a_leader_is_killed(own_hub: Hub) -> None:
    with _started(own_hub, "leader.py", "one") as one:
        first = int(_line(one, r"one leads in term (\d+)")[1])
        with _started(own_hub, "leader.py", "two") as two:
            one.kill()
            second = int(_line(two, r"two leads in term (\d+)")[1])
            assert second > first
