"""What tasks wait for: questions that somebody answers, signals, times, the end of other tasks.

How a task waits is said in :mod:`reef_agents.task`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from . import _polling
from ._calls import Calls, api, body_of

if TYPE_CHECKING:
    from . import types

    _Waits: TypeAlias = list[types.Wait]

#: What may be decided: plain values, or what people read beside them.
Options = Sequence[str] | Mapping[str, str]


class _Asked(TypedDict):
    question: str


class Question(_Asked, total=False):
    """What is to be decided before any node gets a task.

    ``options`` are ``approve`` and ``reject`` if left out, and else values, or values with what
    people read; ``assignees`` may answer besides the task's owner; so many ``approvals`` of the
    same are needed (1), while a ``reject`` decides at once. After ``expires_in`` seconds nobody is
    asked any more, and ``on_expire`` (``reject``, ``approve`` or ``fail``) is done.
    """

    details: Any
    options: Options
    assignees: Sequence[str]
    approvals: int
    expires_in: float
    on_expire: str


def question_of(asked: Mapping[str, Any]) -> dict[str, object]:
    """As the contract has it."""
    options, assignees = asked.get("options"), asked.get("assignees")
    if options is not None:
        labels = dict(options) if isinstance(options, Mapping) else {it: it for it in options}
        options = [{"value": value, "label": label} for value, label in labels.items()]
    return body_of(
        question=asked["question"],
        details=asked.get("details"),
        options=options,
        assignees=list(assignees) if assignees else None,
        approvals=asked.get("approvals"),
        by_other=asked.get("by_other"),
        expires_in_ms=milliseconds(asked.get("expires_in")),
        on_expire=asked.get("on_expire"),
    )


def milliseconds(seconds: float | None) -> int | None:
    """At least one, where something is to be waited for."""
    return None if seconds is None else max(round(seconds * 1000), 1)


class Decision:
    """What was decided."""

    def __init__(self, came: Mapping[str, Any]) -> None:
        """As the task's claim has it."""
        #: One of the options: ``approve`` or ``reject`` where none were given.
        self.decision: str = came["decision"]
        #: What the task is told besides, such as what was approved after all.
        self.value: Any = came.get("value")
        #: Who has decided.
        self.by: str | None = came.get("by")
        self.comment: str | None = came.get("comment")
        #: Nobody has answered in time: it is what was said to be done then.
        self.expired: bool = bool(came.get("expired"))

    def __repr__(self) -> str:
        return f"Decision({self.decision!r}, by {self.by!r})"

    @property
    def approved(self) -> bool:
        """Whether it is ``approve``."""
        return self.decision == "approve"


class Signal:
    """A signal that was waited for, or that it did not come in time."""

    def __init__(self, came: Mapping[str, Any], name: str) -> None:
        """As the task's claim has it."""
        self.name = name
        #: What it brings.
        self.value: Any = came.get("value")
        #: It has not come in time.
        self.expired: bool = bool(came.get("expired"))

    def __repr__(self) -> str:
        return f"Signal({self.name!r}, {'expired' if self.expired else self.value!r})"


class Ends:
    """How what was waited for has ended."""

    def __init__(self, came: Mapping[str, Any]) -> None:
        """As the task's claim has it."""
        #: The status of each task and group by its id; ``None`` for one that has not ended.
        self.statuses: dict[str, str | None] = {
            it.get("task_id") or it.get("group_id"): it.get("status")
            for it in came.get("tasks") or ()
        }
        #: They have not ended in time.
        self.expired: bool = bool(came.get("expired"))

    def __repr__(self) -> str:
        return f"Ends({self.statuses!r})"

    @property
    def all_completed(self) -> bool:
        """Whether each has ended, and well."""
        return not self.expired and all(it == "completed" for it in self.statuses.values())


class Waits:
    """What tasks wait for."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def list(
        self,
        *,
        kind: str | None = None,
        assignee: str | None = None,
        task_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> _Waits:
        """Open waits of the caller's tasks, and those that it may answer, newest first: one page.

        With ``task_id`` the last ones of that task, also those that are over.
        """
        query = {
            "kind": kind,
            "assignee": assignee,
            "task_id": task_id,
            "limit": limit,
            "cursor": cursor,
        }
        listed: _Waits = await self._calls.request("GET", api("waits"), query=query)
        return listed

    async def each(
        self, *, kind: str | None = None, assignee: str | None = None
    ) -> AsyncIterator[types.Wait]:
        """All open waits, newest first, page by page."""
        query = {"kind": kind, "assignee": assignee}
        async for wait in self._calls.each(api("waits"), query):
            yield wait

    async def get(self, wait_id: str) -> types.Wait:
        """The wait as it is now."""
        wait: types.Wait = await self._calls.request("GET", api("waits", wait_id))
        return wait

    async def wait(self, wait_id: str, timeout: float | None = None) -> types.Wait:
        """The wait once it is over; as it is after ``timeout`` seconds, if that comes first."""
        wait: types.Wait = await _polling.until(
            self._calls, api("waits", wait_id), lambda it: it["state"] != "open", timeout
        )
        return wait

    async def answer(
        self, wait_id: str, decision: str, *, value: Any = None, comment: str | None = None
    ) -> types.Wait:
        """Decides, by a key with the scope ``approve``: ``approve``, ``reject``, or another option.

        ``value`` is for the task, ``comment`` for people. The first decision stands:
        :class:`Conflict` for a later one that is another.
        """
        body = body_of(decision=decision, value=value, comment=comment)
        wait: types.Wait = await self._calls.request(
            "POST", api("waits", wait_id, "answer"), json=body
        )
        return wait
