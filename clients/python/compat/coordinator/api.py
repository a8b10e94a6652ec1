"""The coordinator's ``APIServer``: the hub is the server, so that it only has to be there."""

from __future__ import annotations

from common.config import Config
from reef_behind import hub

from coordinator.heartbeat_monitor import HeartbeatMonitor
from coordinator.node_service import NodeRegistrationService


class APIServer:
    """The hub, looked at from here."""

    def __init__(
        self,
        node_service: NodeRegistrationService,
        heartbeat_monitor: HeartbeatMonitor,
        config: Config,
    ) -> None:
        """Nothing is asked yet."""
        self.node_service = node_service
        self.heartbeat_monitor = heartbeat_monitor
        self.config = config

    async def start(self) -> None:
        """Makes sure that a hub answers; it serves the routes of the older service."""
        if not await hub().cluster.is_ready():
            raise RuntimeError(f"no hub answers at {hub().url}: start one with `reef up`")

    async def stop(self) -> None:
        """The hub goes on."""
