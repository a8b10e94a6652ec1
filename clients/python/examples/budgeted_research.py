"""A research job that asks before it spends more.

    python budgeted_research.py

It reads twenty pages, each of which costs three thousandths. Its budget is a hundredth: when that
is used up it waits, holds nothing, and begins again from what it has kept once somebody has let it.
"""

from __future__ import annotations

import asyncio
import os

from reef_agents import Reef, Task

PAGES = 20


async def read(task: Task, page: int) -> str:
    """Stands for a model that reads a page."""
    await asyncio.sleep(0.3)
    task.used("small", input=10_000, output=250)
    # It is heard of before the next page is begun.
    await asyncio.sleep(0.3)
    return f"page {page}"


async def decide(reef: Reef, task_id: str) -> None:
    """Somebody who says yes once, and then no."""
    answers = ["approve", "reject"]
    while answers:
        waiting = [wait async for wait in reef.waits.each(kind="approval")]
        for wait in waiting:
            if wait["task_id"] != task_id:
                continue
            used = (await reef.tasks.get(task_id))["usage"]
            assert used is not None
            print(f"asked after {used['requests']} pages: {wait['question']}")
            decision = answers.pop(0)
            await reef.waits.answer(wait["wait_id"], decision)
            print(f"{decision}{'d' if decision == 'approve' else 'ed'}")
        await asyncio.sleep(0.05)


async def main() -> None:
    async with Reef() as reef:
        # The admin's: what a million tokens cost.
        await reef.prices.set("small", input="0.25", output="2", cached="0.025")
        async with reef.node(f"reader-{os.getpid()}", skills=["research"]) as node:

            @node.task(lease=10)
            async def research(task: Task) -> str:
                notes: list[str] = task.checkpoint or []
                while len(notes) < PAGES:
                    notes.append(await read(task, len(notes)))
                    # What is kept is there again when somebody has let the task go on.
                    task.save(list(notes))
                return " ".join(notes)

            worker = asyncio.create_task(node.run())
            made = await reef.tasks.submit("research", skills=["research"], budget={"cost": "0.01"})
            await decide(reef, made["task_id"])
            task = await reef.tasks.wait(made["task_id"])
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        used = task["usage"]
        assert used is not None
        print(f"{task['status']} after {used['requests']} pages, {used['cost']}")


if __name__ == "__main__":
    asyncio.run(main())
