"""The coordinator, and its storage."""

from __future__ import annotations

import re

from common.models import NodeInfo, NodeStatus, Task
from reef_behind import hub
from storage.repositories import TaskRepository

from . import DIFFERS, Run, just_run, sample


@sample("coordinator", 2, "`HeartbeatClient`")
async def _(run: Run, key: tuple[str, int]) -> None:
    await run.do(key)
    # The sample has ended it.
    assert (await hub().nodes.get("worker-001"))["status"] == "offline"


def _has(kind: type, code: str) -> None:
    """Whether a class has all that its listing names."""
    named = set(re.findall(r"^ +(\w+) *[:=]", code, re.MULTILINE))
    assert named
    assert named <= set(getattr(kind, "__dataclass_fields__", None) or vars(kind))


@sample("coordinator", 3, "the fields of `NodeInfo`")
async def _(run: Run, key: tuple[str, int]) -> None:
    _has(NodeInfo, run.codes[key])


@sample("coordinator", 4, "the states of a node")
async def _(run: Run, key: tuple[str, int]) -> None:
    _has(NodeStatus, run.codes[key])


@sample(
    "coordinator",
    5,
    "the coordinator, started",
    DIFFERS,
    "`APIServer.start` looks whether a hub answers; how long silence may last, the hub says",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key)
    made = await names["node_service"].register_node("w1", "linux", "x64", ["python"])
    assert made["registered"]
    assert (await names["heartbeat_monitor"].get_node_health_status(made["node_id"]))["healthy"]
    await names["heartbeat_monitor"].stop()


@sample("coordinator", 6, "httpx: a node registers")
async def _(run: Run, key: tuple[str, int]) -> None:
    await (await run.do(key))["register_worker"]()
    assert [node["hostname"] for node in await hub().nodes.list()].count("worker-01") == 1


@sample("coordinator", 7, "httpx: nodes, those online, those with a skill")
async def _(run: Run, key: tuple[str, int]) -> None:
    await (await run.do(key))["query_nodes"]()


@sample("coordinator", 8, "httpx: a heartbeat")
async def _(run: Run, key: tuple[str, int]) -> None:
    node = next(it for it in await hub().nodes.list() if it["hostname"] == "worker-01")
    await (await run.do(key))["send_heartbeat"](node["node_id"])
    assert (await hub().nodes.get(node["node_id"]))["cpu_usage"] == 45.5


@sample("storage", 1, "the fields of `Task`")
async def _(run: Run, key: tuple[str, int]) -> None:
    _has(Task, run.codes[key])


@sample("storage", 2, "the fields of `NodeInfo`")
async def _(run: Run, key: tuple[str, int]) -> None:
    _has(NodeInfo, run.codes[key])


@sample("storage", 3, "`StateManager` over `Database`")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key)
    run.left |= {name: names[name] for name in ("db", "state_manager", "Database", "StateManager")}


@sample("storage", 4, "nodes: add, get, change, those online, those with room")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key)
    assert names["node"].node_id == "worker_001"
    assert "worker_001" not in [node.node_id for node in names["available_nodes"]]
    # The sample leaves it busy.
    await run.left["state_manager"].update_node_status("worker_001", NodeStatus.ONLINE)


@sample(
    "storage",
    5,
    "tasks: make, assign by hand, run",
    DIFFERS,
    "`SCHEDULED` claims the task for its node for an hour, and the hub calls it running at once",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key)
    task, manager = names["task"], run.left["state_manager"]
    now = await manager.get_task(task.task_id)
    assert (now.status.value, now.assigned_node) == ("running", "worker_001")
    task.status, task.result = names["TaskStatus"].COMPLETED, {"rows": 3}
    assert await manager.update_task(task)
    assert (await manager.get_task(task.task_id)).result == {"rows": 3}
    run.left["task"] = task


@sample("storage", 6, "the cluster's state; one task, one node")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key)
    assert names["state"].total_tasks >= 1
    assert (names["task"], names["node"]) == (None, None)


@sample("storage", 7, "nodes that went silent")
async def _(run: Run, key: tuple[str, int]) -> None:
    assert (await run.do(key))["stale_nodes"] == []


@sample("storage", 11, "an error that is caught")
async def _(run: Run, key: tuple[str, int]) -> None:
    task = Task.create(run.left["task"].task_type, "n", "d", required_skills=["python"])
    await run.do(key, task=task)
    assert await run.left["state_manager"].get_task(task.task_id) is not None


@sample(
    "storage",
    12,
    "`backup`",
    DIFFERS,
    "the program `reef` on the hub's machine makes it; without it, and for a Redis that is not "
    "the hub's own, it is `False`",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    await run.do(key)


@sample("storage", 13, "`vacuum`", DIFFERS, "there is nothing to do")
async def _(run: Run, key: tuple[str, int]) -> None:
    await run.do(key)


@sample("storage", 14, "old tasks, removed")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key, TaskRepository=TaskRepository)
    assert names["deleted_count"] == 0


@sample("storage", 15, "the options of `StateManager`")
async def _(run: Run, key: tuple[str, int]) -> None:
    await run.do(key, database=run.left["db"])


sample("storage", 16, "the options of `Database`")(just_run)
sample("storage", 8, "`shutdown`")(just_run)
