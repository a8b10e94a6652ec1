"""A worker as a process of its own, which tests kill and pause.

It writes down what it does, a line each: what begins, ends or is stopped, the task, and the try.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from reef_agents import Reef, Task


async def main(url: str, key: str, name: str, skill: str, record: Path) -> None:
    def note(what: str, task: Task) -> None:
        with record.open("a", encoding="utf-8") as lines:
            lines.write(f"{what} {task.id} {task.attempt} {task.token}\n")

    async with Reef(url, key=key) as reef, reef.node(name, skills=[skill], capacity=4) as node:

        @node.task(lease=2)
        async def work(task: Task) -> dict[str, object]:
            note("begin", task)
            try:
                # Long only the first time: whoever takes over has an end.
                await asyncio.sleep(task.parameters["seconds"] if task.attempt == 1 else 0)
            except asyncio.CancelledError:
                note("stopped", task)
                raise
            note("end", task)
            return {"by": name}

        await node.run()


URL, KEY, NAME, SKILL, RECORD = sys.argv[1:]
asyncio.run(main(URL, KEY, NAME, SKILL, Path(RECORD)))
