"""Two agents share work by mail and tasks, and one pays the other.

    pip install mcp==2.3.0
    ALICE_KEY=$(cat alice.key) BOB_KEY=$(cat bob.key) \
        python two_agents.py http://127.0.0.1:8888/mcp

Alice asks who can translate, agrees on a price by mail, submits the task to Bob alone, and pays once
the result is there. Each of them could as well run on a machine of its own.
"""

import os
import sys
from contextlib import asynccontextmanager

import anyio
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

PRICE = "2.5"


@asynccontextmanager
async def agent(url: str, key: str, skills: list[str]):
    """A connection of one agent: its name, and a function that calls a tool."""
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60)
    transport = streamable_http_client(f"{url}?toolsets=core,money", http_client=http)
    async with http, Client(transport) as hub:

        async def call(tool: str, **arguments) -> dict:
            result = await hub.call_tool(tool, arguments)
            if result.is_error:
                raise RuntimeError(result.content[0].text)
            return result.structured_content

        name = (await call("check_in", skills=skills))["node"]["node_id"]
        yield name, call


async def letter(call, topic: str) -> dict:
    """Waits for mail about something, and reads it."""
    while True:
        for mail in (await call("read_inbox"))["messages"]:
            if mail["topic"] == topic:
                return mail
        await anyio.sleep(0.2)


async def alice(url: str, ready: anyio.Event) -> None:
    async with agent(url, os.environ["ALICE_KEY"], ["plan"]) as (_, call):
        await ready.wait()
        found = await call("find_agents", skill="translate", available=True)
        bob = found["agents"][0]["node_id"]
        await call("send_message", to=bob, topic="offer", content={"pays": PRICE})
        await letter(call, "accepted")
        task = (
            await call(
                "submit_task",
                name="translate",
                description="Translate the text into German.",
                required_skills=["translate"],
                target_agent=bob,
                parameters={"text": "good morning"},
                idempotency_key="translate-1",
            )
        )["task"]
        while task["status"] not in ("completed", "failed", "cancelled", "timeout"):
            task = (await call("get_task", task_id=task["task_id"], wait_ms=20_000))["task"]
        print(f"result: {task['result']['text']}", flush=True)
        # The key makes sure that a repeat does not pay twice.
        paid = await call(
            "pay", to=bob, amount=PRICE, memo="translation", idempotency_key=task["task_id"]
        )
        assert paid["success"]
        print(f"left: {(await call('balance'))['available']}", flush=True)


async def bob(url: str, ready: anyio.Event) -> None:
    async with agent(url, os.environ["BOB_KEY"], ["translate"]) as (_, call):
        ready.set()
        offer = await letter(call, "offer")
        await call("send_message", to=offer["from"], topic="accepted", content="I will do it.")
        claimed = []
        while not claimed:
            claimed = (await call("claim_task", wait_ms=20_000))["tasks"]
        task = claimed[0]
        words = {"good": "guten", "morning": "Morgen"}
        text = " ".join(words.get(word, word) for word in task["parameters"]["text"].split())
        await call(
            "finish_task",
            task_id=task["task_id"],
            token=task["token"],
            outcome="completed",
            result={"text": text},
        )


async def main(url: str) -> None:
    ready = anyio.Event()
    async with anyio.create_task_group() as both:
        both.start_soon(alice, url, ready)
        both.start_soon(bob, url, ready)


anyio.run(main, sys.argv[1])
