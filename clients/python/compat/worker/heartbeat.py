"""The coordinator's ``HeartbeatClient``."""

from __future__ import annotations

from common.config import Config
from reef_behind import hub

from reef_agents import Node


class HeartbeatClient:
    """Registers a node and sends its heartbeats until it is stopped."""

    def __init__(
        self,
        config: Config,
        coordinator_url: str,
        node_id: str,
        available_skills: list[str] | None = None,
    ) -> None:
        """The pace of heartbeats is the hub's to say."""
        self.config = config
        self.coordinator_url = coordinator_url
        self.node_id = node_id
        self.available_skills = list(available_skills or ["general"])
        self._node: Node | None = None

    async def start(self) -> None:
        """Registers it."""
        if self._node is None:
            node = hub(self.coordinator_url).node(
                self.node_id,
                skills=self.available_skills,
                capacity=self.config.worker.max_concurrent_tasks,
            )
            self._node = await node.__aenter__()
            self.node_id = node.id

    async def stop(self) -> None:
        """Signs it off."""
        node, self._node = self._node, None
        if node is not None:
            await node.__aexit__(None, None, None)
