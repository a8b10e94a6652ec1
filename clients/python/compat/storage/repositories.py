"""The coordinator's repositories: tasks and nodes, by their older calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from common.models import NodeInfo, NodeStatus, Task, TaskStatus
from reef_behind import ask, hub, tried

from reef_agents import ReefError
from storage.database import Database

#: A lease for who assigns by hand and sends no renewals: as long as the hub allows.
_LEASE_MS = 3_600_000


class TaskRepository:
    """Tasks of the hub's queue."""

    #: The tokens of claims that were made here, by task: whoever assigns by hand holds them.
    _tokens: dict[str, str] = {}  # noqa: RUF012 - shared, as the file of the database was

    def __init__(self, database: Database) -> None:
        """Of the hub."""
        self.database = database

    async def create(self, task: Task) -> bool:
        """Queues it under its own id."""
        if not task.required_skills:
            return False
        body: dict[str, Any] = {
            "task_id": task.task_id,
            "task_type": task.task_type.value,
            "name": task.name,
            "description": task.description,
            "required_skills": task.required_skills,
            "optional_skills": task.optional_skills or [],
            "priority": task.priority.value,
            "parameters": task.parameters,
            "timeout": task.timeout,
            "max_retries": task.max_retries,
            "user_id": task.user_id,
            "affinity_tags": task.affinity_tags or [],
            "metadata": task.metadata,
        }
        return await tried("POST", "/tasks", json=body)

    async def get(self, task_id: str) -> Task | None:
        """One task."""
        try:
            return Task.from_hub(await hub().tasks.get(task_id))
        except ReefError:
            return None

    async def update(self, task: Task) -> bool:
        """What a task's status says is to be done with it; ``False`` for what a queue cannot do.

        SCHEDULED claims it for its node, RUNNING renews that claim, COMPLETED, FAILED and
        CANCELLED end it. Nothing else of a task changes once it is queued.
        """
        token = self._tokens.get(task.task_id)
        path = f"/tasks/{task.task_id}"
        if task.status is TaskStatus.SCHEDULED:
            return await self._assign(task)
        if task.status is TaskStatus.CANCELLED:
            return await tried("POST", f"{path}/cancel")
        if token is None:
            return task.status is TaskStatus.PENDING and await self.get(task.task_id) is not None
        if task.status is TaskStatus.RUNNING:
            return await tried("POST", f"{path}/progress", json={"token": token})
        if task.status is TaskStatus.COMPLETED:
            body = {"token": token, "result": task.result}
            return await tried("POST", f"{path}/complete", json=body)
        if task.status in (TaskStatus.FAILED, TaskStatus.TIMEOUT):
            body = {"token": token, "error": task.error, "retryable": False}
            return await tried("POST", f"{path}/fail", json=body)
        return False

    async def _assign(self, task: Task) -> bool:
        body = {"node_id": task.assigned_node, "task_id": task.task_id}
        try:
            answer = await ask("POST", "/tasks/claim", json=body)
        except ReefError:
            return False
        for claimed in answer["tasks"]:
            if claimed["task_id"] == task.task_id:
                self._tokens[task.task_id] = claimed["token"]
                longer = {"token": claimed["token"], "lease_ms": _LEASE_MS}
                return await tried("POST", f"/tasks/{task.task_id}/progress", json=longer)
        return False

    async def delete(self, task_id: str) -> bool:
        """Removes it; one that has not ended is cancelled first."""
        await tried("POST", f"/tasks/{task_id}/cancel")
        await tried("DELETE", f"/tasks/{task_id}")
        # Whether there was one, the older call did not tell.
        return True

    async def _list(self, limit: int | None, **query: Any) -> list[Task]:
        told = await ask("GET", "/tasks", query={**query, "limit": limit})
        return [Task.from_hub(task) for task in told]

    async def list_by_status(self, status: TaskStatus, limit: int | None = None) -> list[Task]:
        """Newest first."""
        return await self._list(limit, status=status.value)

    async def list_by_node(self, node_id: str) -> list[Task]:
        """Those that a node runs or has ended."""
        return await self._list(None, assigned_node=node_id)

    async def list_by_user(self, user_id: str, limit: int = 100) -> list[Task]:
        """Newest first."""
        return await self._list(limit, user_id=user_id)

    async def list_pending_tasks(self, limit: int = 50) -> list[Task]:
        """Those that wait, in the order in which they will be given out."""
        return [Task.from_hub(task) for task in await hub().tasks.pending(limit=limit)]

    async def count_by_status(self, status: TaskStatus | None = None) -> int:
        """How many there are."""
        counts: dict[str, Any] = dict(await hub().tasks.stats())
        return int(counts["total" if status is None else status.value])

    async def cleanup_old_tasks(self, days: int = 30) -> int:
        """Removes what ended longer ago."""
        return await hub().tasks.clean_up(days)


