"""What is killed, paused and restarted: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import admin, run, until
from hub import PATIENCE, Hub, Redis

from reef_agents import Fenced, Reef, Task

Unique = Callable[[str], str]


class Worker:
    """A worker's process, and what it has written down."""

    def __init__(self, hub: Hub, folder: Path, name: str, skill: str) -> None:
        self._record = folder / f"{name}.record"
        self._record.touch()
        program = Path(__file__).with_name("killable.py")
        arguments = [hub.url, hub.admin_key, name, skill, str(self._record)]
        self.process = subprocess.Popen([sys.executable, str(program), *arguments])

    def record(self, what: str) -> list[str]:
        """The tokens of what it began, ended or stopped."""
        lines = self._record.read_text(encoding="utf-8").splitlines()
        return [line.split()[3] for line in lines if line.startswith(f"{what} ")]

    def has(self, what: str, count: int = 1) -> Callable[[], asyncio.Future[bool]]:
        """Whether it has written that down so often."""

        def told() -> asyncio.Future[bool]:
            answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            answer.set_result(len(self.record(what)) >= count)
            return answer

        return told

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


def test_a_killed_workers_task_is_done_by_the_next(
    hub: Hub, tmp_path: Path, unique: Unique
) -> None:
    async def main() -> None:
        with ExitStack() as workers:
            async with admin(hub) as reef:
                first = workers.enter_context(Worker(hub, tmp_path, unique("a"), unique("s")))
                given = await reef.tasks.submit(
                    "w", skills=[unique("s")], parameters={"seconds": 3600}
                )
                await until(first.has("begin"))
                first.process.send_signal(signal.SIGKILL)
                second = workers.enter_context(Worker(hub, tmp_path, unique("b"), unique("s")))
                done = await reef.tasks.wait(given["task_id"])
                assert (done["status"], done["result"]) == ("completed", {"by": unique("b")})
                assert done["retry_count"] == 1
                assert (first.record("end"), len(second.record("end"))) == ([], 1)

    run(main())


def test_a_paused_workers_outcome_is_refused(hub: Hub, tmp_path: Path, unique: Unique) -> None:
    async def main() -> None:
        with ExitStack() as workers:
            async with admin(hub) as reef:
                first = workers.enter_context(Worker(hub, tmp_path, unique("a"), unique("s")))
                given = await reef.tasks.submit(
                    "w", skills=[unique("s")], parameters={"seconds": 3600}
                )
                await until(first.has("begin"))
                first.process.send_signal(signal.SIGSTOP)
                second = workers.enter_context(Worker(hub, tmp_path, unique("b"), unique("s")))
                done = await reef.tasks.wait(given["task_id"])
                assert done["result"] == {"by": unique("b")}
                # Awake again it knows by its own clock that the lease is over.
                first.process.send_signal(signal.SIGCONT)
                await until(first.has("stopped"))
                [stale] = first.record("begin")
                with pytest.raises(Fenced):
                    await reef.request(
                        "POST",
                        f"/api/v1/tasks/{given['task_id']}/complete",
                        json={"token": stale, "result": "stale"},
                    )
                assert (await reef.tasks.get(given["task_id"]))["result"] == {"by": unique("b")}
                assert (first.record("end"), len(second.record("end"))) == ([], 1)
                # It goes on working.
                second.process.send_signal(signal.SIGTERM)
                second.process.wait(PATIENCE)
                more = await reef.tasks.submit("w", skills=[unique("s")], parameters={"seconds": 0})
                done = await reef.tasks.wait(more["task_id"])
                assert done["result"] == {"by": unique("a")}

    run(main())


