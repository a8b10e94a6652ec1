"""The queue: giving out work and seeing what became of it. Doing it is :mod:`reef_agents.node`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _polling
from ._calls import Calls, api, body_of
from .ledger import Amount
from .new_task import (
    After,
    Charge,
    NewGroup,
    NewTask,
    RetryPolicy,
    TaskBudget,
    Under,
    Unique,
    body_of_task,
    milliseconds,
    policy_of,
)
from .session import Audience
from .waits import Question

if TYPE_CHECKING:
    from . import types

    _Tasks: TypeAlias = list[types.Task]

ENDED = ("completed", "failed", "cancelled", "timeout")


def _query_of(
    labels: Mapping[str, str] | None, error: str | None, **rest: str | int | None
) -> dict[str, str | int | None]:
    pairs = ",".join(f"{key}:{value}" for key, value in (labels or {}).items())
    return {**rest, "label": pairs or None, "error~": error}


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
        approval: str | Question | None = None,
        after: After = (),
        group_id: str | None = None,
        labels: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        limits: Sequence[str | Under] = (),
        budget: TaskBudget | None = None,
        charge: Charge | Amount | None = None,
        unique: str | Unique | None = None,
        fairness_key: str | None = None,
        fairness_weight: float | None = None,
        idempotency_key: str | None = None,
    ) -> types.SubmittedTask:
        """Queues work for a node that has all ``skills``. ``delay`` and ``timeout`` in seconds.

        ``target_node`` is the one node that may do it; else ``audience`` says whose may.
        ``keep_completed`` and ``keep_failed``: for how many seconds the hub keeps it after it has
        completed, or has ended otherwise; else as long as the hub is set to. With an ``approval``,
        a question, no node gets it until somebody has answered (:class:`Waits`). It waits for what
        it follows (``after``), and is one of the group ``group_id``. :meth:`list` finds it by its
        ``labels``; ``retry`` says when it is tried again. It begins once all ``limits`` that it is
        under are open (:class:`reef_agents.limits.Limits`). Its ``budget`` is what it may use, its
        ``charge`` what whoever completes it is paid out of the caller's balance.
        under are open (:class:`reef_agents.limits.Limits`). Of those with the same ``unique`` key
        there is one at a time: the answer is the one that there is, ``deduplicated``. Those with
        one ``fairness_key`` share a share of the queue.
        """
        body = body_of_task(
            {
                "name": name,
                "parameters": parameters,
                "skills": skills,
                "optional_skills": optional_skills,
                "description": description,
                "task_type": task_type,
                "priority": priority,
                "timeout": timeout,
                "max_retries": max_retries,
                "delay": delay,
                "user_id": user_id,
                "affinity_tags": affinity_tags,
                "task_id": task_id,
                "metadata": metadata,
                "audience": audience,
                "target_node": target_node,
                "keep_completed": keep_completed,
                "keep_failed": keep_failed,
                "approval": approval,
                "after": after,
                "group_id": group_id,
                "labels": labels,
                "retry": retry,
                "limits": limits,
                "budget": budget,
                "charge": charge,
                "unique": unique,
                "fairness_key": fairness_key,
                "fairness_weight": fairness_weight,
            }
        )
        submitted: types.SubmittedTask = await self._calls.request(
            "POST", api("tasks"), json=body, idempotency_key=idempotency_key
        )
        return submitted

    async def edit(
        self,
        task_id: str,
        *,
        name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        skills: Sequence[str] | None = None,
        optional_skills: Sequence[str] | None = None,
        description: str | None = None,
        task_type: str | None = None,
        priority: int | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        delay: float | None = None,
        affinity_tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        if_status: str | None = None,
    ) -> types.SubmittedTask:
        """Changes one that waits, in the words of :meth:`submit`; what is left out stays.

        ``if_status``: only while it is ``pending``, ``scheduled`` or ``waiting``.
        """
        body = body_of(
            name=name,
            parameters=parameters,
            required_skills=None if skills is None else list(skills),
            optional_skills=None if optional_skills is None else list(optional_skills),
            description=description,
            task_type=task_type,
            priority=priority,
            timeout=timeout,
            max_retries=max_retries,
            delay_ms=milliseconds(delay),
            affinity_tags=None if affinity_tags is None else list(affinity_tags),
            metadata=metadata,
            labels=labels,
            retry=policy_of(retry),
            if_status=if_status,
        )
        edited: types.SubmittedTask = await self._calls.request(
            "PATCH", api("tasks", task_id), json=body
        )
        return edited

    async def batch(
        self,
        tasks: Sequence[NewTask],
        *,
        group: bool | NewGroup = False,
        atomic: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.BatchAnswer:
        """Queues at most 100 tasks at once, all or none; a task may follow earlier ones by place.

        Each is a dictionary in the words of :meth:`submit`. With ``group`` they form one. Without
        ``atomic`` they may be 1000, and are taken a hundred at a time. What a running task makes is
        its children: :meth:`reef_agents.Task.children`.
        """
        formed: dict[str, Any] | None = None
        if isinstance(group, Mapping):
            on_end = group.get("on_end")
            formed = {**group, **({"on_end": body_of_task(on_end)} if on_end else {})}
        elif group:
            formed = {}
        body = body_of(tasks=[body_of_task(it) for it in tasks], group=formed, atomic=atomic)
        answer: types.BatchAnswer = await self._calls.request(
            "POST", api("tasks", "batch"), json=body, idempotency_key=idempotency_key
        )
        return answer

    async def signal(self, task_id: str, name: str, payload: Any = None) -> int:
        """Sends a signal; returns how many the task has got that it has neither awaited nor taken.

        It is kept until the task waits for it, also where it does that later.
        """
        answer: types.SignalAnswer = await self._calls.request(
            "POST", api("tasks", task_id, "signal"), json=body_of(name=name, payload=payload)
        )
        return answer["queued"]

    async def get(self, task_id: str) -> types.Task:
        """The task as it is now."""
        task: types.Task = await self._calls.request("GET", api("tasks", task_id))
        return task

    async def wait(self, task_id: str, timeout: float | None = None) -> types.Task:
        """The task once it has ended; as it is after ``timeout`` seconds, if that comes first."""
        task: types.Task = await _polling.until(
            self._calls, api("tasks", task_id), lambda it: it["status"] in ENDED, timeout
        )
        return task

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
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        since: str | None = None,
        until: str | None = None,
        error: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> _Tasks:
        """Tasks, newest first: one page.

        ``since`` and ``until`` are times such as ``2026-02-04T04:58:14Z``; ``error`` is a text in
        what went wrong.
        """
        query = _query_of(
            labels,
            error,
            status=status,
            assigned_node=assigned_node,
            user_id=user_id,
            session_id=session_id,
            name=name,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )
        listed: _Tasks = await self._calls.request("GET", api("tasks"), query=query)
        return listed

    async def each(
        self,
        *,
        status: str | None = None,
        assigned_node: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        since: str | None = None,
        until: str | None = None,
        error: str | None = None,
    ) -> AsyncIterator[types.Task]:
        """All tasks, newest first, page by page."""
        query = _query_of(
            labels,
            error,
            status=status,
            assigned_node=assigned_node,
            user_id=user_id,
            session_id=session_id,
            name=name,
            since=since,
            until=until,
        )
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
