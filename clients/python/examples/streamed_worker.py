"""A worker whose answers can be read while they are made.

    python streamed_worker.py            works until Ctrl-C
    python streamed_worker.py ask "…"    asks, and prints the answer as it comes

Kill a worker in the middle, and another one answers anew; the reader needs to do nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

from reef_agents import Reef, Reject, Task


async def think(question: str) -> AsyncIterator[str]:
    """Stands for a language model."""
    for word in f"You asked {question!r}. The answer is 42, as it always is.".split():
        await asyncio.sleep(0.05)
        yield word + " "


async def work() -> None:
    async with Reef() as reef, reef.node(f"thinker-{os.getpid()}", skills=["simple"]) as node:

        @node.task(lease=30)
        async def answer(task: Task) -> dict[str, int]:
            question = str(task.parameters["task_description"])
            if "?" not in question:
                raise Reject("that is no question")
            words = 0
            async with task.message() as out:
                async for word in think(question):
                    await out.write(word)
                    words += 1
                    task.progress(min(words / 12, 1))
            return {"words": words}

        print(f"{node.id} waits for questions", flush=True)
        await node.run()


async def ask(question: str) -> None:
    async with Reef() as reef:
        session = await reef.sessions.open()
        asked = await session.ask(question)
        async for event in asked.answer.stream():
            print(event.delta, end="", flush=True)
        task = await reef.tasks.wait(asked.task_id)
        print(f"\n{task['status']}: {task['result'] or task['error']}")


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[2]) if sys.argv[1:2] == ["ask"] else work())
