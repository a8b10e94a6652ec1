"""What the samples of the older services' documents are, and how each is known to have run.

The documents are not Reef's to publish: their folder is what ``python -m samples`` is given.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAME, DIFFERS, NOT = "yes", "with a difference", "no"
PATIENCE = 60.0


@dataclass
class Run:
    """What the samples run against."""

    codes: dict[tuple[str, int], str]
    redis: Any
    folder: Path
    #: What the samples of one document leave for the next.
    left: dict[str, Any] = field(default_factory=dict)

    async def do(self, key: tuple[str, int], **given: Any) -> dict[str, Any]:
        """Runs a sample where these names are known; returns those that it has made."""
        names = {**self.left, **given}
        code = compile(self.codes[key], str(key), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, names)  # noqa: S307 - running it is the purpose
        if inspect.iscoroutine(done):
            await done
        return names

    def start(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a program in the folder of the samples."""
        return subprocess.run(
            [sys.executable, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.folder / "scripts",
            env={**os.environ, **env},
        )


Check = Callable[[Run, tuple[str, int]], Awaitable[object]]


@dataclass
class Sample:
    """One row of the table."""

    document: str
    number: int
    what: str
    runs: str
    difference: str
    check: Check


SAMPLES: list[Sample] = []


def sample(
    document: str, number: int, what: str, runs: str = SAME, difference: str = ""
) -> Callable[[Check], Check]:
    """Says what a sample is, and how it is known to have run."""

    def take(check: Check) -> Check:
        SAMPLES.append(Sample(document, number, what, runs, difference, check))
        return check

    return take


async def just_run(run: Run, key: tuple[str, int]) -> None:
    await run.do(key)


async def not_run(_run: Run, _key: tuple[str, int]) -> None:
    pass
