"""An event loop in a thread of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Portal:
    """Runs coroutines in the background thread, and waits for them in the caller's."""

    def __init__(self) -> None:
        """Starts the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="reef-agents", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def call(self, awaitable: Awaitable[R]) -> R:
        """Waits for it; whatever interrupts that cancels it."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("this would wait for itself: callbacks take the async client")

        async def whole() -> R:
            return await awaitable

        future = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, coroutine: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """Begins it without waiting."""

        async def begun() -> asyncio.Task[R]:
            return asyncio.ensure_future(coroutine)

        return self.call(begun())

    def soon(self, function: Callable[[], object]) -> None:
        """Has a function called in the loop's thread."""
        self._loop.call_soon_threadsafe(function)

    def iterate(self, items: AsyncIterator[R]) -> Iterator[R]:
        """Item by item; whoever stops early has it closed."""

        async def following() -> tuple[R] | None:
            try:
                return (await anext(items),)
            except StopAsyncIteration:
                return None

        try:
            while (item := self.call(following())) is not None:
                yield item[0]
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                self.call(close())

    def close(self) -> None:
        """Ends the thread."""

        async def finish() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await self._loop.shutdown_asyncgens()

        self.call(finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Facade:
    """What is called from any thread, and does its work in the loop's."""

    def __init__(self, portal: Portal, inner: Any) -> None:
        """``inner`` is what it stands before."""
        self._portal = portal
        self._inner = inner

    def __repr__(self) -> str:
        return f"sync.{self._inner!r}"


def blocking(
    function: Callable[Concatenate[Any, P], Awaitable[R]],
) -> Callable[Concatenate[Any, P], R]:
    """The method of a façade that waits for this one."""

    @wraps(function)
    def method(self: Facade, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._portal.call(function(self._inner, *args, **kwargs))

    return method


def iterating(
    function: Callable[Concatenate[Any, P], AsyncIterator[R]],
) -> Callable[Concatenate[Any, P], Iterator[R]]:
    """The method of a façade that goes through what this one gives."""

    @wraps(function)
    def method(self: Facade, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        return self._portal.iterate(function(self._inner, *args, **kwargs))

    return method


def wrapping(
    function: Callable[Concatenate[Any, P], Awaitable[Any]], wrapper: Callable[[Portal, Any], R]
) -> Callable[Concatenate[Any, P], R]:
    """As :func:`blocking`; what it returns has a façade, too."""

    @wraps(function)
    def method(self: Facade, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return wrapper(self._portal, self._portal.call(function(self._inner, *args, **kwargs)))

    return method
