"""Waiting that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

#: How long what was cancelled may take to clean up, in seconds.
_CLEAN_UP = 10.0


async def within(work: Coroutine[Any, Any, R], seconds: float | None) -> R:
    """Its result; ``TimeoutError`` when it takes longer, and then it is cancelled.

    ``asyncio.wait_for`` of Python 3.10 and 3.11 can lose a cancellation that comes in the moment
    of the result, and with it the order to stop.
    """
    running = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({running}, timeout=seconds)
    except asyncio.CancelledError:
        await _stop(running)
        raise
    if not done:
        await _stop(running)
        raise TimeoutError(f"it did not end within {seconds:g} s")
    return running.result()


async def _stop(running: asyncio.Future[Any]) -> None:
    running.cancel()
    await asyncio.wait({running}, timeout=_CLEAN_UP)
    if running.done() and not running.cancelled():
        # Nobody asks for it any more.
        running.exception()
