"""The client: one hub, as one caller."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _settings
from ._calls import PATIENCE, TIMEOUT, Calls, RequestOptions
from ._transport import HttpxTransport, Transport
from .agents import Agents
from .bulk import Bulk
from .cluster import Cluster
from .groups import Groups
from .inbox import Inbox
from .leadership import Lead, leadership
from .ledger import Ledger
from .limits import Limits
from .market import Market
from .message import Message
from .node import Node
from .nodes import Nodes
from .schedules import Schedules
from .session import Session, Sessions
from .tasks import Tasks
from .usage import Budgets, Prices, Usage
from .waits import Waits

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Reef:
    """A hub. ``async with Reef() as reef`` closes its connections in the end.

    Without an address it is that of ``REEF_HUB``, else ``http://127.0.0.1:8888``. Without a key it
    is that of ``REEF_KEY_FILE`` or ``REEF_API_KEY``, else the admin key that a hub on this machine
    has left in ``.reef`` (or ``REEF_STATE_DIR``).
    """

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
        """``timeout`` is for one answer; while the hub is away, it is asked for ``patience`` s."""
        #: The hub's address.
        self.url = _settings.hub_url(url)
        found = _settings.hub_key(self.url, key, key_file)
        transport = transport or HttpxTransport(_settings.trust())
        self._calls = Calls(self.url, found, transport, timeout, patience)
        self.agents = Agents(self._calls)
        self.cluster = Cluster(self._calls)
        self.groups = Groups(self._calls)
        self.bulk = Bulk(self._calls)
        self.ledger = Ledger(self._calls)
        self.limits = Limits(self._calls)
        self.market = Market(self._calls)
        self.nodes = Nodes(self._calls)
        self.schedules = Schedules(self._calls)
        self.sessions = Sessions(self._calls)
        self.tasks = Tasks(self._calls)
        self.usage = Usage(self._calls)
        self.budgets = Budgets(self._calls)
        self.prices = Prices(self._calls)
        self.waits = Waits(self._calls)

    async def __aenter__(self) -> Reef:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all connections."""
        await self._calls.close()

    def node(
        self,
        name: str,
        *,
        skills: Sequence[str],
        capacity: int = 1,
        tags: Sequence[str] | None = None,
        hostname: str | None = None,
        ip_address: str | None = None,
        port: int | None = None,
        figures: Callable[[], dict[str, float]] | None = None,
    ) -> Node:
        """A node under this name: ``async with reef.node("gpu-1", skills=["gpu"]) as node``."""
        extra = {"figures": figures} if figures is not None else {}
        return Node(
            self._calls,
            name,
            skills=skills,
            capacity=capacity,
            tags=tags,
            hostname=hostname,
            ip_address=ip_address,
            port=port,
            **extra,
        )

    def session(self, session_id: str) -> Session:
        """A session that is there; ``await reef.sessions.open(id)`` makes one."""
        return Session(self._calls, session_id)

    def message(self, message_id: str, session_id: str | None = None) -> Message:
        """A message."""
        return Message(self._calls, message_id, session_id)

    def inbox(self, agent: str) -> Inbox:
        """The inbox of an agent or a node."""
        return Inbox(self._calls, agent)

    def leadership(
        self, node: Node | str, *, ttl: float = 30, patience: float | None = None
    ) -> AbstractAsyncContextManager[Lead]:
        """Waits to be elected, and leads as long as the block runs or until the lead is lost.

        The block is cancelled then, and :class:`LeadershipLost` raised.
        """
        return leadership(self._calls, node, ttl=ttl, patience=patience)

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Any:
        """Any other route, with the same key, repeats and errors; returns the answer's JSON.

        :class:`RequestOptions` has the options: ``json``, ``query``, ``headers``, ….
        """
        return await self._calls.request(method, path, **options)
