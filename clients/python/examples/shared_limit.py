"""Twenty workers share one account of a model's provider.

    python shared_limit.py

The provider takes 8 requests at once and refuses further ones with a time to wait, and once it
refuses in between. The limit keeps tasks back before a worker has them, and the one refusal keeps
all of them back: nobody else runs into it.
"""

from __future__ import annotations

import asyncio
import os

from reef_agents import Busy, Reef, Task

WORKERS, QUESTIONS, AT_ONCE = 20, 100, 8


class Provider:
    """Stands for a model behind HTTP."""

    def __init__(self) -> None:
        self.running = self.most = self.answered = self.refused = 0

    async def ask(self, question: int) -> tuple[int, float, str]:
        """The status, for how long it wants to be left alone, and the answer."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0.02)
            if self.answered == QUESTIONS // 2 and self.refused == 0:
                self.refused += 1
                return 429, 0.5, ""
            self.answered += 1
            return 200, 0, f"answer {question}"
        finally:
            self.running -= 1


async def work(reef: Reef, number: int, provider: Provider) -> None:
    async with reef.node(f"caller-{os.getpid()}-{number}", skills=["llm"]) as node:

        @node.task(lease=10)
        async def answer(task: Task) -> str:
            status, after, text = await provider.ask(task.parameters["question"])
            if status == 429:
                # Nothing begins under the limit until then, on whichever worker.
                raise Busy("model", after=after)
            return text

        await node.run()


async def main() -> None:
    provider = Provider()
    async with Reef() as reef:
        # The admin's; once, and not by the program that submits.
        await reef.limits.set("model", concurrency=AT_ONCE, rates=[(600, 60)])
        workers = [asyncio.create_task(work(reef, n, provider)) for n in range(WORKERS)]
        made = await reef.tasks.batch(
            [
                {
                    "name": "answer",
                    "skills": ["llm"],
                    "parameters": {"question": number},
                    "limits": ["model"],
                }
                for number in range(QUESTIONS)
            ],
            group={},
        )
        assert made["group_id"] is not None
        group = await reef.groups.wait(made["group_id"])
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        print(f"{group['completed']} of {group['total']} answered")
        print(f"at most {provider.most} at once, {provider.refused} refused")


if __name__ == "__main__":
    asyncio.run(main())
