"""Mail between agents: taken under a lease, and gone only once it is acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _clock
from ._calls import Calls, api, body_of
from ._lease import Lease

if TYPE_CHECKING:
    from . import types

_LOG = logging.getLogger("reef_agents")

#: The pauses between two looks into an empty inbox, in seconds.
_PAUSE_MIN, _PAUSE_MAX = 0.1, 2.0


class Mail:
    """One received mail. As a context it is acknowledged on success, and left on an exception.

    What is left, or is not acknowledged within its lease, comes again.
    """

    def __init__(self, inbox: Inbox, mail: types.ReceivedMail, lease: Lease) -> None:
        """As it was received."""
        self._inbox = inbox
        #: All that the hub says of it.
        self.raw = mail
        self._lease = lease
        self.id = mail["msg_id"]
        self.sender = mail["from"]
        self.topic = mail["topic"]
        self.content: Any = mail["content"]
        self.attempts = mail["attempts"]

    def __repr__(self) -> str:
        return f"Mail({self.id!r}, from {self.sender!r}, {self.topic!r})"

    @property
    def lease_is_over(self) -> bool:
        """Whether it may have been given out again."""
        return self._lease.is_over

    async def ack(self) -> bool:
        """Has it done with. ``False``: too late, it comes again, or has been."""
        receipt = self.raw.get("receipt")
        answer = await self._inbox.ack([receipt] if receipt else [])
        return answer["acknowledged"] == 1

    async def __aenter__(self) -> Mail:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if kind is None and not await self.ack():
            _LOG.warning("mail %s was acknowledged after its lease: it comes again", self.id)


class Inbox:
    """The inbox of one agent or node. Making one asks nothing."""

    def __init__(self, calls: Calls, agent: str) -> None:
        """Whoever's it is: sending needs no more than a key."""
        self._calls = calls
        self.agent = agent

    def __repr__(self) -> str:
        return f"Inbox({self.agent!r})"

    async def send(
        self,
        content: object,
        *,
        sender: str,
        topic: str | None = None,
        priority: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> types.MailAnswer:
        """Puts mail into it. ``sender`` is the caller, or a node of the caller's."""
        body: dict[str, object] = {"from": sender, "content": content}
        body |= body_of(topic=topic, priority=priority, metadata=metadata)
        answer: types.MailAnswer = await self._calls.request(
            "POST", api("inbox", self.agent), json=body
        )
        return answer

    async def look(self, *, limit: int | None = None) -> types.MailList:
        """What is in it, without taking any."""
        listed: types.MailList = await self._calls.request(
            "GET", api("inbox", self.agent), query={"limit": limit}
        )
        return listed

    async def receive(self, *, limit: int = 10, lease: float = 30) -> list[Mail]:
        """Takes what is there now, for ``lease`` seconds."""
        asked = _clock.now()
        answer: types.ReceiveAnswer = await self._calls.request(
            "POST",
            api("inbox", self.agent, "receive"),
            json={"limit": limit, "lease_ms": round(lease * 1000)},
        )
        return [Mail(self, mail, Lease(lease, asked)) for mail in answer["messages"]]

    async def listen(self, *, lease: float = 30, limit: int = 1) -> AsyncIterator[Mail]:
        """Mail as it comes, without end. It takes ``limit`` at once; each has its lease from then.

        An empty inbox is looked into again after at most 2 s.
        """
        pause = _PAUSE_MIN
        while True:
            taken = await self.receive(limit=limit, lease=lease)
            for mail in taken:
                # Whoever took long over the ones before must not do this one a second time.
                if not mail.lease_is_over:
                    yield mail
            if taken:
                pause = _PAUSE_MIN
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_MAX)

    async def ack(self, receipts: Sequence[str]) -> types.AcknowledgeAnswer:
        """Has mail done with, by its receipts."""
        answer: types.AcknowledgeAnswer = await self._calls.request(
            "POST", api("inbox", self.agent, "ack"), json={"receipts": list(receipts)}
        )
        return answer

    async def accept(self, msg_id: str, *, executor: str | None = None) -> types.AcceptAnswer:
        """Accepts a proposal: answers the proposer and queues its sub-tasks, once."""
        path = api("inbox", self.agent, "proposals", msg_id, "accept")
        answer: types.AcceptAnswer = await self._calls.request(
            "POST", path, json=body_of(executor=executor)
        )
        return answer

    async def dead(self, *, limit: int | None = None) -> types.MailList:
        """What was received five times and never acknowledged."""
        listed: types.MailList = await self._calls.request(
            "GET", api("inbox", self.agent, "dead"), query={"limit": limit}
        )
        return listed

    async def redrive(self, msg_ids: Sequence[str] | None = None) -> types.MailRedriveAnswer:
        """Puts dead mail back: that of these ids, or all."""
        body = body_of(msg_ids=None if msg_ids is None else list(msg_ids))
        answer: types.MailRedriveAnswer = await self._calls.request(
            "POST", api("inbox", self.agent, "dead", "redrive"), json=body
        )
        return answer
