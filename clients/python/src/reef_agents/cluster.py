"""The cluster as a whole: who leads, how it is, what happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of
from .stream import GIVE_UP, Gap, StreamEvent, follow

if TYPE_CHECKING:
    from . import types


class Cluster:
    """What is about all nodes."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def health(self) -> types.ClusterHealth:
        """Nodes by status, capacity, and whether expiry is suspended."""
        health: types.ClusterHealth = await self._calls.request("GET", api("cluster", "health"))
        return health

    async def state(self) -> types.ClusterState:
        """Counts, and a version that grows with each change."""
        state: types.ClusterState = await self._calls.request("GET", api("cluster", "state"))
        return state

    async def leader(self) -> types.Leadership:
        """Who leads. To lead, take :meth:`reef_agents.Reef.leadership`."""
        leader: types.Leadership = await self._calls.request("GET", api("cluster", "leader"))
        return leader

    async def leaders(self, *, limit: int | None = None) -> list[types.LeaderHistoryEntry]:
        """Who led, newest first."""
        path = api("cluster", "leader", "history")
        listed: list[types.LeaderHistoryEntry] = await self._calls.request(
            "GET", path, query={"limit": limit}
        )
        return listed

    async def events(
        self, *, after: str | None = None, limit: int | None = None
    ) -> types.ClusterEventList:
        """What has happened behind a cursor, without waiting."""
        query = {"after": after, "limit": limit}
        listed: types.ClusterEventList = await self._calls.request(
            "GET", api("cluster", "events"), query=query
        )
        return listed

    async def stream(
        self, *, after: str | None = None, give_up: float = GIVE_UP
    ) -> AsyncGenerator[StreamEvent, None]:
        """What happens, without end. It comes back by itself, or raises :class:`StreamCut`.

        Where the hub's log no longer reaches back to what was read last, an event of the type
        ``snapshot`` says so in its ``gap``.
        """
        path = api("events", "stream")
        frames = follow(
            self._calls, path, after=after, give_up=give_up, is_last=lambda _type, _data: False
        )
        async with aclosing(frames):
            async for id_, type_, data in frames:
                yield StreamEvent(id_, type_, data, gap=_gap_of(data))

    async def check_heartbeats(self, timeout: float | None = None) -> types.CheckAnswer:
        """Marks as offline who was silent for longer. An own ``timeout`` is for admins."""
        answer: types.CheckAnswer = await self._calls.request(
            "POST", api("cluster", "check-heartbeat"), json=body_of(timeout_seconds=timeout)
        )
        return answer

    async def is_ready(self) -> bool:
        """Whether the hub can write at the moment."""
        from .errors import ReefError

        try:
            await self._calls.request("GET", "/readyz", patience=0)
        except ReefError:
            return False
        return True


def _gap_of(data: dict[str, Any]) -> Gap | None:
    gap = data.get("gap")
    return Gap(gap["from"], gap["to"]) if isinstance(gap, dict) else None
