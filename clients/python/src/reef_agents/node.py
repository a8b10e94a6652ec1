"""Being a node: registered, alive, and working off the queue."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import _clock, _machine
from ._bounded import within
from ._calls import Calls, api, body_of
from ._claims import Claim, Handler
from ._lease import Lease
from ._polling import WAIT_MAX
from .errors import Fenced, NotFound, ReefError, Replaced, Unreachable
from .task import Task

if TYPE_CHECKING:
    from . import types

_LOG = logging.getLogger("reef_agents")

_PACE_MIN, _PACE_MAX = 0.05, 60.0
_PAUSE_MIN, _PAUSE_MAX = 0.25, 3.0
#: An answer that came as soon as this leaves the lease as good as new; a later one is confirmed
#: before anything is done.
_FRESH = 1.0
#: The pause after an empty answer that did not wait, as from a hub without long polls.
_IDLE_PAUSE = 1.0
#: How long is said good-bye.
_HASTE = 2.0

H = TypeVar("H", bound=Callable[[Task], Awaitable[object]])


class Node:
    """A node of the cluster, registered for as long as its context lasts."""

    def __init__(
        self,
        calls: Calls,
        name: str,
        *,
        skills: Sequence[str],
        capacity: int = 1,
        tags: Sequence[str] | None = None,
        hostname: str | None = None,
        ip_address: str | None = None,
        port: int | None = None,
        figures: Callable[[], dict[str, float]] = _machine.figures,
    ) -> None:
        """Nothing is asked yet. ``figures``: what heartbeats say of the machine, in percent."""
        if not skills:
            raise ValueError("a node has at least one skill: tasks are given out by them")
        self._calls = calls
        #: Its id; the hub may know its host under another, which is taken over then.
        self.id = name
        self.capacity = capacity
        self._registration = body_of(
            hostname=hostname or name,
            platform=_machine.system(),
            arch=_machine.architecture(),
            available_skills=list(skills),
            max_concurrent_tasks=capacity,
            tags=list(tags) if tags is not None else None,
            ip_address=ip_address,
            port=port,
        )
        self._figures = figures
        #: Grows with every registration: the node's fencing token.
        self.incarnation = 0
        #: Who leads the cluster, by the last heartbeat, and in which term.
        self.leader: str | None = None
        self.term = 0
        #: How much mail waits for it, by the last heartbeat.
        self.mail = 0
        #: It is in maintenance: it is given no tasks.
        self.draining = False
        self._on_drain: list[Callable[[], object]] = []
        self._handlers: dict[str | None, Handler] = {}
        self._lease = 30.0
        self._claims: dict[str, Claim] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._beats: asyncio.Task[None] | None = None
        self._beat_wanted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._is_replaced = False
        #: No heartbeat is on its way.
        self._is_settled = asyncio.Event()
        self._is_settled.set()

    def __repr__(self) -> str:
        return f"Node({self.id!r})"

    async def __aenter__(self) -> Node:
        await self._register()
        self._beats = asyncio.create_task(self._beat_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop_all("leaving")
        for running in self._running:
            running.cancel()
        if self._beats is not None:
            self._beats.cancel()
        await asyncio.gather(*self._running, *filter(None, [self._beats]), return_exceptions=True)
        if self._is_replaced:
            # It would sign the other one off.
            return
        # Whatever is left goes back to the queue, without costing a try.
        try:
            path = api("nodes", self.id, "shutdown")
            await self._calls.request("POST", path, timeout=_HASTE * 2, patience=_HASTE * 2)
        except ReefError as failed:
            _LOG.warning("the hub does not know that %s is gone: %s", self.id, failed)

    # What it does.

    @overload
    def task(self, handler: H) -> H: ...

    @overload
    def task(self, *, name: str | None = None, lease: float = 30) -> Callable[[H], H]: ...

    def task(
        self, handler: H | None = None, *, name: str | None = None, lease: float = 30
    ) -> H | Callable[[H], H]:
        """Makes a function the handler of tasks: those of a name, or all that have no other.

        What it returns is the task's result. :class:`Retry` and any other exception fail this try,
        :class:`Reject` the task; :class:`Waiting` does neither. Its lease of ``lease`` seconds is
        renewed while it runs; when that does not succeed, or somebody cancels the task, the
        function is cancelled.
        """

        def take(handler: H) -> H:
            if name in self._handlers:
                raise ValueError(f"two handlers for {name or 'all other tasks'}")
            # One claim brings tasks of all names, so there is one lease: the longest.
            self._lease = max(self._lease, lease) if self._handlers else lease
            self._handlers[name] = handler
            return handler

        return take if handler is None else take(handler)

    def worker(self, handler: Handler, *, name: str | None = None, lease: float = 30) -> None:
        """As :meth:`task`, without a decorator."""
        self.task(name=name, lease=lease)(handler)

    def on_drain(self, callback: Callable[[], object]) -> None:
        """Has a function called when somebody puts this node into maintenance."""
        self._on_drain.append(callback)

    def stop(self) -> None:
        """Has :meth:`run` take nothing new and return once what runs has ended."""
        self._stopping.set()

    async def run(self, *, drain_timeout: float = 30, signals: bool = True) -> None:
        """Claims tasks and runs their handlers, until :meth:`stop`, SIGTERM or SIGINT.

        Then nothing new is claimed; what still runs after ``drain_timeout`` seconds is cancelled,
        and goes back to the queue. :class:`Replaced` when another process takes the name.
        """
        if not self._handlers:
            raise ValueError("no handler: decorate one with @node.task before node.run()")
        beats = self._beats
        if beats is None:
            raise ValueError("the node is not registered: async with reef.node(…) as node")
        handled = self._handle_signals() if signals else []
        work = asyncio.create_task(self._work())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({work, stopping, beats}, return_when=asyncio.FIRST_COMPLETED)
            if beats.done():
                self._stop_all("lost")
                await self._finish(_HASTE)
                beats.result()
            if work.done():
                work.result()
            await self._drain(work, drain_timeout)
        finally:
            work.cancel()
            stopping.cancel()
            await asyncio.gather(work, stopping, return_exceptions=True)
            loop = asyncio.get_running_loop()
            for number in handled:
                loop.remove_signal_handler(number)

    def _handle_signals(self) -> list[signal.Signals]:
        handled: list[signal.Signals] = []
        if threading.current_thread() is not threading.main_thread():
            return handled
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, self.stop)
                handled.append(number)
        return handled

    # Claiming.

    async def _work(self) -> None:
        """Claims as many tasks as there is room for, and runs them."""
        while not self._stopping.is_set():
            room = self.capacity - len(self._running)
            if room <= 0:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                continue
            asked = _clock.now()
            for task in await self._claim(room):
                running = asyncio.create_task(self._run(task, asked))
                self._running.add(running)
                running.add_done_callback(self._ended)

    def _ended(self, running: asyncio.Task[None]) -> None:
        self._running.discard(running)
        if not running.cancelled() and (error := running.exception()) is not None:
            _LOG.error("a task was left behind", exc_info=error)

    async def _claim(self, room: int) -> list[types.ClaimedTask]:
        asked = _clock.now()
        body = {
            "node_id": self.id,
            "limit": min(room, 100),
            "lease_ms": round(self._lease * 1000),
            "wait_ms": round(WAIT_MAX * 1000),
        }
        try:
            answer: types.TaskClaimAnswer = await self._calls.request(
                "POST", api("tasks", "claim"), json=body, timeout=WAIT_MAX + 15
            )
        except ReefError as error:
            if isinstance(error, NotFound):
                # The next heartbeat registers again.
                self._beat_wanted.set()
            _LOG.warning("no tasks can be claimed: %s", error)
            await asyncio.sleep(_HASTE * random.uniform(0.5, 1))  # noqa: S311 - spreads load
            return []
        if not answer["tasks"] and _clock.now() - asked < _IDLE_PAUSE:
            await asyncio.sleep(_IDLE_PAUSE)
        return answer["tasks"]

    async def _run(self, told: types.ClaimedTask, asked: float) -> None:
        task = Task(self._calls, told, Lease(self._lease, asked))
        handler = self._handlers.get(task.name) or self._handlers.get(None)
        claim = Claim(self._calls, task, handler, self._settle)
        # By tokens: a task that was lost may come back under another before the first is gone.
        self._claims[task.token] = claim
        try:
            if _clock.now() - asked > _FRESH and not await self._confirm(claim):
                return
            await claim.run()
        finally:
            del self._claims[task.token]
            if claim.has_stopped:
                # The hub counts it as running until it hears otherwise.
                self._beat_wanted.set()

    async def _settle(self) -> None:
        """Waits until no heartbeat is on its way, but not for long."""
        with suppress(TimeoutError):
            await within(self._is_settled.wait(), _FRESH)

    async def _confirm(self, claim: Claim) -> bool:
        """Makes sure that a claim whose answer took its time is still ours."""
        while not claim.has_stopped:
            try:
                return await claim.renew()
            except Unreachable:
                if claim.task.lease_is_over:
                    break
                await asyncio.sleep(_PAUSE_MIN)
        return False

    def _stop_all(self, why: str) -> None:
        for claim in self._claims.values():
            claim.stop(why)

    async def _drain(self, work: asyncio.Task[None], patience: float) -> None:
        """Takes nothing new and waits for what runs, for as long as it may take."""
        try:
            if self._running:
                # A claim that is waiting could still be given a task.
                path = api("nodes", self.id)
                body = {"status": "maintenance"}
                await self._calls.request("PATCH", path, json=body, timeout=_HASTE, patience=0)
        except ReefError as error:
            _LOG.warning("the hub does not know that %s is leaving: %s", self.id, error)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if not await self._finish(patience):
            _LOG.warning("%d tasks take too long and are left", len(self._running))
            self._stop_all("leaving")
            await self._finish(_HASTE)

    async def _finish(self, patience: float) -> bool:
        if not self._running:
            return True
        _, pending = await asyncio.wait(set(self._running), timeout=patience)
        return not pending

    # Being alive.

    async def _register(self) -> None:
        body = {**self._registration, "node_id": self.id}
        answer: types.Registered = await self._calls.request(
            "POST", api("nodes", "register"), json=body
        )
        self.id = answer["node_id"]
        self.incarnation = answer["node_info"]["incarnation"]

    async def _beat_on(self) -> None:
        """Sends heartbeats at the hub's pace. Ends only with :class:`Replaced`."""
        pause = _PAUSE_MIN
        while True:
            try:
                wait = await self._beat()
                pause = _PAUSE_MIN
            except Fenced as fenced:
                self._is_replaced = True
                self._stop_all("lost")
                raise Replaced(f"another process runs as {self.id}") from fenced
            # An answer that makes no sense must not end the heartbeats either.
            except (ReefError, KeyError, TypeError, ValueError) as error:
                _LOG.warning("no heartbeat: %s", error)
                if isinstance(error, NotFound):
                    try:
                        await self._register()
                    except ReefError as refused:
                        _LOG.warning("not registered again: %s", refused)
                wait = pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
                pause = min(pause * 2, _PAUSE_MAX)
            self._beat_wanted.clear()
            with suppress(TimeoutError):
                await within(self._beat_wanted.wait(), wait)

    async def _beat(self) -> float:
        """Sends one, which renews all claims; returns the seconds to the next."""
        listed = {token: claim for token, claim in self._claims.items() if not claim.has_stopped}
        body: dict[str, Any] = {
            **self._figures(),
            "running_tasks": sum(claim.is_running for claim in self._claims.values()),
            "claims": [
                {"task_id": claim.task.id, "token": token}
                for token, claim in list(listed.items())[:100]
            ],
            "incarnation": self.incarnation,
        }
        asked = _clock.now()
        self._is_settled.clear()
        try:
            answer: types.HeartbeatAnswer = await self._calls.request(
                "POST", api("nodes", self.id, "heartbeat"), json=body, repeatable=True, patience=0
            )
        finally:
            self._is_settled.set()
        for claim in listed.values():
            if claim.task.id in answer["renewed"]:
                claim.task._lease.renew(asked)  # noqa: SLF001 - the node keeps it
            if claim.task.id in answer["revoked"]:
                claim.revoke()
            if claim.task.id in answer["cancelled"]:
                claim.stop("cancelled")
        self.leader, self.term, self.mail = answer["leader"], answer["term"], answer["inbox"]
        was_draining, self.draining = self.draining, answer["drain"]
        if self.draining and not was_draining and not self._stopping.is_set():
            for callback in self._on_drain:
                try:
                    callback()
                except Exception:
                    _LOG.exception("a callback of on_drain failed")
        return min(max(answer["next_heartbeat_ms"] / 1000, _PACE_MIN), _PACE_MAX)
