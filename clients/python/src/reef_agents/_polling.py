"""Long polls: asking until something has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ._calls import Calls

#: How long a hub waits at most within one request, in seconds.
WAIT_MAX = 30.0
#: An answer that came sooner than this was not waited for.
_NO_POLL = 1.0


async def until(
    calls: Calls, path: str, has_ended: Callable[[Any], bool], timeout: float | None
) -> Any:
    """What is found at the path once it has ended, or as it is after ``timeout`` seconds."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = WAIT_MAX if deadline is None else max(deadline - time.monotonic(), 0)
        wait = min(left, WAIT_MAX)
        asked = time.monotonic()
        found = await calls.request(
            "GET", path, query={"wait_ms": round(wait * 1000)}, timeout=wait + 15
        )
        now = time.monotonic()
        if has_ended(found) or (deadline is not None and now >= deadline):
            return found
        if now - asked < _NO_POLL:
            # This hub does not wait: it runs under Spin.
            await asyncio.sleep(min(_NO_POLL, left))
