"""The queue: giving out work and seeing what became of it. Doing it is :mod:`reef_agents.node`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ._calls import Calls, api, body_of
from .session import Audience, audience_of

if TYPE_CHECKING:
    from . import types

    _Tasks: TypeAlias = list[types.Task]

#: How long a hub waits at most within one request, in seconds.
WAIT_MAX = 30.0
#: An answer that came sooner than this was not waited for.
_NO_POLL = 1.0
ENDED = ("completed", "failed", "cancelled", "timeout")


class Tasks:
    """All tasks."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def submit(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        skills: Sequence[str] = (),
        optional_skills: Sequence[str] = (),
        description: str | None = None,
        task_type: str | None = None,
        priority: int | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        delay: float | None = None,
        user_id: str | None = None,
        affinity_tags: Sequence[str] = (),
        task_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        audience: Audience | None = None,
        target_node: str | None = None,
        keep_completed: float | None = None,
        keep_failed: float | None = None,
        idempotency_key: str | None = None,
    ) -> types.SubmittedTask:
        """Queues work for a node that has all ``skills``. ``delay`` and ``timeout`` in seconds.

        ``target_node`` is the one node that may do it; else ``audience`` says whose may.
        ``keep_completed`` and ``keep_failed``: for how many seconds the hub keeps it after it has
        completed, or has ended otherwise; else as long as the hub is set to.
        """
        body = body_of(
            name=name,
            parameters=parameters,
            required_skills=list(skills),
            optional_skills=list(optional_skills) or None,
            description=description,
            task_type=task_type,
            priority=priority,
            timeout=timeout,
            max_retries=max_retries,
            delay_ms=None if delay is None else round(delay * 1000),
            user_id=user_id,
            affinity_tags=list(affinity_tags) or None,
            task_id=task_id,
            metadata=metadata,
            audience=audience_of(audience),
            target_node=target_node,
            keep_completed_ms=None if keep_completed is None else round(keep_completed * 1000),
            keep_failed_ms=None if keep_failed is None else round(keep_failed * 1000),
        )
        submitted: types.SubmittedTask = await self._calls.request(
            "POST", api("tasks"), json=body, idempotency_key=idempotency_key
        )
        return submitted

    async def get(self, task_id: str) -> types.Task:
        """The task as it is now."""
        task: types.Task = await self._calls.request("GET", api("tasks", task_id))
        return task

    async def wait(self, task_id: str, timeout: float | None = None) -> types.Task:
        """The task once it has ended; as it is after ``timeout`` seconds, if that comes first."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = WAIT_MAX if deadline is None else max(deadline - time.monotonic(), 0)
            wait = min(left, WAIT_MAX)
            asked = time.monotonic()
            task: types.Task = await self._calls.request(
                "GET",
                api("tasks", task_id),
                query={"wait_ms": round(wait * 1000)},
                timeout=wait + 15,
            )
            now = time.monotonic()
            if task["status"] in ENDED or (deadline is not None and now >= deadline):
                return task
            if now - asked < _NO_POLL:
                # This hub does not wait: it runs under Spin.
                await asyncio.sleep(min(_NO_POLL, left))

    async def why(self, task_id: str) -> types.WhyAnswer:
        """Why it is not running."""
        answer: types.WhyAnswer = await self._calls.request("GET", api("tasks", task_id, "why"))
        return answer

    async def list(
        self,
        *,
        status: str | None = None,
        assigned_node: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> _Tasks:
        """Tasks, newest first: one page."""
        query = {
            "status": status,
            "assigned_node": assigned_node,
            "user_id": user_id,
            "session_id": session_id,
            "limit": limit,
            "cursor": cursor,
        }
        listed: _Tasks = await self._calls.request("GET", api("tasks"), query=query)
        return listed

    async def each(
        self,
        *,
        status: str | None = None,
        assigned_node: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> AsyncIterator[types.Task]:
        """All tasks, newest first, page by page."""
        query = {
            "status": status,
            "assigned_node": assigned_node,
            "user_id": user_id,
            "session_id": session_id,
        }
        async for task in self._calls.each(api("tasks"), query):
            yield task

    async def pending(self, *, limit: int | None = None) -> _Tasks:
        """Those that wait, in the order in which they will be given out."""
        listed: _Tasks = await self._calls.request(
            "GET", api("tasks", "pending"), query={"limit": limit}
        )
        return listed

    async def stats(self) -> types.TaskStats:
        """How many there are of each status."""
        stats: types.TaskStats = await self._calls.request("GET", api("tasks", "stats"))
        return stats

    async def cancel(self, task_id: str) -> types.Task:
        """Cancels it; a node that runs it is told with its next heartbeat."""
        task: types.Task = await self._calls.request("POST", api("tasks", task_id, "cancel"))
        return task

    async def retry(self, task_id: str) -> types.Task:
        """Queues one anew that has failed."""
        task: types.Task = await self._calls.request("POST", api("tasks", task_id, "retry"))
        return task

    async def remove(self, task_id: str) -> types.TaskRemoved:
        """Removes one that has ended."""
        removed: types.TaskRemoved = await self._calls.request("DELETE", api("tasks", task_id))
        return removed

    async def dead(self, *, limit: int | None = None, cursor: str | None = None) -> _Tasks:
        """Those of which every try has failed."""
        query = {"limit": limit, "cursor": cursor}
        listed: _Tasks = await self._calls.request("GET", api("tasks", "dead"), query=query)
        return listed

    async def redrive(
        self,
        task_ids: Sequence[str] | None = None,
        *,
        status: str | None = None,
        user_id: str | None = None,
        dry_run: bool = False,
    ) -> types.TaskRedriveAnswer:
        """Queues dead ones anew: those that are named, or all that are alike."""
        alike = body_of(status=status, user_id=user_id)
        body = body_of(
            task_ids=list(task_ids) if task_ids is not None else None,
            filter=alike or ({} if task_ids is None else None),
            dry_run=dry_run,
        )
        answer: types.TaskRedriveAnswer = await self._calls.request(
            "POST", api("tasks", "dead", "redrive"), json=body
        )
        return answer

    async def clean_up(self, days: int = 30) -> int:
        """Removes what ended longer ago than that; returns how many. For admins."""
        answer: types.TaskCleanupAnswer = await self._calls.request(
            "POST", api("tasks", "cleanup"), json={"days": days}
        )
        return answer["deleted"]
