"""Counts the words of 200 documents: a task for each, and one that waits for all of them.

    python map_reduce.py          works until Ctrl-C
    python map_reduce.py count    submits the task, and prints what it found

Start several workers, and kill some of them: no document is lost, and none is counted twice. While
the children work, the task that waits for them has no place on any node.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter

from reef_agents import NewTask, Reef, Task

DOCUMENTS = 200


def read(number: int) -> str:
    """Stands for a file, a page or a table."""
    return f"document {number} has an {'even' if number % 2 == 0 else 'odd'} number"


async def work() -> None:
    async with (
        Reef() as reef,
        reef.node(f"reader-{os.getpid()}", skills=["words"], capacity=8) as node,
    ):

        @node.task(name="map", lease=10)
        async def count_one(task: Task) -> dict[str, int]:
            return Counter(read(task.parameters["number"]).split())

        @node.task(name="reduce", lease=10)
        async def count_all(task: Task) -> dict[str, object]:
            numbers = range(task.parameters["documents"])
            parts: list[NewTask] = [
                {"name": "map", "skills": ["words"], "parameters": {"number": number}}
                for number in numbers
            ]
            # Here the handler is left. It runs again when all have ended, and gets them.
            children = await task.children(parts)
            words: Counter[str] = Counter()
            for child in children:
                words.update(child["result"])
            return {"documents": len(children), "words": {it: words[it] for it in ("even", "odd")}}

        print(f"{node.id} counts", flush=True)
        await node.run()


async def count() -> None:
    async with Reef() as reef:
        given = await reef.tasks.submit(
            "reduce", skills=["words"], parameters={"documents": DOCUMENTS}
        )
        task = await reef.tasks.wait(given["task_id"])
        print(f"{task['status']}: {task['result'] or task['error']}")


if __name__ == "__main__":
    asyncio.run(count() if sys.argv[1:2] == ["count"] else work())
