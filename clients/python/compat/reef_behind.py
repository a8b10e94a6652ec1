"""What all of these modules share: the hub behind them, and its words in theirs."""

from __future__ import annotations

import asyncio
import os
import weakref
from datetime import datetime
from typing import Any

from reef_agents import Reef, ReefError

_HUBS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Reef]]
_HUBS = weakref.WeakKeyDictionary()


def hub(url: str | None = None) -> Reef:
    """The hub: of this address, else of ``REEF_HUB``; one client for each event loop."""
    url = url or os.environ.get("REEF_HUB") or "http://localhost:8888"
    of_loop = _HUBS.setdefault(asyncio.get_running_loop(), {})
    if url not in of_loop:
        of_loop[url] = Reef(url)
    return of_loop[url]


async def ask(method: str, path: str, **how: Any) -> Any:
    """Any route below ``/api/v1``."""
    return await hub().request(method, f"/api/v1{path}", **how)


async def tried(method: str, path: str, **how: Any) -> bool:
    """Whether it succeeded: the older calls told failures as ``False``."""
    try:
        await ask(method, path, **how)
    except ReefError:
        return False
    return True


def moment(text: str | None) -> datetime | None:
    """A time of the hub as the older services had them: local, without a zone."""
    if not text:
        return None
    there = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return there.astimezone().replace(tzinfo=None)
