"""One claim, from the moment it is ours to the moment the hub knows how it ended."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import _clock
from ._bounded import within
from ._calls import Calls, api, body_of
from .errors import Busy, Fenced, LeaseOver, Problem, ReefError, Reject, Retry, Snooze, Unreachable
from .task import Task

if TYPE_CHECKING:
    from . import types

_LOG = logging.getLogger("reef_agents")

Handler = Callable[[Task], Awaitable[object]]

#: How often progress is told at most, in seconds.
_PROGRESS_PAUSE = 0.2
_RENEW_PAUSE = 0.5
#: How long an end is told while the hub is away: the token keeps a late one from doing harm, and
#: a hub that was away has not counted that time.
_END_PATIENCE = 600.0
_ERROR_CHARACTERS_MAX = 2000
_PENALTY_MS_MAX = 3_600_000


class Claim:
    """A claimed task and what runs for it."""

    def __init__(
        self,
        calls: Calls,
        task: Task,
        handler: Handler | None,
        settle: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Nothing runs yet. ``settle`` waits until no heartbeat is on its way."""
        self._settle = settle
        self._calls = calls
        self.task = task
        task._settle = settle  # noqa: SLF001 - a part of it
        self._handler = handler
        self._work: asyncio.Task[object] | None = None
        #: Nothing runs for it any more; the hub only has to be told.
        self.is_over = False
        self._is_stopped = False
        self._refusal: Busy | None = None

    @property
    def has_stopped(self) -> bool:
        """It was stopped for a reason other than its own end, or waits."""
        return self._is_stopped or self.task._has_left  # noqa: SLF001 - a part of it

    @property
    def is_running(self) -> bool:
        """It takes a place on its node. One that begins to wait gives it up."""
        return not (self.is_over or self.task._is_waiting)  # noqa: SLF001 - a part of it

    def revoke(self) -> None:
        """The hub says that it is no longer ours.

        It may say so because the task waits, while the answer to that is still on its way.
        """
        if not self.task._is_waiting:  # noqa: SLF001 - a part of it
            self.stop("lost")

    def stop(self, why: str) -> None:
        """Cancels the handler: ``cancelled``, ``lost`` or ``leaving``."""
        if self.has_stopped or self.is_over:
            return
        self._is_stopped = True
        self.task._why_stopped = why  # noqa: SLF001 - a part of it
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        """Runs the handler and tells the hub how it ended, if that is for us to tell."""
        self._work = asyncio.create_task(self._handle())
        keepers = [
            asyncio.create_task(self._watch_lease()),
            asyncio.create_task(self._keep()),
        ]
        try:
            await asyncio.wait({self._work})
            outcome = self._outcome(self._work)
            self.is_over = True
            if outcome is not None:
                if self._settle is not None:
                    # One that still counts this task must not arrive after its end: the hub would
                    # keep its place occupied until the next one.
                    await self._settle()
                await self._tell(*outcome)
        finally:
            self._work.cancel()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(self._work, *keepers, return_exceptions=True)

    async def _handle(self) -> object:
        if self._handler is None:
            # Another node that has the skills may have one.
            raise Retry(f"no handler on this node takes the task {self.task.name!r}")
        timeout = self.task.raw["timeout"]
        handler = self._handler

        async def work() -> object:
            return await handler(self.task)

        return await within(work(), timeout)

    def _outcome(self, work: asyncio.Task[object]) -> tuple[str, dict[str, Any]] | None:
        """The route and body that tell of the end; nothing where it is not ours to tell."""
        task = self.task
        if task._has_left:  # noqa: SLF001 - a part of it
            return None
        if self.has_stopped or task.lease_is_over:
            # A handler that ended by itself in the very last moment, too: the clock decides.
            why = task._why_stopped or "lease over"  # noqa: SLF001 - a part of it
            _LOG.warning("%s was stopped: %s", task.id, why)
            return None
        if work.cancelled():
            return "fail", {"error": "the handler was cancelled", "retryable": True}
        error = work.exception()
        if error is None:
            result = work.result()
            try:
                json.dumps(result, allow_nan=False)
            except (TypeError, ValueError) as unfit:
                told = f"the handler's result is no JSON: {unfit}"
                return "fail", {"error": told, "retryable": False}
            return "complete", body_of(result=result, amount=task._amount)  # noqa: SLF001
        if isinstance(error, (Fenced, LeaseOver)):
            _LOG.warning("%s is no longer ours: %s", task.id, error)
            return None
        words = str(error) or "without a word"
        if not isinstance(error, Reject | Retry):
            _LOG.warning("%s failed", task.id, exc_info=error)
            words = f"{type(error).__name__}: {words}"
        error_text = words[:_ERROR_CHARACTERS_MAX]
        body = {"error": error_text, "retryable": not isinstance(error, Reject)}
        if isinstance(error, Retry) and error.after is not None:
            body["retry_in_ms"] = max(round(error.after * 1000), 0)
        if isinstance(error, Snooze):
            body["snooze"] = True
        if isinstance(error, Busy):
            self._refusal = error
        return "fail", body

    async def _tell(self, route: str, body: dict[str, Any]) -> None:
        task = self.task
        key = f"{task.id}.{task.token}"
        try:
            if self._refusal is not None:
                await self._shut(self._refusal)
            try:
                await self._end(route, body, key)
            except Problem as problem:
                if problem.status not in (400, 413, 422):
                    raise
                _LOG.warning("%s: the hub does not take the result: %s", task.id, problem)
                told = f"the hub does not take the result: {problem.detail}"
                await self._end("fail", {"error": told, "retryable": False}, f"{key}.refused")
        except Fenced:
            _LOG.warning("%s was lost before: what was done has no effect", task.id)
        except ReefError as error:
            _LOG.warning("the end of %s cannot be told: %s", task.id, error)

    async def _shut(self, refusal: Busy) -> None:
        after = min(max(round((refusal.after or 0) * 1000), 1), _PENALTY_MS_MAX)
        told = {"retry_after_ms": after, "task_id": self.task.id, "token": self.task.token}
        try:
            await self._calls.request("POST", api("limits", refusal.limit, "penalty"), json=told)
        except Fenced:
            raise
        except ReefError as error:
            _LOG.warning("%s: the limit %s stays open: %s", self.task.id, refusal.limit, error)

    async def _end(self, route: str, body: dict[str, Any], key: str) -> None:
        await self._calls.request(
            "POST",
            api("tasks", self.task.id, route),
            json=body_of(token=self.task.token, usage=self.task._used.reports, **body),  # noqa: SLF001
            idempotency_key=key,
            patience=_END_PATIENCE,
        )

    async def _watch_lease(self) -> None:
        """Stops the handler in time when nothing renews the lease."""
        lease = self.task._lease  # noqa: SLF001 - a part of it
        while not lease.is_over:
            await _clock.sleep_until(lease.ends_at)
        self.stop("lost")

    async def _keep(self) -> None:
        """Tells progress, and renews the lease where no heartbeat did."""
        task, lease = self.task, self.task._lease  # noqa: SLF001 - a part of it
        while True:
            renewal = asyncio.ensure_future(_clock.sleep_until(lease.renew_at))
            progress = asyncio.ensure_future(task._progressed.wait())  # noqa: SLF001
            try:
                await asyncio.wait({renewal, progress}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                renewal.cancel()
                progress.cancel()
            has_progressed = task._progressed.is_set()  # noqa: SLF001
            if not has_progressed and lease.renew_at > _clock.now():
                continue
            task._progressed.clear()  # noqa: SLF001
            try:
                if not await self.renew():
                    return
            except Unreachable:
                if has_progressed:
                    task._progressed.set()  # noqa: SLF001
                await asyncio.sleep(_RENEW_PAUSE)
            else:
                await asyncio.sleep(_PROGRESS_PAUSE)

    async def renew(self) -> bool:
        """Renews the lease and tells progress. Whether the task is still ours."""
        task, lease = self.task, self.task._lease  # noqa: SLF001 - a part of it
        asked = _clock.now()
        kept = task._replay.untold()  # noqa: SLF001 - a part of it
        body = body_of(
            token=task.token,
            lease_ms=round(lease.seconds * 1000),
            progress=task._progress,  # noqa: SLF001
            usage=task._used.reports,  # noqa: SLF001
            checkpoint=kept,
        )
        try:
            standing: types.TaskProgressAnswer = await self._calls.request(
                "POST",
                api("tasks", task.id, "progress"),
                json=body,
                repeatable=True,
                patience=0,
            )
        except Problem as problem:
            if problem.status in (429, 502, 503, 504):
                raise Unreachable(problem.detail) from problem
            if not task._is_waiting:  # noqa: SLF001 - a part of it
                _LOG.warning("%s is not renewed: %s", task.id, problem)
            self.revoke()
            return False
        task._replay.tell(kept)  # noqa: SLF001 - a part of it
        # Never longer than the task's own timeout allows.
        lease.seconds = min(lease.seconds, standing["lease_ms"] / 1000)
        lease.renew(asked)
        task.budget = standing.get("budget", task.budget)
        if standing["cancelled"]:
            self.stop("cancelled")
            return False
        if standing.get("wait_id") is not None:
            # The claim is over, and the task begins again once somebody lets it.
            self.stop("over budget")
            return False
        return True
