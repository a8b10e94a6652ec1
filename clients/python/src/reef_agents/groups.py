"""Groups: tasks that were submitted together. :meth:`reef_agents.tasks.Tasks.batch` makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from . import _polling
from ._calls import Calls, api

if TYPE_CHECKING:
    from . import types


class Groups:
    """All groups."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def get(self, group_id: str) -> types.Group:
        """The group as it is now: how many tasks it has, how they stand, which failed first."""
        group: types.Group = await self._calls.request("GET", api("groups", group_id))
        return group

    async def wait(self, group_id: str, timeout: float | None = None) -> types.Group:
        """The group once it has ended; as it is after ``timeout`` seconds, if that comes first."""
        group: types.Group = await _polling.until(
            self._calls, api("groups", group_id), lambda it: it["status"] != "open", timeout
        )
        return group

    async def tasks(self, group_id: str) -> AsyncIterator[types.Task]:
        """Its tasks in the order in which they were submitted, page by page."""
        async for task in self._calls.each(api("groups", group_id, "tasks"), {}):
            yield task

    async def cancel(self, group_id: str) -> int:
        """Cancels what has not ended of it; returns how many tasks. It takes no further ones."""
        changed: types.GroupChanged = await self._calls.request(
            "POST", api("groups", group_id, "cancel")
        )
        return changed["changed"]

    async def retry(self, group_id: str) -> int:
        """Queues anew what did not complete of it, in its order; returns how many tasks."""
        changed: types.GroupChanged = await self._calls.request(
            "POST", api("groups", group_id, "retry")
        )
        return changed["changed"]
