"""What a task has waited for, over all its claims.

A handler that waits is left, and runs again from its start once what it waits for has come. What
came to its waits so far is kept in the task's checkpoint, in order, so that the n-th one gets at
once what it got before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._calls import Calls, api
from .errors import Conflict, NotFound, Reject
from .new_task import NewTask, body_of_task

#: The client's own member of a checkpoint; the handler's part stands beside it.
_OURS, _STATE = "reef", "state"
#: Most tasks of a batch.
_BATCH = 100
#: Longer ones would make ids of children that are too long.
_ID_CHARACTERS = 80


class Replay:
    """The waits of one claim's handler."""

    def __init__(self, claimed: Mapping[str, Any]) -> None:
        """As the hub gave it out."""
        checkpoint, resume = claimed.get("checkpoint"), claimed.get("resume")
        kept = checkpoint.get(_OURS) if isinstance(checkpoint, dict) else None
        #: What came to the waits of the handler, in order.
        self._answers: list[Mapping[str, Any]] = []
        if isinstance(checkpoint, dict) and isinstance(kept, dict) and "answers" in kept:
            #: The handler's part of the checkpoint.
            self.state: Any = checkpoint.get(_STATE)
            #: What came to a question that was asked when the task was submitted.
            self.first: Any = kept.get("first")
            self._answers = list(kept.get("answers") or ())
            # One that was stopped for its budget did not wait for what has come.
            if kept.get("wait") and resume is not None:
                self._answers.append(_kept(kept["wait"], resume))
        else:
            self.state, self.first = checkpoint, resume
        self._place = 0
        #: What the hub has been told of last. Of a claim that follows a wait it knows that wait.
        self._told: dict[str, Any] | None = None

    @property
    def kept(self) -> dict[str, Any] | None:
        """What a claim after this one begins with, should this one not wait; nothing at first."""
        if self.state is None and not self._answers:
            return None
        ours = {"answers": list(self._answers), "first": self.first}
        return {_OURS: ours, _STATE: self.state}

    def untold(self) -> dict[str, Any] | None:
        """The same, if the hub does not know it yet."""
        kept = self.kept
        return None if kept == self._told else kept

    def tell(self, kept: dict[str, Any] | None) -> None:
        """The hub knows it."""
        self._told = kept or self._told

    @property
    def place(self) -> int:
        """How many waits the handler has behind it."""
        return self._place

    def next(self, wait: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What came to this one, which is the handler's next, if it has waited before."""
        if self._place == len(self._answers):
            return None
        came = self._answers[self._place]
        before = {name: came.get(name) for name in ("kind", "name") if name in wait}
        if before != {name: wait[name] for name in before}:
            # Tried again, it would be the same.
            raise Reject(
                f"the handler waits otherwise than before: wait {self._place + 1} was for "
                f"{_words(before)}, and is for {_words(wait)}"
            )
        self._place += 1
        return came

    def came(self, wait: Mapping[str, Any], resume: Mapping[str, Any]) -> Mapping[str, Any]:
        """It has come without the handler being left."""
        self._answers.append(_kept(wait, resume))
        self._place += 1
        return self._answers[-1]

    def checkpoint(self, wait: Mapping[str, Any]) -> dict[str, Any]:
        """What the next claim begins with: so far the handler is, and for this it waits."""
        ours = {"answers": self._answers, "wait": dict(wait), "first": self.first}
        return {_OURS: ours, _STATE: self.state}


def _kept(wait: Mapping[str, Any], resume: Mapping[str, Any]) -> dict[str, Any]:
    """What a wait is answered with again: not what only says of which one and when it came."""
    return {**wait, **{name: it for name, it in resume.items() if name not in ("wait_id", "at")}}


def _words(wait: Mapping[str, Any]) -> str:
    return " ".join(str(wait[name]) for name in ("kind", "name") if wait.get(name))


class Family:
    """The children of one running task.

    Their ids follow from the parent's id and from which of its waits is for them, so that a
    handler whose process died between their submission and the wait finds them again.
    """

    def __init__(self, calls: Calls, parent: str, token: str) -> None:
        """``token``: of the parent's claim."""
        self._calls = calls
        self._parent = parent
        self._token = token

    async def submit(self, given: Sequence[NewTask], place: int) -> str:
        """Submits them if they are not there. Returns the id of their group, which is open."""
        life = 0
        while True:
            group_id = f"children.{_short(self._parent)}.{place}.{life}"
            if await self._submit_as(group_id, given):
                return group_id
            # Those of a life of the parent that has ended: it was tried again since.
            life += 1

    async def _submit_as(self, group_id: str, given: Sequence[NewTask]) -> bool:
        ids = [it.get("task_id") or f"{group_id}.{n}" for n, it in enumerate(given)]
        bodies = []
        for task_id, it in zip(ids, given, strict=True):
            # Places count over all of them, and a batch is a part.
            after = [_by_id(edge, ids) for edge in it.get("after") or ()]
            bodies.append(body_of_task({**it, "task_id": task_id, "after": after}))
        for at in range(0, len(bodies), _BATCH):
            body = {
                "tasks": bodies[at : at + _BATCH],
                "group": {"group_id": group_id, "sealed": False},
                "parent": {"task_id": self._parent, "token": self._token},
            }
            try:
                await self._calls.request("POST", api("tasks", "batch"), json=body)
            except Conflict as conflict:
                if await self._is_sealed(group_id, ids[at], conflict):
                    return False
        return True

    async def _is_sealed(self, group_id: str, first: str, conflict: Conflict) -> bool:
        """Of a group that is there. Raises the conflict where it has another reason."""
        try:
            group = await self._calls.request("GET", api("groups", group_id))
            if group["parent"] != self._parent:
                raise conflict
            if group["sealed"]:
                return True
            child = await self._calls.request("GET", api("tasks", first))
        except NotFound:
            raise conflict from None
        if child.get("group_id") != group_id:
            raise conflict
        return False

    async def tasks(self, group_id: str) -> list[Any]:
        """As they are now."""
        path = api("groups", group_id, "tasks")
        return [task async for task in self._calls.each(path, {"limit": _BATCH})]


def _by_id(edge: str | int | Mapping[str, Any], ids: Sequence[str]) -> Mapping[str, Any]:
    edge = dict(edge) if isinstance(edge, Mapping) else {"task": edge}
    if isinstance(edge.get("task"), int):
        edge["task"] = ids[edge["task"]]
    return edge


def _short(task_id: str) -> str:
    """An id that others may be made of: as FNV-1a has it where it is long."""
    if len(task_id) <= _ID_CHARACTERS:
        return task_id
    digest = 0xCBF29CE484222325
    for byte in task_id.encode():
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"
