"""The coordinator's ``HeartbeatMonitor``. The hub watches; this tells what it has seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from common.models import NodeInfo
from reef_behind import hub, tried
from storage.database import Database
from storage.repositories import NodeRepository

from reef_agents import ReefError


class HeartbeatMonitor:
    """Heartbeats, health, and alerts."""

    def __init__(
        self, database: Database, heartbeat_timeout: int = 90, check_interval: int = 30
    ) -> None:
        """How long silence may last, the hub decides (``heartbeat_timeout_seconds``)."""
        self._nodes = NodeRepository(database)
        self.heartbeat_timeout = heartbeat_timeout
        self.check_interval = check_interval
        self._callbacks: list[Callable[[NodeInfo], object]] = []
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to call the callbacks when a node goes offline."""
        if self._following is None:
            latest = (await hub().cluster.events(limit=1000))["next"]
            self._following = asyncio.create_task(self._follow(latest))

    async def stop(self) -> None:
        """Ends that."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self, after: str) -> None:
        async for event in hub().cluster.stream(after=after):
            if event.type == "node_offline":
                node = await self._nodes.get(event.payload["node_id"])
                if node is not None:
                    for callback in self._callbacks:
                        callback(node)

    def add_alert_callback(self, callback: Callable[[NodeInfo], object]) -> None:
        """Has a function called with each node that goes offline."""
        self._callbacks.append(callback)

    def remove_alert_callback(self, callback: Callable[[NodeInfo], object]) -> None:
        """No longer."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    async def check_heartbeat(self) -> dict[str, Any]:
        """Marks as offline who was silent for longer. With an own timeout it is for admins."""
        return dict(await hub().cluster.check_heartbeats(self.heartbeat_timeout))

    async def update_node_heartbeat(
        self,
        node_id: str,
        cpu_usage: float = 0.0,
        memory_usage: float = 0.0,
        disk_usage: float = 0.0,
        running_tasks: int = 0,
    ) -> bool:
        """Sends a heartbeat."""
        body = {
            "cpu_usage": cpu_usage,
            "memory_usage": memory_usage,
            "disk_usage": disk_usage,
            "running_tasks": running_tasks,
        }
        return await tried("POST", f"/nodes/{node_id}/heartbeat", json=body)

    async def get_node_health_status(self, node_id: str) -> dict[str, Any]:
        """Whether a node is well; ``not_found`` for one that there is not."""
        try:
            return dict(await hub().nodes.health(node_id))
        except ReefError as refused:
            return {
                "node_id": node_id,
                "healthy": False,
                "status": "not_found",
                "message": refused.detail,
            }

    async def get_cluster_health_summary(self) -> dict[str, Any]:
        """Nodes by status, and capacity."""
        return dict(await hub().cluster.health())
