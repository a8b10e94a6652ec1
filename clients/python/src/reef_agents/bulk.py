"""Changes of many tasks at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of

if TYPE_CHECKING:
    from . import types

_UNDER_WAY = ("counting", "running")

#: Between two looks at a change that is under way, in seconds.
_LOOKS_EVERY = 0.5


class Bulk:
    """Changes of many tasks: ``cancel``, ``retry``, ``remove`` and ``set_priority``."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def count(
        self, action: str, which: Mapping[str, Any], *, priority: int | None = None
    ) -> types.Bulk:
        """Changes nothing: ``matched`` says how many tasks would be changed, ``sample`` some.

        ``which`` is in the words of the contract: ``status``, ``name``, ``labels``, ``user_id``,
        ``session_id``, ``assigned_node``, ``since``, ``until``, ``error``; ``{}`` is all.
        """
        body = body_of(action=action, filter=which, priority=priority, dry_run=True)
        counted: types.Bulk = await self._calls.request("POST", api("bulk"), json=body)
        return counted

    async def start(
        self,
        action: str,
        which: Mapping[str, Any],
        *,
        most: int,
        reason: str,
        priority: int | None = None,
        idempotency_key: str | None = None,
    ) -> types.Bulk:
        """Changes the tasks that are there now, and none if there are more than ``most``.

        Then it is a :class:`reef_agents.Conflict`. What takes longer than some seconds goes on
        after the answer: :meth:`wait` waits for its end.
        """
        body = body_of(action=action, filter=which, most=most, reason=reason, priority=priority)
        started: types.Bulk = await self._calls.request(
            "POST", api("bulk"), json=body, idempotency_key=idempotency_key
        )
        return started

    async def get(self, bulk_id: str) -> types.Bulk:
        """How far it is."""
        job: types.Bulk = await self._calls.request("GET", api("bulk", bulk_id))
        return job

    async def wait(self, bulk_id: str) -> types.Bulk:
        """How it has ended, once it has."""
        while True:
            job = await self.get(bulk_id)
            if job["status"] not in _UNDER_WAY:
                return job
            await asyncio.sleep(_LOOKS_EVERY)

    async def stop(self, bulk_id: str) -> types.Bulk:
        """It does nothing more; what it has done stays."""
        stopped: types.Bulk = await self._calls.request("POST", api("bulk", bulk_id, "stop"))
        return stopped
