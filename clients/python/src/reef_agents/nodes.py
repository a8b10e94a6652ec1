"""The nodes that a hub knows. Being one is :mod:`reef_agents.node`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ._calls import Calls, api, body_of

if TYPE_CHECKING:
    from . import types

    _Nodes: TypeAlias = list[types.Node]


class Nodes:
    """All nodes."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def get(self, node_id: str) -> types.Node:
        """One node as it is now."""
        node: types.Node = await self._calls.request("GET", api("nodes", node_id))
        return node

    async def list(
        self, *, status: str | None = None, skill: str | None = None, tag: str | None = None
    ) -> _Nodes:
        """Nodes, the newest registration first: up to 1000."""
        query = {"status": status, "skill": skill, "tag": tag}
        listed: _Nodes = await self._calls.request("GET", api("nodes"), query=query)
        return listed

    async def each(
        self, *, status: str | None = None, skill: str | None = None, tag: str | None = None
    ) -> AsyncIterator[types.Node]:
        """All nodes, page by page."""
        query = {"status": status, "skill": skill, "tag": tag, "limit": 500}
        async for node in self._calls.each(api("nodes"), query):
            yield node

    async def online(self) -> _Nodes:
        """Those that are online."""
        listed: _Nodes = await self._calls.request("GET", api("nodes", "online"))
        return listed

    async def available(self) -> _Nodes:
        """Those that have room for a task, the least loaded first."""
        listed: _Nodes = await self._calls.request("GET", api("nodes", "available"))
        return listed

    async def with_skill(self, skill: str) -> _Nodes:
        """Those online that have exactly this skill."""
        listed: _Nodes = await self._calls.request("GET", api("nodes", "skills", skill))
        return listed

    async def health(self, node_id: str) -> types.NodeHealth:
        """Whether one is well, and since when it is silent."""
        health: types.NodeHealth = await self._calls.request("GET", api("nodes", node_id, "health"))
        return health

    async def change(
        self,
        node_id: str,
        *,
        status: str | None = None,
        skills: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        max_concurrent_tasks: int | None = None,
    ) -> types.Node:
        """Changes one. The status ``maintenance`` drains it: it is given no more tasks."""
        body = body_of(
            status=status,
            available_skills=list(skills) if skills is not None else None,
            tags=list(tags) if tags is not None else None,
            max_concurrent_tasks=max_concurrent_tasks,
        )
        node: types.Node = await self._calls.request("PATCH", api("nodes", node_id), json=body)
        return node

    async def shut_down(self, node_id: str) -> types.NodeDone:
        """Notes that it is gone; its tasks go back to the queue at once."""
        path = api("nodes", node_id, "shutdown")
        done: types.NodeDone = await self._calls.request("POST", path)
        return done

    async def remove(self, node_id: str) -> types.NodeDone:
        """Has it forgotten."""
        done: types.NodeDone = await self._calls.request("DELETE", api("nodes", node_id))
        return done
