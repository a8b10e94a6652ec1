"""The coordinator's ``StateManager``. It keeps no copy: each question goes to the hub."""

from __future__ import annotations

from common.models import ClusterState, NodeInfo, NodeStatus, Task
from reef_behind import hub, moment

from storage.database import Database
from storage.repositories import NodeRepository, TaskRepository


class StateManager:
    """Nodes and tasks together."""

    def __init__(self, database: Database, auto_sync_interval: int = 30) -> None:
        """There is nothing to be synchronised."""
        self.database = database
        self.auto_sync_interval = auto_sync_interval
        self.nodes = NodeRepository(database)
        self.tasks = TaskRepository(database)
        self.is_initialized = False
        self.version = 0

    async def initialize(self) -> None:
        """Makes sure that a hub answers."""
        await self.database.initialize()
        self.is_initialized = True
        await self.get_state()

    async def shutdown(self) -> None:
        """All is with the hub already."""
        await self.database.close()
        self.is_initialized = False

    async def add_node(self, node: NodeInfo, persist: bool = True) -> bool:
        """Registers it."""
        return await self.nodes.create(node)

    async def get_node(self, node_id: str) -> NodeInfo | None:
        """One node."""
        return await self.nodes.get(node_id)

    async def update_node(self, node: NodeInfo, persist: bool = True) -> bool:
        """Changes it."""
        return await self.nodes.update(node)

    async def remove_node(self, node_id: str, persist: bool = True) -> bool:
        """Has it forgotten."""
        return await self.nodes.delete(node_id)

    async def update_node_status(
        self, node_id: str, status: NodeStatus, persist: bool = True
    ) -> bool:
        """Changes its state."""
        return await self.nodes.update_status(node_id, status)

    async def update_heartbeat(self, node_id: str) -> bool:
        """Notes that it is alive."""
        return await self.nodes.update_heartbeat(node_id)

    async def get_online_nodes(self) -> list[NodeInfo]:
        """Those online."""
        return await self.nodes.list_online_nodes()

    async def get_available_nodes(self) -> list[NodeInfo]:
        """Those with room."""
        return await self.nodes.get_available_nodes()

    async def find_nodes_by_skill(self, skill: str) -> list[NodeInfo]:
        """Those that have a skill."""
        return await self.nodes.find_by_skill(skill)

    async def add_task(self, task: Task, persist: bool = True) -> bool:
        """Queues it."""
        return await self.tasks.create(task)

    async def get_task(self, task_id: str) -> Task | None:
        """One task."""
        return await self.tasks.get(task_id)

    async def update_task(self, task: Task, persist: bool = True) -> bool:
        """See :meth:`TaskRepository.update`."""
        return await self.tasks.update(task)

    async def remove_task(self, task_id: str, persist: bool = True) -> bool:
        """Removes it."""
        return await self.tasks.delete(task_id)

    async def get_pending_tasks(self, limit: int = 50) -> list[Task]:
        """Those that wait."""
        return await self.tasks.list_pending_tasks(limit)

    async def get_state(self) -> ClusterState:
        """Counts, all nodes, and the tasks that have not ended."""
        told = await hub().cluster.state()
        self.version = told["version"]
        nodes = await self.nodes.get_all_nodes()
        tasks = await self.tasks.list_pending_tasks(limit=1000)
        return ClusterState(
            version=told["version"],
            updated_at=moment(told["updated_at"]),
            nodes={node.node_id: node for node in nodes},
            tasks={task.task_id: task for task in tasks},
            total_nodes=told["total_nodes"],
            online_nodes=told["online_nodes"],
            total_tasks=told["total_tasks"],
            running_tasks=told["running_tasks"],
        )

    async def get_task_stats(self) -> dict[str, int]:
        """Counts by status."""
        counts = await hub().tasks.stats()
        return {
            "total": counts["total"],
            "pending": counts["pending"],
            "scheduled": counts["scheduled"],
            "running": counts["running"],
            "completed": counts["completed"],
            "failed": counts["failed"],
        }

    async def check_stale_nodes(self, timeout_seconds: int = 120) -> list[str]:
        """Marks as offline who was silent for longer; their ids. For admins."""
        answer = await hub().cluster.check_heartbeats(timeout_seconds)
        return [node["node_id"] for node in answer["timeout_nodes"]]

    async def sync_to_database(self) -> None:
        """All is with the hub already."""

    async def refresh_from_database(self) -> None:
        """Each question goes to the hub."""
