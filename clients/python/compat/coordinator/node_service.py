"""The coordinator's ``NodeRegistrationService``."""

from __future__ import annotations

from typing import Any

from common.models import NodeInfo
from reef_behind import ask
from storage.database import Database
from storage.repositories import NodeRepository

from reef_agents import ReefError


class NodeRegistrationService:
    """Registers and finds nodes."""

    def __init__(self, database: Database) -> None:
        """Of the hub."""
        self._nodes = NodeRepository(database)

    async def register_node(
        self,
        hostname: str,
        platform: str,
        arch: str,
        available_skills: list[str],
        ip_address: str = "",
        tailscale_ip: str = "",
        port: int = 18789,
        max_concurrent_tasks: int = 5,
        tags: list[str] | None = None,
        node_id: str | None = None,
    ) -> dict[str, Any]:
        """What the hub answers; a refusal has ``success: False`` and says why."""
        body = {
            "hostname": hostname,
            "platform": platform,
            "arch": arch,
            "available_skills": available_skills,
            "ip_address": ip_address,
            "tailscale_ip": tailscale_ip,
            "port": port,
            "max_concurrent_tasks": max_concurrent_tasks,
            "tags": tags,
            "node_id": node_id,
        }
        try:
            answer: dict[str, Any] = await ask("POST", "/nodes/register", json=body)
        except ReefError as refused:
            message = f"参数验证失败: {refused.detail}"
            return {"success": False, "node_id": None, "message": message, "registered": False}
        answer["node_info"] = NodeInfo.from_hub(answer["node_info"])
        return answer

    async def unregister_node(self, node_id: str) -> bool:
        """Has it forgotten."""
        return await self._nodes.delete(node_id)

    async def get_node(self, node_id: str) -> NodeInfo | None:
        """One node."""
        return await self._nodes.get(node_id)

    async def list_all_nodes(self) -> list[NodeInfo]:
        """All."""
        return await self._nodes.get_all_nodes()

    async def list_online_nodes(self) -> list[NodeInfo]:
        """Those online."""
        return await self._nodes.list_online_nodes()

    async def find_nodes_by_skill(self, skill: str) -> list[NodeInfo]:
        """Those online that have exactly this skill."""
        return await self._nodes.find_by_skill(skill)
