"""Tasks that wait, follow others and have children."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import admin, run, until, work
from hub import PATIENCE, Hub

from reef_agents import Conflict, NewTask, NotFound, Reef, Retry, Task, ValidationFailed, Waiting
from reef_agents.sync import Reef as SyncReef
from reef_agents.sync import Task as SyncTask

Unique = Callable[[str], str]


async def _open_wait(reef: Reef, task_id: str, kind: str) -> str:
    """The id of the wait of a task, once it waits."""
    found: list[str] = []

    async def is_open() -> bool:
        waits = await reef.waits.list(task_id=task_id)
        found[:] = [it["wait_id"] for it in waits if (it["kind"], it["state"]) == (kind, "open")]
        return bool(found)

    await until(is_open)
    return found[0]


def test_a_handler_waits_several_times_and_gets_what_came(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        runs: list[object] = []
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task(lease=10)
            async def careful(task: Task) -> dict[str, object]:
                runs.append(task.checkpoint)
                try:
                    early = await task.signal("early")
                    await task.sleep(0.01)
                    task.save({"half": True})
                    decision = await task.approval("Go on?", details={"n": [1]}, options=["yes"])
                    late = await task.signal("never", timeout=0.05)
                    question = await task.approval("Still?", expires_in=0.05)
                except Exception as error:
                    # What leaves it is none, so this keeps nothing.
                    raise AssertionError("nothing went wrong") from error
                return {
                    "early": early.value,
                    "decision": [decision.decision, decision.value, decision.approved],
                    "late": late.expired,
                    "question": [question.approved, question.expired],
                    "resume": task.resume,
                }

            given = await reef.tasks.submit("careful", skills=[unique("s")], max_retries=0)
            task_id = given["task_id"]
            assert await reef.tasks.signal(task_id, "early", {"n": 1}) == 1

            async def asked() -> None:
                wait_id = await _open_wait(reef, task_id, "approval")
                wait = await reef.waits.get(wait_id)
                assert (wait["question"], wait["details"]) == ("Go on?", {"n": [1]})
                assert wait_id in [it["wait_id"] async for it in reef.waits.each()]
                # It holds no place and no lease, and is not failed.
                shown = await reef.tasks.get(task_id)
                assert (shown["status"], shown["assigned_node"]) == ("waiting", None)
                with pytest.raises(ValidationFailed):
                    await reef.waits.answer(wait_id, "approve")
                answered = await reef.waits.answer(wait_id, "yes", value=[2], comment="fine")
                assert answered["state"] == "answered"
                done = await reef.tasks.wait(task_id)
                assert (done["status"], done["retry_count"]) == ("completed", 0)
                result: Any = done["result"]
                assert result.pop("resume")["expired"]
                assert result == {
                    "early": {"n": 1},
                    "decision": ["yes", [2], False],
                    "late": True,
                    "question": [False, True],
                }
                assert (await reef.waits.wait(wait_id))["state"] == "answered"

            await work(node, asked)
        # The signal was there, so the first wait did not leave it; each other one did.
        half = {"half": True}
        assert runs == [None, None, half, half, half]

    run(main())


def test_a_decision_outlives_the_worker_that_asked(
    own_hub: Hub, tmp_path: Path, unique: Unique
) -> None:
    record = tmp_path / "record"

    def start() -> subprocess.Popen[bytes]:
        program = Path(__file__).with_name("waiting.py")
        return subprocess.Popen(
            [
                *(sys.executable, str(program), own_hub.url, own_hub.admin_key),
                *(unique("n"), unique("s"), str(record)),
            ]
        )

    async def main() -> None:
        async with admin(own_hub) as reef:
            given = await reef.tasks.submit(
                "pay", skills=[unique("s")], parameters={"amount": 120}, max_retries=0
            )
            task_id = given["task_id"]
            with start() as first:
                wait_id = await _open_wait(reef, task_id, "approval")
                first.kill()
            await reef.waits.answer(wait_id, "approve", value={"amount": 100})
            with start() as second:
                await _open_wait(reef, task_id, "signal")
                second.kill()
            own_hub.restart()
            await reef.tasks.signal(task_id, "receipt", 7)
            with start() as third:
                done = await reef.tasks.wait(task_id)
                third.terminate()
                assert third.wait(PATIENCE) == 0
            assert (done["status"], done["retry_count"]) == ("completed", 0)
            assert isinstance(done["result"], dict)
            assert (done["result"]["amount"], done["result"]["receipt"]) == (100, 7)

    run(main())
    assert record.read_text(encoding="utf-8").split() == [
        "begin",
        *("begin", "decided"),
        *("begin", "decided", "paid"),
    ]


def test_children_are_submitted_once_and_fan_in(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with (
            admin(hub) as reef,
            reef.node(unique("n"), skills=[unique("s")], capacity=20) as node,
        ):
            runs: list[str] = []

            @node.task(name="map")
            async def square(task: Task) -> int:
                if task.parameters["n"] == 3:
                    raise Retry("three is odd")
                return int(task.parameters["n"]) ** 2

            @node.task(name="sum")
            async def add(task: Task) -> dict[str, object]:
                runs.append(task.token)
                if len(runs) == 1:
                    # As if the process died between their submission and the wait.
                    task._begin = _dies  # type: ignore[assignment, method-assign]
                names: list[NewTask] = [
                    {
                        "name": "map",
                        "skills": [unique("s")],
                        "parameters": {"n": n},
                        "max_retries": 0,
                    }
                    for n in range(120)
                ]
                names[119]["after"] = [0, {"task": 1, "on": "ended"}]
                children = await task.children(names)
                assert await task.children([]) == []
                ends = await task.wait_for(children[0]["task_id"])
                statuses = [it["status"] for it in children]
                return {
                    "sum": sum(it["result"] or 0 for it in children),
                    "failed": [n for n, it in enumerate(statuses) if it == "failed"],
                    "ends": ends.all_completed,
                }

            async def asked() -> None:
                given = await reef.tasks.submit("sum", skills=[unique("s")])
                task_id = given["task_id"]

                async def has_failed() -> bool:
                    return (await reef.tasks.get(task_id))["retry_count"] == 1

                await until(has_failed)
                await reef.tasks.retry(task_id)
                done = await reef.tasks.wait(task_id)
                squares = sum(n * n for n in range(120)) - 9
                assert done["result"] == {"sum": squares, "failed": [3], "ends": True}
                group_id = f"children.{task_id}.0.0"
                group = await reef.groups.wait(group_id)
                assert (group["total"], group["failed"], group["sealed"]) == (120, 1, True)
                assert group["parent"] == task_id
                listed = [it["task_id"] async for it in reef.groups.tasks(group_id)]
                assert listed == [f"{group_id}.{n}" for n in range(120)]

            await work(node, asked)
            assert len(runs) == 3

    run(main(), PATIENCE * 2)


async def _dies(*_: object) -> None:
    raise RuntimeError("it is gone")


def test_children_of_a_task_that_is_tried_anew_are_new(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with (
            admin(hub) as reef,
            reef.node(unique("n"), skills=[unique("s")], capacity=2) as node,
        ):
            attempts: list[str] = []

            @node.task(name="child")
            async def child(task: Task) -> str:
                return task.id

            @node.task(name="parent")
            async def parent(task: Task) -> str | None:
                children = await task.children([{"name": "child", "skills": [unique("s")]}])
                attempts.append(children[0]["task_id"])
                if len(attempts) == 1:
                    raise RuntimeError("for good")
                return children[0]["result"]  # type: ignore[no-any-return]

            async def asked() -> None:
                given = await reef.tasks.submit("parent", skills=[unique("s")], max_retries=0)
                task_id = given["task_id"]
                assert (await reef.tasks.wait(task_id))["status"] == "failed"
                await reef.tasks.retry(task_id)
                done = await reef.tasks.wait(task_id)
                assert done["result"] == f"children.{task_id}.0.1.0"
                assert attempts == [f"children.{task_id}.0.{life}.0" for life in (0, 1)]

            await work(node, asked)

    run(main())


def test_a_flow_hands_results_on_and_is_cancelled_as_a_whole(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        skills = [unique("s")]
        async with admin(hub) as reef, reef.node(unique("n"), skills=skills) as node:

            @node.task(name="first")
            async def first(_task: Task) -> str:
                return "one"

            @node.task(name="last")
            async def last(task: Task) -> object:
                return task.inputs

            async def asked() -> None:
                flow = await reef.tasks.batch(
                    [
                        {"name": "first", "skills": skills},
                        {"name": "last", "skills": skills, "after": [0]},
                    ],
                    group={"name": "flow", "on_end": {"name": "last", "skills": skills}},
                )
                group_id, (one, two), end = flow["group_id"], flow["tasks"], flow["on_end"]
                assert group_id is not None
                assert end is not None
                done = await reef.tasks.wait(end["task_id"])
                assert done["result"] == [{"group_id": group_id, "status": "completed"}]
                done = await reef.tasks.get(two["task_id"])
                assert done["result"] == [
                    {"task_id": one["task_id"], "status": "completed", "result": "one"}
                ]
                group = await reef.groups.get(group_id)
                assert (group["status"], group["completed"], group["name"]) == (
                    *("completed", 2),
                    "flow",
                )

            await work(node, asked)
        async with admin(hub) as reef:
            held: list[NewTask] = [
                {"name": "a", "skills": skills},
                {"name": "b", "skills": skills, "after": [{"task": 0, "on": "failed"}]},
                {"name": "c", "skills": skills, "approval": "Do it?"},
            ]
            flow = await reef.tasks.batch(held, group={"sealed": False})
            group_id = flow["group_id"]
            assert group_id is not None
            assert [it["status"] for it in flow["tasks"]] == ["pending", "waiting", "waiting"]
            late = await reef.tasks.submit("d", skills=skills, group_id=group_id)
            assert late["group_id"] == group_id
            assert await reef.groups.cancel(group_id) == 4
            assert (await reef.groups.wait(group_id))["cancelled"] == 4
            assert await reef.groups.retry(group_id) == 4
            assert (await reef.groups.get(group_id))["open"] == 4
            await reef.groups.cancel(group_id)
            with pytest.raises(NotFound):
                await reef.groups.get(unique("none"))
            with pytest.raises(TypeError, match="no skils"):
                await reef.tasks.batch([{"name": "x", "skils": []}])  # type: ignore[typeddict-unknown-key]

    run(main())


def test_a_question_comes_before_the_work(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task
            async def delete(task: Task) -> object:
                assert task.decision is not None
                # What was decided first is there after other waits, too.
                await task.sleep(0.01)
                taken = await task.signals()
                return [task.decision.decision, [it["payload"] for it in taken]]

            async def asked() -> None:
                given = await reef.tasks.submit(
                    "delete",
                    skills=[unique("s")],
                    approval={"question": "Delete it?", "options": {"yes": "Yes, all of it"}},
                )
                assert given["status"] == "waiting"
                wait_id = await _open_wait(reef, given["task_id"], "approval")
                await reef.tasks.signal(given["task_id"], "note", 1)
                await reef.waits.answer(wait_id, "yes")
                done = await reef.tasks.wait(given["task_id"])
                assert done["result"] == ["yes", [1]]
                with pytest.raises(Conflict):
                    await reef.waits.answer(wait_id, "no")

            await work(node, asked)

    run(main())


def test_a_handler_that_waits_otherwise_than_before_is_told(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        runs: list[str] = []
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task
            async def fickle(task: Task) -> None:
                runs.append(task.id)
                if len(runs) == 1:
                    await task.sleep(0.01)
                await task.signal("x")

            async def asked() -> None:
                given = await reef.tasks.submit("fickle", skills=[unique("s")])
                done = await reef.tasks.wait(given["task_id"])
                assert done["status"] == "failed"
                assert done["error"] == (
                    "the handler waits otherwise than before: wait 1 was for sleep, "
                    "and is for signal x"
                )

            await work(node, asked)

    run(main())


def test_what_keeps_the_exception_reports_nothing(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        left = asyncio.Event()
        async with admin(hub) as reef, reef.node(unique("n"), skills=[unique("s")]) as node:

            @node.task
            async def stubborn(task: Task) -> str:
                with suppress(Waiting):
                    signal = await task.signal("go")
                    return str(signal.value)
                assert task.lease_is_over
                with pytest.raises(Waiting):
                    await task.sleep(1)
                left.set()
                return "too early"

            async def asked() -> None:
                given = await reef.tasks.submit("stubborn", skills=[unique("s")], max_retries=0)
                await left.wait()
                # The next one runs, so that the first has been left for good.
                other = await reef.tasks.submit("stubborn", skills=[unique("s")])
                await reef.tasks.signal(other["task_id"], "go", "other")
                assert (await reef.tasks.wait(other["task_id"]))["result"] == "other"
                assert (await reef.tasks.get(given["task_id"]))["status"] == "waiting"
                await reef.tasks.signal(given["task_id"], "go", "gone")
                done = await reef.tasks.wait(given["task_id"])
                assert (done["result"], done["retry_count"]) == ("gone", 0)

            await work(node, asked)

    run(main())


def test_a_plain_function_waits_as_well(hub: Hub, unique: Unique) -> None:
    with (
        SyncReef(hub.url, key=hub.admin_key) as reef,
        reef.node(unique("n"), skills=[unique("s")]) as node,
    ):

        @node.task
        def work(task: SyncTask) -> object:
            runs = (task.checkpoint or 0) + 1
            task.save(runs)
            task.sleep(0.01)
            signal = task.signal("go")
            children = task.children([{"name": "child", "skills": [unique("s")]}])
            return [runs, signal.value, children[0]["result"]]

        @node.task(name="child")
        def child(_task: SyncTask) -> str:
            return "child"

        given = reef.tasks.submit("work", skills=[unique("s")], max_retries=0)
        reef.tasks.signal(given["task_id"], "go", "now")
        running = threading.Thread(target=node.run)
        running.start()
        done = reef.tasks.wait(given["task_id"])
        node.stop()
        running.join(PATIENCE)
        assert (done["status"], done["result"]) == ("completed", [3, "now", "child"])