class NodeRepository:
    """Nodes of the hub."""

    def __init__(self, database: Database) -> None:
        """Of the hub."""
        self.database = database

    async def create(self, node: NodeInfo) -> bool:
        """Registers it, in the state that it says."""
        body = {
            "hostname": node.hostname,
            "node_id": node.node_id,
            "platform": node.platform,
            "arch": node.arch,
            "available_skills": node.available_skills,
            "ip_address": node.ip_address,
            "tailscale_ip": node.tailscale_ip,
            "port": node.port,
            "max_concurrent_tasks": node.max_concurrent_tasks,
            "tags": node.tags,
        }
        if not await tried("POST", "/nodes/register", json=body):
            return False
        if node.status is NodeStatus.ONLINE:
            return True
        return await self.update_status(node.node_id, node.status)

    async def get(self, node_id: str) -> NodeInfo | None:
        """One node."""
        try:
            return NodeInfo.from_hub(await hub().nodes.get(node_id))
        except ReefError:
            return None

    async def update(self, node: NodeInfo) -> bool:
        """Changes state, skills, tags and capacity."""
        body = {
            "status": node.status.value,
            "available_skills": node.available_skills,
            "tags": node.tags,
            "max_concurrent_tasks": node.max_concurrent_tasks,
        }
        return await tried("PATCH", f"/nodes/{node.node_id}", json=body)

    async def delete(self, node_id: str) -> bool:
        """Has it forgotten."""
        await tried("DELETE", f"/nodes/{node_id}")
        return True

    async def list_by_status(self, status: NodeStatus) -> list[NodeInfo]:
        """Newest registration first."""
        return [NodeInfo.from_hub(node) for node in await hub().nodes.list(status=status.value)]

    async def list_online_nodes(self) -> list[NodeInfo]:
        """Those online."""
        return [NodeInfo.from_hub(node) for node in await hub().nodes.online()]

    async def get_all_nodes(self) -> list[NodeInfo]:
        """All."""
        return [NodeInfo.from_hub(node) for node in await hub().nodes.list()]

    async def get_available_nodes(self) -> list[NodeInfo]:
        """Those with room, the least loaded first."""
        return [NodeInfo.from_hub(node) for node in await hub().nodes.available()]

    async def find_by_skill(self, skill: str) -> list[NodeInfo]:
        """Those online that have exactly this skill."""
        return [NodeInfo.from_hub(node) for node in await hub().nodes.with_skill(skill)]

    async def update_heartbeat(self, node_id: str) -> bool:
        """Notes that it is alive."""
        return await tried("POST", f"/nodes/{node_id}/heartbeat", json={})

    async def update_status(self, node_id: str, status: NodeStatus) -> bool:
        """Changes its state."""
        return await tried("PATCH", f"/nodes/{node_id}", json={"status": status.value})

    async def find_stale_nodes(self, timeout_seconds: int = 120) -> list[NodeInfo]:
        """Those that were silent for longer, and are not marked as offline yet."""
        before = datetime.now() - timedelta(seconds=timeout_seconds)
        return [
            node
            for status in (NodeStatus.ONLINE, NodeStatus.BUSY)
            for node in await self.list_by_status(status)
            if node.last_heartbeat is not None and node.last_heartbeat < before
        ]