async def _work_through(reef: Reef, count: int, disturb: Callable[[], None]) -> None:
    """Has tasks done while something is disturbed twice, and looks at the record of each."""
    halfway = asyncio.Event()
    done: list[str] = []
    async with reef.node("steady", skills=["s"], capacity=4) as node:

        @node.task(lease=60)
        async def work(task: Task) -> int:
            done.append(task.id)
            if len(done) % (count // 3) == 0:
                halfway.set()
            await asyncio.sleep(0.02)
            number: int = task.parameters["number"]
            return number

        given = [
            await reef.tasks.submit("w", skills=["s"], parameters={"number": number})
            for number in range(count)
        ]
        running = asyncio.create_task(node.run(signals=False))
        for _ in range(2):
            await halfway.wait()
            halfway.clear()
            # Blocks this loop, too: nothing is answered meanwhile, and nothing may be lost by it.
            await asyncio.to_thread(disturb)
        for number, task in enumerate(given):
            ended = await reef.tasks.wait(task["task_id"])
            assert (ended["status"], ended["result"]) == ("completed", number)
            assert ended["retry_count"] == 0
        node.stop()
        await running
    # Each was begun once: no claim was lost on the way.
    assert sorted(done) == sorted(task["task_id"] for task in given)


def test_a_hub_that_is_killed_costs_nothing(own_hub: Hub) -> None:
    async def main() -> None:
        async with admin(own_hub) as reef:
            await _work_through(reef, 60, own_hub.restart)

    run(main())


def test_a_redis_that_is_killed_costs_nothing(own_redis: Redis, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "state", "--redis-url", own_redis.url)
    hub.start()

    def restart() -> None:
        own_redis.kill()
        own_redis.start()

    async def main() -> None:
        async with admin(hub) as reef:
            await _work_through(reef, 60, restart)

    try:
        run(main())
    finally:
        hub.stop()


def test_a_stream_over_three_restarts_of_the_hub_is_exact(own_hub: Hub) -> None:
    words = [f"{number}:{'äöü𝄞 x'[number % 6]} " for number in range(400)]

    async def main() -> None:
        read: list[str] = []
        async with admin(own_hub) as reef:
            session = await reef.sessions.open("s")
            answer = (await session.send("Tell all.")).answer

            async def follow() -> None:
                async for event in answer.stream():
                    read.append(event.delta)

            following = asyncio.create_task(follow())
            async with answer.writer() as out:
                for number, word in enumerate(words):
                    await out.write(word)
                    if number % 100 == 50 and number < 350:
                        await asyncio.to_thread(
                            own_hub.restart, (signal.SIGKILL, signal.SIGTERM)[number // 100 % 2]
                        )
                    if number % 10 == 0:
                        await out.flush()
            await answer.complete()
            await following
            assert "".join(read) == "".join(words)
            # It was read piece by piece, not once from a snapshot at the end.
            assert len([delta for delta in read if delta]) > 20

    run(main())


def test_a_node_that_the_hub_has_forgotten_comes_back(own_hub: Hub) -> None:
    async def main() -> None:
        async with admin(own_hub) as reef, reef.node("n", skills=["s"]) as node:

            @node.task
            async def work(_task: Task) -> str:
                return "done"

            running = asyncio.create_task(node.run(signals=False))
            await reef.nodes.remove("n")
            given = await reef.tasks.submit("w", skills=["s"])
            done = await reef.tasks.wait(given["task_id"])
            assert done["status"] == "completed"
            node.stop()
            await running

    run(main())


def test_sigterm_lets_what_runs_end(hub: Hub, tmp_path: Path, unique: Unique) -> None:
    async def main() -> None:
        with Worker(hub, tmp_path, unique("a"), unique("s")) as worker:
            async with admin(hub) as reef:
                given = await reef.tasks.submit(
                    "w", skills=[unique("s")], parameters={"seconds": 1}
                )
                await until(worker.has("begin"))
                worker.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(worker.process.wait, PATIENCE) == os.EX_OK
                done = await reef.tasks.get(given["task_id"])
                assert (done["status"], done["retry_count"]) == ("completed", 0)
                assert (await reef.nodes.get(unique("a")))["status"] == "offline"

    run(main())
