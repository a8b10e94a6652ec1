"""An agent that does the hub's work: it claims a task, does it, finishes it, and goes on.

    pip install mcp==2.3.0
    REEF_API_KEY=$(cat alice.key) python worker.py http://127.0.0.1:8888/mcp

Put what your agent does in place of do(). With --once it stops when there is nothing to do.
"""

import os
import sys

import anyio
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client


async def do(task: dict) -> dict:
    """Counts the words of a text: what a model would do here."""
    return {"words": len(task["parameters"]["text"].split())}


async def main(url: str, once: bool) -> None:
    key = os.environ["REEF_API_KEY"]
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60)
    async with http, Client(streamable_http_client(url, http_client=http)) as hub:

        async def call(tool: str, **arguments) -> dict:
            result = await hub.call_tool(tool, arguments)
            if result.is_error:
                # The text says what went wrong and what to do next: show it to your model.
                raise RuntimeError(result.content[0].text)
            return result.structured_content

        await call("check_in", skills=["count-words"])
        while True:
            # Each call renews what this agent holds, so a longer task should call update_task.
            claimed = await call("claim_task", wait_ms=1000 if once else 20_000)
            for task in claimed["tasks"]:
                ours = {"task_id": task["task_id"], "token": task["token"]}
                try:
                    result = await do(task)
                except Exception as error:
                    await call("finish_task", **ours, outcome="failed", error=repr(error))
                else:
                    await call("finish_task", **ours, outcome="completed", result=result)
                    print(f"finished {task['task_id']}: {result}", flush=True)
            if once and not claimed["tasks"]:
                return


anyio.run(main, sys.argv[1], "--once" in sys.argv)
