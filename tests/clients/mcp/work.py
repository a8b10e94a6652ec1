"""An agent on Python's package mcp: sees the tools, submits a task, claims it, ends it twice.

Usage: work.py URL KEY MODE; MODE is auto or legacy. Prints what it has seen as JSON.
"""

import json
import sys

import anyio
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, key: str, mode: str) -> None:
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30)
    async with http, Client(streamable_http_client(url, http_client=http), mode=mode) as client:

        async def call(tool: str, **arguments):
            return (await client.call_tool(tool, arguments)).structured_content

        tools = [tool.name for tool in (await client.list_tools()).tools]
        node = (await call("check_in", skills=["build"]))["node"]
        await call("submit_task", name="t", required_skills=["build"])
        task = (await call("claim_task"))["tasks"][0]
        end = {"task_id": task["task_id"], "token": task["token"], "outcome": "completed"}
        ended = await call("finish_task", **end)
        again = await client.call_tool("finish_task", end)
        assert again.is_error, again
        told = {
            "tools": tools,
            "agent": node["node_id"],
            "status": ended["status"],
            "error": again.structured_content["problem"]["code"],
        }
        print(json.dumps(told))


anyio.run(main, *sys.argv[1:])
