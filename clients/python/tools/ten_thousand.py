"""Queues tasks and has one worker run them; says how long that took, and how much memory.

REEF_HUB=… REEF_API_KEY=… python tools/ten_thousand.py [TASKS] [CAPACITY]

The hub is one that nothing else uses.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import sys
import time
from pathlib import Path

from reef_agents import Reef, Task

SUBMITTERS = 16


def resident() -> str:
    """What this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return f"{pages * resource.getpagesize() / 2**20:.0f} MiB"


async def main(count: int, capacity: int) -> None:
    """Prints a line for each part."""
    async with Reef() as reef:
        numbers = itertools.count()

        async def submit() -> None:
            while (number := next(numbers)) < count:
                await reef.tasks.submit("t", skills=["bench"], parameters={"n": number})

        begun = time.monotonic()
        await asyncio.gather(*(submit() for _ in range(SUBMITTERS)))
        print(f"submitted {count} in {time.monotonic() - begun:.1f} s, {resident()}")
        seen: set[int] = set()
        twice = 0
        async with reef.node("bench", skills=["bench"], capacity=capacity) as node:

            @node.task
            async def work(task: Task) -> int:
                nonlocal twice
                number: int = task.parameters["n"]
                twice += number in seen
                seen.add(number)
                if len(seen) == count:
                    node.stop()
                return number

            before, begun, computed = resident(), time.monotonic(), time.process_time()
            await node.run()
        took, cpu = time.monotonic() - begun, time.process_time() - computed
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(f"ran {len(seen)} in {took:.1f} s: {len(seen) / took:.0f} a second, {cpu:.1f} s CPU")
        print(f"resident {before} before, {resident()} after, {most:.0f} MiB at most")
        print(f"run twice: {twice}; by the hub: {await reef.tasks.stats()}")


if __name__ == "__main__":
    given = [int(it) for it in sys.argv[1:]]
    asyncio.run(main(*[*given, *(10_000, 50)[len(given) :]]))
