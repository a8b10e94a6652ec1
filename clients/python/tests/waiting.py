"""A worker as a process of its own whose handler waits, which tests kill.

It writes down what it does, a line each: what, and which time the handler runs.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from reef_agents import Reef, Task


async def main(url: str, key: str, name: str, skill: str, record: Path) -> None:
    async with Reef(url, key=key) as reef, reef.node(name, skills=[skill]) as node:

        @node.task(lease=2)
        async def pay(task: Task) -> dict[str, object]:
            def note(what: str) -> None:
                with record.open("a", encoding="utf-8") as lines:
                    lines.write(f"{what}\n")

            note("begin")
            decision = await task.approval("Pay?", details={"amount": task.parameters["amount"]})
            note("decided")
            receipt = await task.signal("receipt")
            note("paid")
            return {"amount": decision.value["amount"], "receipt": receipt.value, "by": decision.by}

        await node.run()


URL, KEY, NAME, SKILL, RECORD = sys.argv[1:]
asyncio.run(main(URL, KEY, NAME, SKILL, Path(RECORD)))
