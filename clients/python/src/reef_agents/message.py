"""A message: its text and blocks as they come, and writing them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of
from .errors import StreamCut
from .stream import GIVE_UP, Gap, StreamEvent, follow
from .writer import Writer

if TYPE_CHECKING:
    from . import types


class Message:
    """A message of a session. Making one asks nothing."""

    def __init__(self, calls: Calls, message_id: str, session_id: str | None = None) -> None:
        """Where the session is not given, the hub is asked for it when it is needed."""
        self._calls = calls
        self.id = message_id
        self._session_id = session_id

    def __repr__(self) -> str:
        return f"Message({self.id!r})"

    async def get(self) -> types.Message:
        """The message as it is now."""
        message: types.Message = await self._calls.request("GET", api("messages", self.id))
        self._session_id = message["session_id"]
        return message

    async def stream(
        self, *, after: str | None = None, seen: int = 0, give_up: float = GIVE_UP
    ) -> AsyncGenerator[StreamEvent, None]:
        """Its events, from the first or from behind a cursor, until it is complete.

        It comes back by itself where it was cut; :class:`StreamCut` when that did not succeed for
        ``give_up`` seconds. So where the loop ends without an exception, all was read. Whoever
        begins behind a cursor says with ``seen`` how many characters of text lie before it.
        """
        if self._session_id is None:
            await self.get()
        path = api("sessions", self._session_id or "", "messages", self.id, "stream")
        sequence = 0
        frames = follow(self._calls, path, after=after, give_up=give_up, is_last=_is_last)
        async with aclosing(frames):
            async for id_, type_, data in frames:
                delta, gap = "", None
                if type_ == "snapshot":
                    text = _text_of(data)
                    if len(text) < seen:
                        raise StreamCut(
                            "the message has less text than was read: it is another now"
                        )
                    delta = text[seen:]
                    if sequence:
                        gap = Gap(sequence, _sequence_of(data))
                elif type_ == "text_delta":
                    payload = data.get("payload")
                    delta = str(payload.get("delta", "")) if isinstance(payload, dict) else ""
                seen += len(delta)
                sequence = _sequence_of(data) or sequence
                yield StreamEvent(id_, type_, data, delta, gap)

    async def text(self, *, give_up: float = GIVE_UP) -> str:
        """All of its text, once it is complete."""
        return "".join([event.delta async for event in self.stream(give_up=give_up)])

    async def events(self, *, after: int = 0, limit: int | None = None) -> types.MessageEventList:
        """Its events so far, without waiting."""
        query = {"after": after, "limit": limit}
        path = api("messages", self.id, "events")
        listed: types.MessageEventList = await self._calls.request("GET", path, query=query)
        return listed

    async def block(self, content_id: str) -> types.ContentBlock:
        """A whole block, also where the message shows only its ``ref``."""
        path = api("messages", self.id, "content", content_id)
        found: types.ContentBlock = await self._calls.request("GET", path)
        return found

    def writer(self, *, producer: str | None = None, epoch: int = 0) -> Writer:
        """Writes to it, as its owner. Whoever goes on for another gives a larger ``epoch``."""
        return Writer(self._calls, self.id, producer or f"py-{uuid.uuid4().hex}", epoch)

    async def append(self, delta: str) -> types.AppendAnswer:
        """Appends text at once. For more than a few pieces take :meth:`writer`."""
        path = api("messages", self.id, "append")
        answer: types.AppendAnswer = await self._calls.request("POST", path, json={"delta": delta})
        return answer

    async def add(self, block: Mapping[str, object]) -> types.AddBlockAnswer:
        """Adds a block, as :mod:`reef_agents.blocks` makes them."""
        path = api("messages", self.id, "content")
        answer: types.AddBlockAnswer = await self._calls.request("POST", path, json=dict(block))
        return answer

    async def start_task(
        self,
        task_type: str,
        *,
        task_id: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> types.MessageTaskStarted:
        """Puts a placeholder into it, which :meth:`update_task` fills."""
        body = {**(parameters or {}), **body_of(task_type=task_type, task_id=task_id)}
        path = api("messages", self.id, "tasks")
        answer: types.MessageTaskStarted = await self._calls.request("POST", path, json=body)
        return answer

    async def update_task(
        self,
        task_id: str,
        status: str,
        *,
        progress: float | None = None,
        content: Mapping[str, object] | None = None,
        error: str | None = None,
    ) -> types.MessageTaskAnswer:
        """Says how the work on a placeholder goes: ``processing``, ``completed`` or ``failed``."""
        body = body_of(status=status, progress=progress, content=content, error=error)
        path = api("messages", self.id, "tasks", task_id)
        answer: types.MessageTaskAnswer = await self._calls.request("PATCH", path, json=body)
        return answer

    async def complete(self, error: str | None = None) -> types.MessageCompleteAnswer:
        """Ends it: nothing can be added any more."""
        answer: types.MessageCompleteAnswer = await self._calls.request(
            "POST", api("messages", self.id, "complete"), json=body_of(error=error)
        )
        return answer


def _is_last(type_: str, data: dict[str, Any]) -> bool:
    if type_ == "snapshot":
        message = data.get("message")
        return isinstance(message, dict) and message.get("is_complete") is True
    return type_ == "message_end"


def _text_of(data: dict[str, Any]) -> str:
    message = data.get("message")
    return str(message.get("text") or "") if isinstance(message, dict) else ""


def _sequence_of(data: dict[str, Any]) -> int:
    sequence = data.get("sequence")
    return sequence if isinstance(sequence, int) else 0
