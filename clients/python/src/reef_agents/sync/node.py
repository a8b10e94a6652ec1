"""Being a node, with plain functions as handlers."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, TypeVar, overload

from .. import node as node_
from .. import task as task_
from .. import writer
from .._portal import Facade, Portal, blocking
from ..errors import Waiting
from ..ledger import Amount, amount_text
from ..waits import Decision
from .nouns import Writer

H = TypeVar("H", bound="Callable[[Task], object]")


class Task(Facade):
    """As :class:`reef_agents.Task`."""

    approval = blocking(task_.Task.approval)
    signal = blocking(task_.Task.signal)
    sleep = blocking(task_.Task.sleep)
    wait_for = blocking(task_.Task.wait_for)
    children = blocking(task_.Task.children)
    signals = blocking(task_.Task.signals)

    def __init__(self, portal: Portal, inner: task_.Task) -> None:
        """As it was claimed."""
        super().__init__(portal, inner)
        self.raw, self.id, self.name = inner.raw, inner.id, inner.name
        self.description, self.parameters = inner.description, inner.parameters
        self.metadata, self.session_id = inner.metadata, inner.session_id
        self.message_id, self.token = inner.message_id, inner.token
        self.attempt, self.epoch = inner.attempt, inner.epoch
        self.inputs, self.resume = inner.inputs, inner.resume

    @property
    def checkpoint(self) -> Any:
        """What :meth:`save` was given last, also by an earlier claim."""
        return self._inner.checkpoint

    def save(self, state: Any) -> None:
        """Keeps a value for the claims after this one. It is sent soon, and with the next wait."""

        async def kept() -> None:
            self._inner.save(state)

        self._portal.call(kept())

    @property
    def decision(self) -> Decision | None:
        """What was decided before it was given out, if its submission asked for that."""
        decision: Decision | None = self._inner.decision
        return decision

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled it."""
        return bool(self._inner.cancelled)

    @property
    def lease_is_over(self) -> bool:
        """Whether it may be another node's by now."""
        return bool(self._inner.lease_is_over)

    def raise_if_cancelled(self) -> None:
        """To be called now and then, since a thread cannot be cancelled."""
        self._inner.raise_if_cancelled()

    def progress(self, share: float) -> None:
        """Says how much is done, 0–1."""
        if not 0 <= share <= 1:
            raise ValueError(f"progress is between 0 and 1, not {share}")
        self._portal.soon(lambda: self._inner.progress(share))

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
        """Adds what a call of a model has used. It is reported soon, and with the end."""
        given = None if cost is None else amount_text(cost)
        self._portal.soon(
            lambda: self._inner.used(
                model,
                provider=provider,
                input=input,
                output=output,
                cached=cached,
                reasoning=reasoning,
                requests=requests,
                cost=given,
            )
        )

    def costs(self, amount: Amount) -> None:
        """Says what its completion costs whoever pays for it, if less than its ``charge``."""
        self._inner.costs(amount)

    def message(self) -> Writer:
        """Writes to the session's message of this task."""

        async def made() -> writer.Writer:
            inner: writer.Writer = self._inner.message()
            return inner

        return Writer(self._portal, self._portal.call(made()))


class Node(Facade):
    """As :class:`reef_agents.Node`, with plain functions as handlers."""

    _inner: node_.Node

    def __enter__(self) -> Node:
        self._portal.call(self._inner.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._portal.call(self._inner.__aexit__(kind, error, at))

    @property
    def id(self) -> str:
        """Its id."""
        return self._inner.id

    @property
    def leader(self) -> str | None:
        """Who leads, by the last heartbeat."""
        return self._inner.leader

    @property
    def draining(self) -> bool:
        """It is in maintenance: it is given no tasks."""
        return self._inner.draining

    @overload
    def task(self, handler: H) -> H: ...

    @overload
    def task(self, *, name: str | None = None, lease: float = 30) -> Callable[[H], H]: ...

    def task(
        self, handler: H | None = None, *, name: str | None = None, lease: float = 30
    ) -> H | Callable[[H], H]:
        """Makes a function the handler of tasks."""

        def take(handler: H) -> H:
            async def in_thread(task: task_.Task) -> object:
                return await _in_thread(lambda: handler(Task(self._portal, task)))

            self._inner.worker(in_thread, name=name, lease=lease)
            return handler

        return take if handler is None else take(handler)

    def worker(
        self, handler: Callable[[Task], object], *, name: str | None = None, lease: float = 30
    ) -> None:
        """As :meth:`task`, without a decorator."""
        self.task(name=name, lease=lease)(handler)

    def on_drain(self, callback: Callable[[], object]) -> None:
        """Has a function called, in a thread of its own, when this node is put to maintenance."""
        self._inner.on_drain(lambda: threading.Thread(target=callback, daemon=True).start())

    def stop(self) -> None:
        """Has :meth:`run` return once what runs has ended."""
        self._portal.soon(self._inner.stop)

    def run(self, *, drain_timeout: float = 30, signals: bool = True) -> None:
        """Claims tasks and runs their handlers, until :meth:`stop`, SIGTERM or SIGINT."""
        before = {}
        if signals and threading.current_thread() is threading.main_thread():

            def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
                self.stop()

            for number in (signal.SIGTERM, signal.SIGINT):
                before[number] = signal.signal(number, ask_to_stop)
        try:
            self._portal.call(self._inner.run(drain_timeout=drain_timeout, signals=False))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def _in_thread(function: Callable[[], object]) -> object:
    """Its result, from a thread that nobody waits for when the program ends."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[object] = loop.create_future()

    def tell(result: object, error: BaseException | None) -> None:
        if ended.cancelled():
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(result)

    def run() -> None:
        result: object = None
        failure: BaseException | None = None
        try:
            result = function()
        except (Exception, Waiting) as error:
            failure = error
        except BaseException as error:
            # It ends this thread, and no program.
            failure = RuntimeError(f"the handler ended its thread: {error!r}")
        # The loop may be over before the function is.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=run, name="reef-task", daemon=True).start()
    return await ended
