"""The same on langchain-mcp-adapters, which gives an agent's tools to LangChain.

Usage: work_langchain.py URL KEY
"""

import asyncio
import json
import sys

from langchain_core.tools import ToolException
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(url: str, key: str) -> None:
    server = {
        "transport": "streamable_http",
        "url": url,
        "headers": {"Authorization": f"Bearer {key}"},
    }
    tools = await MultiServerMCPClient({"reef": server}).get_tools()
    by_name = {tool.name: tool for tool in tools}

    async def call(tool: str, **arguments):
        content = await by_name[tool].ainvoke(arguments)
        return json.loads(content[0]["text"])

    node = (await call("check_in", skills=["build"]))["node"]
    await call("submit_task", name="t", required_skills=["build"])
    task = (await call("claim_task"))["tasks"][0]
    end = {"task_id": task["task_id"], "token": task["token"], "outcome": "completed"}
    ended = await call("finish_task", **end)
    try:
        error = f"no error: {await call('finish_task', **end)}"
    except ToolException as exception:
        error = str(exception).split(":")[0]
    told = {
        "tools": [tool.name for tool in tools],
        "agent": node["node_id"],
        "status": ended["status"],
        "error": error,
    }
    print(json.dumps(told))


asyncio.run(main(*sys.argv[1:]))
