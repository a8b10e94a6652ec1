"""Tasks that are found, edited, put off, and changed many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from conftest import admin, run, work
from hub import Hub

from reef_agents import Busy, Conflict, NewTask, NotFound, Retry, Snooze, Task, Unique
from reef_agents.sync import Reef as SyncReef


def test_tasks_are_found_and_edited(hub: Hub, unique: Callable[[str], str]) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            site = unique("site")
            made = await reef.tasks.submit(
                "fetch", skills=[site], labels={"site": site}, retry={"first": 1.5, "jitter": 0}
            )
            task_id = made["task_id"]
            wanted = {"first_ms": 1500, "factor": 2.0, "most_ms": 300_000, "jitter": 0.0}
            assert made["retry"] == wanted
            found = [it["task_id"] async for it in reef.tasks.each(labels={"site": site})]
            assert found == [task_id]
            assert await reef.tasks.list(name="fetch", labels={"site": site, "a": "b"}) == []
            assert await reef.tasks.list(labels={"site": site}, error="such") == []
            edited = await reef.tasks.edit(
                task_id, priority=0, delay=3600, labels={"other": site}, if_status="pending"
            )
            assert (edited["priority"], edited["status"]) == (0, "scheduled")
            assert [it["task_id"] for it in await reef.tasks.list(labels={"other": site})] == [
                task_id
            ]
            with pytest.raises(Conflict):
                await reef.tasks.edit(task_id, priority=1, if_status="waiting")

    run(main())


def test_there_is_one_and_shares_are_fair(hub: Hub, unique: Callable[[str], str]) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            key, skills = unique("key"), [unique("skill")]
            first = await reef.tasks.submit("index", skills=skills, unique=key)
            again = await reef.tasks.submit("index", skills=skills, unique={"key": key})
            assert (again["task_id"], again["deduplicated"]) == (first["task_id"], True)
            only: Unique = {"key": key, "then": "replace"}
            other = await reef.tasks.submit("index", skills=skills, unique=only)
            assert other["task_id"] != first["task_id"]
            soon: Unique = {"key": unique("soon"), "debounce": 60}
            late = await reef.tasks.submit("index", skills=skills, unique=soon)
            assert late["status"] == "scheduled"
            shared = await reef.tasks.submit(
                "index", skills=skills, fairness_key="acme", fairness_weight=2
            )
            assert shared["fairness_key"] == "acme"
            assert isinstance(await reef.limits.weights(), dict)

    run(main())


def test_many_are_changed_at_once(hub: Hub, unique: Callable[[str], str]) -> None:
    site = unique("site")
    with SyncReef(hub.url, key=hub.admin_key) as reef:
        for _ in range(3):
            reef.tasks.submit("fetch", skills=[site], labels={"site": site})
        which = {"labels": {"site": site}}
        counted = reef.bulk.count("cancel", which)
        assert (counted["matched"], counted["done"], len(counted["sample"])) == (3, 0, 3)
        with pytest.raises(Conflict):
            reef.bulk.start("cancel", which, most=2, reason="too many")
        started = reef.bulk.start("cancel", which, most=3, reason="a test")
        ended = reef.bulk.wait(started["bulk_id"])
        assert (ended["status"], ended["done"], ended["reason"]) == ("completed", 3, "a test")
        assert reef.bulk.get(started["bulk_id"]) == ended
        with pytest.raises(Conflict):
            reef.bulk.stop(started["bulk_id"])


def test_a_handler_puts_off_and_says_when(hub: Hub, unique: Callable[[str], str]) -> None:
    async def main() -> None:
        skill = unique("skill")
        async with admin(hub) as reef, reef.node(unique("n"), skills=[skill]) as node:
            tries: list[int] = []

            @node.task(lease=10)
            async def handle(task: Task) -> int:
                tries.append(task.attempt)
                if len(tries) == 1:
                    raise Snooze("the provider is shut", after=0.01)
                if len(tries) == 2:
                    raise Retry("429", after=0.01)
                return len(tries)

            async def asked() -> None:
                made = await reef.tasks.submit("call", skills=[skill])
                ended = await reef.tasks.wait(made["task_id"])
                assert (ended["result"], ended["retry_count"]) == (3, 1)

            await work(node, asked)
            assert tries == [1, 1, 2]

    run(main())


def test_limits_are_set_and_a_refusal_shuts_them(hub: Hub, unique: Callable[[str], str]) -> None:
    async def main() -> None:
        skill, limit = unique("skill"), unique("limit")
        async with (
            admin(hub) as reef,
            reef.node(unique("node"), skills=[skill], capacity=4) as node,
        ):
            made = await reef.limits.set(limit, concurrency=1, rates=[(100, 1)], note="a test")
            assert made["rates"] == [{"count": 100, "per_ms": 1000, "unit": "tasks"}]
            assert limit in [it["name"] async for it in reef.limits.each()]
            running, most, tries = 0, 0, 0

            @node.task(name="call", lease=10)
            async def call(task: Task) -> int:
                nonlocal running, most, tries
                running, tries = running + 1, tries + 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                if tries == 1:
                    raise Busy(limit, after=0.2)
                return tries

            working = asyncio.create_task(node.run())
            under: list[NewTask] = [
                {"name": "call", "skills": [skill], "limits": [limit]} for _ in range(3)
            ]
            batch = await reef.tasks.batch(under, group={})
            group = await reef.groups.wait(batch["group_id"] or "")
            assert (group["completed"], most, tries) == (3, 1, 4)
            standing = await reef.limits.get(limit)
            assert standing["held"] == 0
            assert standing["penalised_at"] is not None
            ended = [it async for it in reef.groups.tasks(group["group_id"])]
            assert [it["retry_count"] for it in ended] == [0, 0, 0]
            working.cancel()
            await reef.limits.shut(limit, 3600)
            assert (await reef.limits.get(limit))["shut_by"] == "penalty"
            await reef.limits.remove(limit)
            with pytest.raises(NotFound):
                await reef.limits.get(limit)

    run(main())


def test_the_queue_is_paused_and_resumed(own_hub: Hub) -> None:
    with SyncReef(own_hub.url, key=own_hub.admin_key) as reef:
        assert reef.limits.pause(skills=["gpu"])["paused_skills"] == ["gpu"]
        assert reef.limits.pause()["paused"] is True
        assert reef.limits.pause(types=["batch"])["paused_types"] == ["batch"]
        nothing = {"paused": False, "paused_skills": [], "paused_types": []}
        assert reef.limits.resume() == nothing
        assert reef.limits.queue() == nothing
