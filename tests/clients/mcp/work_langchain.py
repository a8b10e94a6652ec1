"""The same on langchain-mcp-adapters, which gives an agent's tools to LangChain.

Usage: work_langchain.py URL KEY
"""

import asyncio
import json
import sys

from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(url: str, key: str) -> None:
    server = {
        "transport": "streamable_http",
        "url": url,
        "headers": {"Authorization": f"Bearer {key}"},
    }
    tools = await MultiServerMCPClient({"reef": server}).get_tools()
    by_name = {tool.name: tool for tool in tools}

    async def text(tool: str, **arguments) -> str:
        return (await by_name[tool].ainvoke(arguments))[0]["text"]

    async def call(tool: str, **arguments):
        return json.loads(await text(tool, **arguments))

    node = (await call("check_in", skills=["build"]))["node"]
    await call("submit_task", name="t", required_skills=["build"])
    task = (await call("claim_task"))["tasks"][0]
    end = {"task_id": task["task_id"], "token": task["token"], "outcome": "completed"}
    ended = await call("finish_task", **end)
    # What a tool could not do, the model reads: the code of the problem comes first.
    error = (await text("finish_task", **end)).split(":")[0]
    told = {
        "tools": [tool.name for tool in tools],
        "agent": node["node_id"],
        "status": ended["status"],
        "error": error,
    }
    print(json.dumps(told))


asyncio.run(main(*sys.argv[1:]))
