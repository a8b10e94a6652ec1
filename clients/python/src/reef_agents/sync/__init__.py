"""The same client for programs without an event loop: ``from reef_agents.sync import Reef``.

It is the code of :mod:`reef_agents`, run by a thread in the background. Handlers of tasks are plain
functions, each in a thread of its own. A thread cannot be cancelled: a handler that may run for
long calls ``task.raise_if_cancelled()`` now and then. What it does after its lease is refused.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from .. import client
from .. import node as node_
from .._calls import PATIENCE, TIMEOUT
from .._portal import Portal, blocking
from .._transport import Transport
from ..leadership import Lead
from .node import Node, Task
from .nouns import (
    Agents,
    Asked,
    Budgets,
    Bulk,
    Cluster,
    Groups,
    Inbox,
    Ledger,
    Limits,
    Mail,
    Market,
    Message,
    Nodes,
    Prices,
    Schedules,
    Sent,
    Session,
    Sessions,
    Tasks,
    Usage,
    Waits,
    Writer,
)

__all__ = [
    "Asked",
    "Inbox",
    "Lead",
    "Mail",
    "Message",
    "Node",
    "Reef",
    "Sent",
    "Session",
    "Task",
    "Writer",
]


class Reef:
    """As :class:`reef_agents.Reef`: ``with Reef() as reef``."""

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        key_file: str | os.PathLike[str] | None = None,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        transport: Transport | None = None,
    ) -> None:
        """The places where address and key are looked for are the same, too."""
        self._portal = Portal()

        async def made() -> client.Reef:
            return client.Reef(
                url,
                key=key,
                key_file=key_file,
                timeout=timeout,
                patience=patience,
                transport=transport,
            )

        try:
            self._inner = self._portal.call(made())
        except BaseException:
            self._portal.close()
            raise
        self.url = self._inner.url
        self.agents = Agents(self._portal, self._inner.agents)
        self.cluster = Cluster(self._portal, self._inner.cluster)
        self.groups = Groups(self._portal, self._inner.groups)
        self.bulk = Bulk(self._portal, self._inner.bulk)
        self.ledger = Ledger(self._portal, self._inner.ledger)
        self.limits = Limits(self._portal, self._inner.limits)
        self.market = Market(self._portal, self._inner.market)
        self.nodes = Nodes(self._portal, self._inner.nodes)
        self.schedules = Schedules(self._portal, self._inner.schedules)
        self.usage = Usage(self._portal, self._inner.usage)
        self.budgets = Budgets(self._portal, self._inner.budgets)
        self.prices = Prices(self._portal, self._inner.prices)
        self.sessions = Sessions(self._portal, self._inner.sessions)
        self.tasks = Tasks(self._portal, self._inner.tasks)
        self.waits = Waits(self._portal, self._inner.waits)

    request = blocking(client.Reef.request)

    def __enter__(self) -> Reef:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections, and the thread."""
        self._portal.call(self._inner.close())
        self._portal.close()

    def node(self, name: str, *, skills: Sequence[str], **more: Any) -> Node:
        """A node under this name: ``with reef.node("gpu-1", skills=["gpu"]) as node``."""

        async def made() -> node_.Node:
            return self._inner.node(name, skills=skills, **more)

        return Node(self._portal, self._portal.call(made()))

    def session(self, session_id: str) -> Session:
        """A session that is there."""
        return Session(self._portal, self._inner.session(session_id))

    def message(self, message_id: str, session_id: str | None = None) -> Message:
        """A message."""
        return Message(self._portal, self._inner.message(message_id, session_id))

    def inbox(self, agent: str) -> Inbox:
        """The inbox of an agent or a node."""
        return Inbox(self._portal, self._inner.inbox(agent))

    @contextmanager
    def leadership(
        self, node: Node | str, *, ttl: float = 30, patience: float | None = None
    ) -> Iterator[Lead]:
        """Waits to be elected, and leads as long as the block runs.

        A block without an event loop cannot be cancelled: it calls ``lead.raise_if_lost()`` before
        what only a leader may do. At its end a lead that was lost is raised, too.
        """
        inner = node._inner if isinstance(node, Node) else node  # noqa: SLF001
        portal = self._portal

        async def begin() -> tuple[asyncio.Future[Lead], asyncio.Event, asyncio.Task[None]]:
            elected: asyncio.Future[Lead] = asyncio.get_running_loop().create_future()
            released = asyncio.Event()

            async def hold() -> None:
                async with self._inner.leadership(inner, ttl=ttl, patience=patience) as lead:
                    elected.set_result(lead)
                    await released.wait()

            return elected, released, asyncio.ensure_future(hold())

        elected, released, holding = portal.call(begin())

        async def outcome() -> Lead:
            either: set[asyncio.Future[Any]] = {elected, holding}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not elected.done():
                await holding
            return elected.result()

        async def end() -> None:
            released.set()
            await holding

        try:
            yield portal.call(outcome())
        except BaseException:
            portal.soon(holding.cancel)
            raise
        portal.call(end())
