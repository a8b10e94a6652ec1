"""Sessions: conversations, whose answers are written as they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of
from .message import Message

if TYPE_CHECKING:
    from . import types

Audience = str | Sequence[str]


def audience_of(audience: Audience | None) -> str | list[str] | None:
    """As the contract has it: ``any``, ``owner``, or a list of agents."""
    return audience if audience is None or isinstance(audience, str) else list(audience)


@dataclass(frozen=True)
class Sent:
    """What was said, and the message in which the answer will come."""

    message: Message
    answer: Message


@dataclass(frozen=True)
class Asked:
    """Work that was given out, and the message in which its worker writes."""

    task_id: str
    answer: Message


class Session:
    """One session. Making one asks nothing."""

    def __init__(self, calls: Calls, session_id: str) -> None:
        """Of a session that is there, or that :meth:`open` makes."""
        self._calls = calls
        self.id = session_id

    def __repr__(self) -> str:
        return f"Session({self.id!r})"

    async def open(
        self,
        *,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        audience: Audience | None = None,
        if_busy: str | None = None,
    ) -> Session:
        """Makes it. ``if_busy`` is what :meth:`ask` does where it does not say."""
        body = body_of(
            session_id=self.id,
            user_id=user_id,
            metadata=metadata,
            audience=audience_of(audience),
            if_busy=if_busy,
        )
        await self._calls.request("POST", api("sessions"), json=body)
        return self

    async def get(self) -> types.Session:
        """The session as it is now."""
        session: types.Session = await self._calls.request("GET", api("sessions", self.id))
        return session

    async def close(self) -> types.SessionClosed:
        """Ends it: nothing can be said in it any more."""
        closed: types.SessionClosed = await self._calls.request("DELETE", api("sessions", self.id))
        return closed

    async def send(
        self, content: str, *, role: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Sent:
        """Says something. Whoever answers writes to ``answer``."""
        answer: types.MessageAnswer = await self._calls.request(
            "POST",
            api("sessions", self.id, "messages"),
            json=body_of(content=content, role=role, metadata=metadata),
        )
        message = Message(self._calls, answer["user_message_id"], self.id)
        return Sent(message, Message(self._calls, answer["assistant_message_id"], self.id))

    async def ask(
        self,
        what: str,
        *,
        workflow: str | None = None,
        max_iterations: int | None = None,
        skills: Sequence[str] | None = None,
        priority: int | None = None,
        timeout: float | None = None,
        audience: Audience | None = None,
        target_node: str | None = None,
        if_busy: str | None = None,
    ) -> Asked:
        """Gives out work, whose worker writes to ``answer``.

        The worker must have the given skills, and that of the workflow's name: ``simple``, if
        nothing is said. While other tasks of the session are unfinished, ``if_busy`` says what
        becomes of it: ``parallel``, ``enqueue``, ``reject`` (:class:`Conflict`), ``interrupt`` or
        ``rollback``.
        """
        body = body_of(
            task_description=what,
            workflow=workflow,
            max_iterations=max_iterations,
            required_skills=list(skills) if skills is not None else None,
            priority=priority,
            timeout=timeout,
            audience=audience_of(audience),
            target_node=target_node,
            if_busy=if_busy,
        )
        path = api("sessions", self.id, "tasks")
        answer: types.SessionTaskAnswer = await self._calls.request("POST", path, json=body)
        return Asked(answer["task_id"], Message(self._calls, answer["message_id"], self.id))

    def message(self, message_id: str) -> Message:
        """One of its messages."""
        return Message(self._calls, message_id, self.id)

    async def open_message(
        self,
        message_id: str,
        role: str,
        *,
        parent: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Message:
        """Makes a message under an id of the caller's, if it is not there yet."""
        body = body_of(role=role, parent_message_id=parent, metadata=metadata)
        await self._calls.request(
            "PUT", api("sessions", self.id, "messages", message_id), json=body
        )
        return Message(self._calls, message_id, self.id)

    async def messages(self, *, limit: int | None = None, offset: int = 0) -> list[types.Message]:
        """Its messages, oldest first: one page."""
        query = {"limit": limit, "offset": offset}
        path = api("sessions", self.id, "messages")
        listed: types.MessageList = await self._calls.request("GET", path, query=query)
        return listed["messages"]

    async def clean_up(self, keep_days: int = 7) -> int:
        """Removes messages older than that; returns how many."""
        path = api("sessions", self.id, "messages")
        query = {"keep_days": keep_days}
        answer: types.MessageCleanupAnswer = await self._calls.request("DELETE", path, query=query)
        return answer["deleted"]


class Sessions:
    """All sessions."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def open(
        self,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        audience: Audience | None = None,
        if_busy: str | None = None,
    ) -> Session:
        """Makes one, under an id of the hub's if none is given."""
        body = body_of(
            session_id=session_id,
            user_id=user_id,
            metadata=metadata,
            audience=audience_of(audience),
            if_busy=if_busy,
        )
        answer: types.SessionAnswer = await self._calls.request("POST", api("sessions"), json=body)
        return Session(self._calls, answer["session_id"])

    async def list(
        self,
        *,
        user_id: str | None = None,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> list[types.Session]:
        """Sessions, one page."""
        query = {"user_id": user_id, "status": status, "limit": limit, "cursor": cursor}
        listed: list[types.Session] = await self._calls.request("GET", api("sessions"), query=query)
        return listed
