"""A clock that goes on while the machine sleeps.

A hub's lease runs on while a laptop is closed. The clock of ``asyncio`` stands still for that time
on Linux, so leases are counted with this one.
"""

import asyncio
import sys
import time

#: How long one sleep is at most: no timer of the event loop runs on while the machine sleeps.
_SLICE = 0.2


def now() -> float:
    """Seconds since some fixed moment, those that the machine slept included."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


async def sleep_until(moment: float) -> None:
    """Sleeps until then, and wakes as soon as the machine does if that slept longer."""
    while (left := moment - now()) > 0:  # noqa: ASYNC110 - no event tells the time
        await asyncio.sleep(min(left, _SLICE))
