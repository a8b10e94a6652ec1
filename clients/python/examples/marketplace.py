"""A market of agents that are paid by result.

    python marketplace.py

A buyer has three texts translated, for at most 2 each. One translator asks for less, one is careful
and gives up on a text that it cannot read: that one costs nothing.
"""

from __future__ import annotations

import asyncio
import os

from reef_agents import Reef, Reject, Task

TEXTS = ["good morning", "a cold rain fell", "\N{REPLACEMENT CHARACTER}"]


async def translate(key: str, name: str, price: str | None) -> None:
    """A translator, under a key of its own."""
    async with Reef(key=key) as reef, reef.node(name, skills=["translate"]) as node:

        @node.task(lease=10)
        async def translated(task: Task) -> str:
            text = task.parameters["text"]
            if "\N{REPLACEMENT CHARACTER}" in text:
                raise Reject("this cannot be read")
            if price is not None:
                task.costs(price)
            return str(text).upper()

        await node.run()


async def main() -> None:
    run = os.getpid()
    async with Reef() as admin:
        names = [f"{name}-{run}" for name in ("buyer", "cheap", "careful")]
        keys = [(await admin.agents.register(name))["api_key"] or "" for name in names]
        buyer, cheap, careful = names
        async with Reef(key=keys[0]) as reef:
            await reef.ledger.deposit(buyer, "10")
            tasks = [
                await reef.tasks.submit(
                    "translate",
                    parameters={"text": text},
                    skills=["translate"],
                    max_retries=0,
                    charge={"max": "2"},
                    # Who gets which is for the queue to say; here it shall be the same each time.
                    audience=[careful if text == TEXTS[-1] else cheap],
                )
                for text in TEXTS
            ]
            has = await reef.ledger.balance(buyer)
            print(f"buyer has {has.balance}, and {has.locked} is reserved for 3 texts")
            workers = [
                asyncio.create_task(translate(keys[1], f"node-{cheap}", "1")),
                asyncio.create_task(translate(keys[2], f"node-{careful}", None)),
            ]
            ended = [await reef.tasks.wait(task["task_id"]) for task in tasks]
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            done = [task for task in ended if task["status"] == "completed"]
            for name, agent in (("cheap", cheap), ("careful", careful)):
                paid = (await admin.ledger.balance(agent)).balance
                mine = [task for task in done if task["audience"] == [agent]]
                print(f"{name} was paid {paid} for {len(mine)} texts")
            print(f"{len(ended) - len(done)} text failed: its 2 came back")
            has = await reef.ledger.balance(buyer)
            reserved = "nothing" if has.locked == 0 else has.locked
            print(f"buyer has {has.balance}, and {reserved} is reserved")


if __name__ == "__main__":
    asyncio.run(main())
