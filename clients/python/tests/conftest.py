"""What the tests share: one hub for all that do not break it, and names of their own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hub import PATIENCE, Hub, Redis

from reef_agents import Node, Reef

T = TypeVar("T")


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that goes on, for tests that take nothing but names of their own."""
    hub = Hub(tmp_path_factory.mktemp("hub") / "state")
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub that the test may kill."""
    hub = Hub(tmp_path / "state")
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that the test may kill."""
    redis = Redis(tmp_path / "redis")
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Names that no other test has."""
    mark = uuid.uuid4().hex[:10]
    return lambda name: f"{name}-{mark}"


def run(main: Coroutine[Any, Any, T], patience: float = PATIENCE) -> T:
    """Runs a test's coroutine, but not for ever."""

    async def bounded() -> T:
        return await asyncio.wait_for(main, patience)

    return asyncio.run(bounded())


def admin(hub: Hub) -> Reef:
    """The hub as its admin."""
    return Reef(hub.url, key=hub.admin_key)


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Waits until a condition holds that nothing tells of. The test's own time bounds it."""
    while not await condition():  # noqa: ASYNC110 - that is what it is for
        await asyncio.sleep(0.05)


async def work(node: Node, until_done: Callable[[], Awaitable[None]]) -> None:
    """Runs a node until something else is done."""
    running = asyncio.create_task(node.run(signals=False))
    done = asyncio.ensure_future(until_done())
    await asyncio.wait({running, done}, return_when=asyncio.FIRST_COMPLETED)
    node.stop()
    await running
    done.result()
