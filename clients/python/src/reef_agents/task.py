"""A task in the hands of its handler."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of
from ._lease import Lease
from ._replay import Family, Replay
from .errors import Cancelled, LeaseOver, Waiting
from .ledger import Amount, amount_text
from .new_task import NewTask
from .usage import Used
from .waits import Decision, Ends, Options, Signal, milliseconds, question_of
from .writer import Writer

if TYPE_CHECKING:
    from . import types

#: The lease is watched elsewhere, and with it ends what waits for the hub.
_PATIENCE = 3600.0
#: What a wait for children is called beside other waits for tasks.
_CHILDREN = "children"


class Task:
    """A task that this node has claimed, for as long as its lease is renewed.

    Its handler may wait: :meth:`approval`, :meth:`signal`, :meth:`sleep`, :meth:`children`,
    :meth:`wait_for`. The claim is given up meanwhile, and the handler left by :class:`Waiting`;
    once what it waits for has come, the task is claimed again, by whichever node, and the handler
    runs again from its start. Its waits so far then return at once what they returned before, so
    it must come to them in the same order, and what it does before a wait it does again: that has
    to be harmless, or to be kept by :meth:`save`.
    """

    def __init__(self, calls: Calls, task: types.ClaimedTask, lease: Lease) -> None:
        """As it was claimed."""
        self._calls = calls
        #: All that the hub says of it.
        self.raw = task
        self.id = task["task_id"]
        self.name = task["name"]
        self.description = task["description"]
        self.parameters: dict[str, Any] = task["parameters"]
        self.metadata: dict[str, Any] = task["metadata"]
        self.session_id = task["session_id"]
        self.message_id = task["message_id"]
        #: The fencing token: whoever is written to can refuse an older one.
        self.token = task["token"]
        #: Which try this is, from 1.
        self.attempt = task["retry_count"] + 1
        #: What it follows, and how that ended: ``task_id`` or ``group_id``, ``status``, and
        #: ``result``; or ``ref``, where to get it, if the results are large together.
        self.inputs: list[dict[str, Any]] = task.get("inputs") or []
        #: What has come last that it waited for, as the hub says it.
        self.resume: dict[str, Any] | None = task.get("resume")
        self._replay = Replay(task)
        #: The hub is being asked to let it wait.
        self._is_waiting = False
        #: Waits until no heartbeat is on its way.
        self._settle: Callable[[], Awaitable[None]] | None = None
        self._lease = lease
        self._why_stopped: str | None = None
        self._progress: float | None = None
        self._progressed = asyncio.Event()
        self._writer: Writer | None = None
        self._used = Used()
        self._amount: str | None = None
        #: What is left of its budgets, as the hub has said it last: ``cost_left``, ``tokens_left``
        #: and ``exceeded``; ``None`` before that, or where it is under none.
        self.budget: types.BudgetLeft | None = None

    def __repr__(self) -> str:
        return f"Task({self.id!r}, {self.name!r}, attempt {self.attempt})"

    @property
    def epoch(self) -> int:
        """The number of the claim, which grows with every claim of the task."""
        digits = re.match(r"\d{1,15}", self.token)
        return int(digits[0]) if digits else 0

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled it. The handler is about to be cancelled, too."""
        return self._why_stopped == "cancelled"

    @property
    def lease_is_over(self) -> bool:
        """Whether it may be another node's by now: what is done has no effect any more."""
        return self._has_left or self._why_stopped == "lost" or self._lease.is_over

    @property
    def _has_left(self) -> bool:
        """It waits: the claim is given up."""
        return self._why_stopped == "waiting"

    def raise_if_cancelled(self) -> None:
        """To be called now and then by what does not await anything."""
        if self._has_left:
            raise Waiting(self.id)
        if self.cancelled:
            raise Cancelled(f"{self.id} was cancelled")
        if self.lease_is_over:
            raise LeaseOver(f"the lease of {self.id} is over")

    def progress(self, share: float) -> None:
        """Says how much is done, 0–1. It is sent soon, a few times a second at most."""
        if not 0 <= share <= 1:
            raise ValueError(f"progress is between 0 and 1, not {share}")
        self._progress = share
        self._progressed.set()

    def used(
        self,
        model: str,
        *,
        provider: str | None = None,
        input: int = 0,  # noqa: A002 - the contract's name
        output: int = 0,
        cached: int = 0,
        reasoning: int = 0,
        requests: int = 1,
        cost: Amount | None = None,
    ) -> None:
        """Adds what a call of a model has used. It is reported soon, and with the end.

        ``input`` are the tokens that it has read, those ``cached`` among them, ``output`` those
        that it has written, those of its ``reasoning`` among them. Without a ``cost`` it is what
        the hub's prices make it. Where a budget is used up, the handler is cancelled: the task was,
        or it waits until somebody lets it go on, and begins again then, with what :meth:`save` has
        kept.
        """
        numbers = {"input": input, "output": output, "cached": cached, "reasoning": reasoning}
        self._used.add(provider, model, {**numbers, "requests": requests}, cost)
        self._progressed.set()

    def costs(self, amount: Amount) -> None:
        """Says what its completion costs whoever pays for it, if less than its ``charge``."""
        self._amount = amount_text(amount)

    def message(self) -> Writer:
        """Writes to the session's message of this task; what a task without one says is dropped.

        What an earlier claim of the task still writes is refused from then on.
        """
        if self._writer is None:
            self._writer = Writer(
                self._calls,
                self.message_id,
                self.id,
                self.epoch,
                token=self.token,
                patience=_PATIENCE,
                check=self.raise_if_cancelled,
            )
        return self._writer

    # Waiting.

    @property
    def checkpoint(self) -> Any:
        """What :meth:`save` was given last, also by an earlier claim; ``None`` before that."""
        return self._replay.state

    def save(self, state: Any) -> None:
        """Keeps a value for the claims after this one: any JSON, 256 KiB with what has come.

        It is sent soon, and with the next wait: change it as a whole, by another call.
        """
        self._replay.state = state
        self._progressed.set()

    @property
    def decision(self) -> Decision | None:
        """What was decided before it was given out, if its submission asked for that."""
        first = self._replay.first
        is_decision = isinstance(first, dict) and first.get("kind") == "approval"
        return Decision(first) if is_decision else None

    async def approval(
        self,
        question: str,
        *,
        details: Any = None,
        options: Options | None = None,
        assignees: Sequence[str] = (),
        approvals: int | None = None,
        by_other: bool | None = None,
        expires_in: float | None = None,
        on_expire: str | None = None,
    ) -> Decision:
        """Waits until somebody has decided: the task's owner, or one of the ``assignees``.

        ``options`` are ``approve`` and ``reject`` if left out. So many ``approvals`` are needed
        (1); ``by_other``: not by whoever owns this node. After ``expires_in`` seconds nobody is
        asked any more, and it is as ``on_expire`` says: ``reject`` (if left out), ``approve``, or
        ``fail``, which ends the task.
        """
        asked = question_of(
            {
                "question": question,
                "details": details,
                "options": options,
                "assignees": assignees,
                "approvals": approvals,
                "by_other": by_other,
                "expires_in": expires_in,
                "on_expire": on_expire,
            }
        )
        return Decision(await self._wait({"kind": "approval"}, asked))

    async def signal(self, name: str, *, timeout: float | None = None) -> Signal:
        """Waits for a signal of this name; one that was sent before is not lost."""
        body = {"name": name, "expires_in_ms": milliseconds(timeout)}
        return Signal(await self._wait({"kind": "signal", "name": name}, body), name)

    async def sleep(self, seconds: float) -> None:
        """Waits for a time, at most 30 days, without holding a place on this node."""
        await self._wait({"kind": "sleep"}, {"for_ms": milliseconds(seconds)})

    async def wait_for(
        self,
        task_ids: str | Sequence[str] = (),
        *,
        group_id: str | None = None,
        until: str | None = None,
        timeout: float | None = None,
    ) -> Ends:
        """Waits for other tasks of the same owner, at most 100, or for a group.

        ``until`` is ``ended`` (if left out: all of them have), ``completed`` (all have, or one has
        ended otherwise), or ``any``.
        """
        ids = [task_ids] if isinstance(task_ids, str) else list(task_ids)
        body = {
            "task_ids": ids or None,
            "group_id": group_id,
            "until": until,
            "expires_in_ms": milliseconds(timeout),
        }
        return Ends(await self._wait({"kind": "tasks", "name": ""}, body))

    async def children(
        self,
        tasks: Sequence[NewTask],
        *,
        until: str | None = None,
        timeout: float | None = None,
    ) -> list[types.Task]:
        """Submits tasks and waits for them: how they have ended, in their order.

        They belong to this task, so the key must be that of its owner, and are submitted once,
        whatever happens to this process. ``until`` and ``timeout`` as for :meth:`wait_for`; with
        these some may not have ended. What has ended must be kept (``keep_completed``) for as long
        as this task needs it.
        """
        if not tasks:
            return []
        family = Family(self._calls, self.id, self.token)
        came = self._answered({"kind": "tasks", "name": _CHILDREN})
        if came is None:
            group_id = await family.submit(tasks, self._replay.place)
            body = {"group_id": group_id, "until": until, "expires_in_ms": milliseconds(timeout)}
            wait = {"kind": "tasks", "name": _CHILDREN, "group_id": group_id}
            came = await self._begin(wait, body)
        return await family.tasks(came["group_id"])

    async def signals(self, name: str | None = None) -> list[types.Signal]:
        """Takes the signals that the task has got so far, or those of a name, without waiting.

        What is taken is gone: a handler that runs again does not get it again.
        """
        answer: types.SignalList = await self._calls.request(
            "POST",
            api("tasks", self.id, "signals", "take"),
            json=body_of(token=self.token, name=name),
        )
        return answer["signals"]

    async def _wait(self, wait: dict[str, Any], body: dict[str, Any]) -> Any:
        came = self._answered(wait)
        return await self._begin(wait, body) if came is None else came

    def _answered(self, wait: dict[str, Any]) -> Any:
        if self._is_waiting:
            raise RuntimeError("a task waits for one thing at a time")
        self.raise_if_cancelled()
        return self._replay.next(wait)

    async def _begin(self, wait: dict[str, Any], body: dict[str, Any]) -> Any:
        """What has come already; else the claim is given up, and the handler left."""
        self._is_waiting = True
        try:
            if self._writer is not None:
                await self._writer.flush()
            if self._settle is not None:
                # One that still counts this task must not arrive after the wait has begun.
                await self._settle()
            answer: types.WaitStarted = await self._calls.request(
                "POST",
                api("tasks", self.id, "wait"),
                json=body_of(
                    token=self.token,
                    kind=wait["kind"],
                    checkpoint=self._replay.checkpoint(wait),
                    usage=self._used.reports,
                    **body,
                ),
                patience=_PATIENCE,
            )
            if not answer["ready"]:
                self._why_stopped = "waiting"
        finally:
            self._is_waiting = False
        self.raise_if_cancelled()
        return self._replay.came(wait, answer["resume"])
