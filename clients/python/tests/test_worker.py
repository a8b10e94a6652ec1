"""A node that works off the queue, while all goes well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from conftest import admin, run, until, work
from hub import Hub

from reef_agents import Reef, Reject, Retry, Task, blocks

Unique = Callable[[str], str]


def test_a_task_is_done_and_its_result_is_told(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("gpu")]) as node:

            @node.task(lease=10)
            async def render(task: Task) -> dict[str, object]:
                task.progress(0.5)
                assert (task.attempt, task.cancelled) == (1, False)
                return {"frames": task.parameters["frames"], "name": task.name}

            async def asked() -> None:
                given = await reef.tasks.submit(
                    "render", parameters={"frames": 12}, skills=[unique("gpu")]
                )
                done = await reef.tasks.wait(given["task_id"])
                assert done["status"] == "completed"
                assert done["result"] == {"frames": 12, "name": "render"}
                shown = await reef.nodes.get(node.id)
                assert shown["successful_tasks"] == 1

            await work(node, asked)
        gone = await _status(hub, unique("n"))
        assert gone == "offline"

    run(main())


async def _status(hub: Hub, node: str) -> str:
    async with admin(hub) as reef:
        return (await reef.nodes.get(node))["status"]


def test_how_a_handler_ends_is_how_its_task_ends(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task(name="retry")
            async def again(task: Task) -> int:
                if task.attempt == 1:
                    raise Retry("not yet")
                return task.attempt

            @node.task(name="reject")
            async def never(_task: Task) -> None:
                raise Reject("no such model")

            @node.task(name="raise")
            async def broken(_task: Task) -> None:
                raise RuntimeError("out of paper")

            @node.task(name="no json")
            async def unfit(_task: Task) -> object:
                return {1, 2}

            async def give(name: str, **more: int) -> tuple[str, object, str | None]:
                given = await reef.tasks.submit(name, skills=[unique("s")], **more)  # type: ignore[arg-type]
                done = await reef.tasks.wait(given["task_id"])
                return done["status"], done["result"], done["error"]

            async def asked() -> None:
                assert await give("retry") == ("completed", 2, None)
                assert await give("reject") == ("failed", None, "no such model")
                status, _, error = await give("raise", max_retries=0)
                assert (status, error) == ("failed", "RuntimeError: out of paper")
                status, _, error = await give("no json")
                assert status == "failed"
                assert error is not None
                assert error.startswith("the handler's result is no JSON")
                status, _, error = await give("unknown", max_retries=0)
                assert (status, error) == (
                    "failed",
                    "no handler on this node takes the task 'unknown'",
                )

            await work(node, asked)

    run(main())


def test_an_answer_is_streamed_while_it_is_made(hub: Hub, unique: Unique) -> None:
    words = [f"wörd{number} " for number in range(300)]

    async def main() -> None:
        async with (
            admin(hub) as reef,
            reef.node(unique("n"), skills=["simple", unique("s")]) as node,
        ):

            @node.task
            async def answer(task: Task) -> None:
                async with task.message() as out:
                    for word in words[:200]:
                        await out.write(word)
                    await out.block(blocks.code("x = 1", "python"))
                    for word in words[200:]:
                        await out.write(word)
                        await asyncio.sleep(0)

            async def asked() -> None:
                session = await reef.sessions.open(unique("chat"))
                question = await session.ask("Say much.", skills=[unique("s")])
                read = [event async for event in question.answer.stream()]
                assert "".join(event.delta for event in read) == "".join(words)
                assert read[-1].type == "message_end"
                appends = [event for event in read if event.type == "text_delta"]
                # Gathered, not one for each word.
                assert len(appends) < len(words) / 3
                message = await question.answer.get()
                assert message["text"] == "".join(words)
                codes = [it for it in message["content_blocks"] if it["content_type"] == "code"]
                assert len(codes) == 1

            await work(node, asked)

    run(main())


def test_who_is_cancelled_hears_of_it(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task(lease=2)
            async def long(task: Task) -> None:
                begun.set()
                try:
                    await asyncio.sleep(3600)
                finally:
                    assert task.cancelled
                    ended.set()

            async def asked() -> None:
                given = await reef.tasks.submit("long", skills=[unique("s")])
                await begun.wait()
                await reef.tasks.cancel(given["task_id"])
                await ended.wait()
                assert (await reef.tasks.get(given["task_id"]))["status"] == "cancelled"

            await work(node, asked)

    run(main())


def test_a_lease_is_renewed_for_as_long_as_it_takes(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task(lease=1)
            async def long(task: Task) -> int:
                # Several leases, and none of them may run out.
                await asyncio.sleep(4)
                task.raise_if_cancelled()
                return task.attempt

            async def asked() -> None:
                given = await reef.tasks.submit("long", skills=[unique("s")])
                done = await reef.tasks.wait(given["task_id"])
                assert (done["status"], done["result"], done["retry_count"]) == ("completed", 1, 0)

            await work(node, asked)

    run(main())


def test_maintenance_drains_and_the_leader_is_known(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        drained = asyncio.Event()
        async with admin(hub) as reef, reef.node(unique("n"), skills=["x"]) as node:
            node.on_drain(drained.set)
            await reef.nodes.change(node.id, status="maintenance")
            # The next heartbeat tells it.
            await drained.wait()
            assert node.draining

    run(main())


def test_stop_finishes_what_runs_and_takes_nothing_new(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()
        async with admin(hub) as reef:
            async with reef.node(unique("n"), skills=[unique("s")]) as node:

                @node.task
                async def work(_task: Task) -> str:
                    begun.set()
                    await go_on.wait()
                    return "done"

                running = asyncio.create_task(node.run(signals=False))
                first = await reef.tasks.submit("first", skills=[unique("s")])
                await begun.wait()
                node.stop()

                async def is_leaving() -> bool:
                    return (await reef.nodes.get(node.id))["status"] == "maintenance"

                await until(is_leaving)
                second = await reef.tasks.submit("second", skills=[unique("s")])
                go_on.set()
                await running
            assert (await reef.tasks.get(first["task_id"]))["status"] == "completed"
            assert (await reef.tasks.get(second["task_id"]))["status"] == "pending"

    run(main())


def test_what_takes_too_long_to_stop_goes_back_without_costing_a_try(
    hub: Hub, unique: Unique
) -> None:
    async def main() -> None:
        begun = asyncio.Event()
        async with admin(hub) as reef:
            async with reef.node(unique("n"), skills=[unique("s")]) as node:

                @node.task
                async def work(_task: Task) -> None:
                    begun.set()
                    await asyncio.sleep(3600)

                running = asyncio.create_task(node.run(signals=False, drain_timeout=0.1))
                given = await reef.tasks.submit("work", skills=[unique("s")])
                await begun.wait()
                node.stop()
                await running
            task = await reef.tasks.get(given["task_id"])
            assert (task["status"], task["retry_count"]) == ("pending", 0)

    run(main())


def test_a_node_without_skills_or_handlers_is_told_what_is_missing(
    hub: Hub, unique: Unique
) -> None:
    with pytest.raises(ValueError, match="at least one skill"):
        Reef(hub.url).node("n", skills=[])

    async def main() -> None:
        async with admin(hub) as reef, reef.node(unique("n"), skills=["x"]) as node:
            with pytest.raises(ValueError, match=r"@node\.task"):
                await node.run()

    run(main())
