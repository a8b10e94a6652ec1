"""Event streams that resume where they were cut, and say when they cannot."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ._calls import ANSWER_BYTES_MAX, Calls
from .errors import Malformed, Problem, ReefError, StreamCut, Unreachable

#: How long it is tried to resume a stream, in seconds.
GIVE_UP = 60.0
#: A hub says something every 15 s. When it has missed that three times, nobody is there.
_SILENCE = 45.0
_PAUSE_MAX = 5.0


@dataclass(frozen=True)
class Gap:
    """Events that the hub no longer has, between two places of a log."""

    #: What the reader had last.
    from_: int | str
    #: What the log begins with, or the snapshot stands for.
    to: int | str


@dataclass(frozen=True)
class StreamEvent:
    """One event."""

    #: The cursor with which a stream goes on behind it.
    id: str
    #: Its type, such as ``text_delta``; ``snapshot`` stands for all before its id.
    type: str
    #: What it says.
    data: dict[str, Any] = field(repr=False)
    #: The text that it adds to what this reader has been given: all of them joined are the text.
    delta: str = ""
    #: What is missing before it, if something is.
    gap: Gap | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """What is particular to its type."""
        payload = self.data.get("payload")
        return payload if isinstance(payload, dict) else {}


class Decoder:
    """Puts the frames of ``text/event-stream`` together, however they are cut into pieces."""

    def __init__(self) -> None:
        """At the beginning of a stream."""
        self._left = bytearray()
        #: Where the search for the end of a line goes on.
        self._searched = 0
        self._type = ""
        self._lines: list[str] = []
        self._bytes = 0
        self._id: str | None = None
        #: How long to wait before coming back, in seconds, once the stream has said it.
        self.retry: float | None = None

    def take(self, piece: bytes) -> list[tuple[str | None, str, str]]:
        """The frames that this piece completes: id, type and data of each."""
        self._left += piece
        frames = []
        while (line := self._line()) is not None:
            if line:
                self._field(line)
            else:
                if self._lines:
                    frames.append((self._id, self._type or "message", "\n".join(self._lines)))
                self._type, self._lines, self._bytes = "", [], 0
        if len(self._left) + self._bytes > ANSWER_BYTES_MAX:
            raise Malformed(f"an event of more than {ANSWER_BYTES_MAX} bytes")
        return frames

    def _line(self) -> str | None:
        # Hubs end lines with a line feed; proxies that write others may not cut them apart.
        at = self._left.find(b"\n", self._searched)
        if at < 0:
            self._searched = len(self._left)
            return None
        line = self._left[:at].removesuffix(b"\r").decode("utf-8", "replace")
        del self._left[: at + 1]
        self._searched = 0
        return line

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._lines.append(value)
            self._bytes += len(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdecimal():
            self.retry = min(int(value) / 1000, _PAUSE_MAX)


async def follow(
    calls: Calls,
    path: str,
    *,
    after: str | None,
    give_up: float,
    is_last: Callable[[str, dict[str, Any]], bool],
) -> AsyncGenerator[tuple[str, str, dict[str, Any]], None]:
    """Every event behind a cursor, in order, once: its id, type and data.

    Ends when the hub has said that this was all, else with an exception.
    """
    cursor, retry = after, 1.0
    #: Since when, and after which pause it is tried again.
    cut_at: float | None = None
    pause = retry

    def note_opened() -> None:
        # Also where nothing happens for long: a later cut has its time of its own.
        nonlocal cut_at
        cut_at = None

    while True:
        try:
            async with aclosing(_connection(calls, path, cursor, note_opened)) as frames:
                async for id_, type_, data, wait in frames:
                    retry = wait or retry
                    if type_ == "gone":
                        raise Problem.read(404, data)
                    cursor = id_ if id_ is not None else cursor
                    yield cursor or "", type_, data
                    if is_last(type_, data):
                        return
            reason: ReefError = Unreachable("the hub has closed the stream")
        except _Ended:
            return
        except Unreachable as error:
            reason = error
        except Problem as error:
            # The first try is the caller's to repeat.
            if error.status not in (429, 502, 503, 504):
                raise
            reason = error
        if cut_at is None:
            cut_at, pause = time.monotonic(), retry
        left = give_up - (time.monotonic() - cut_at)
        if left <= 0:
            raise StreamCut(f"not resumed within {give_up:g} s: {reason}") from reason
        # Many readers lose their streams at the same moment: this spreads their return.
        wait_for = max(pause * random.uniform(0.5, 1.0), reason.retry_after or 0.0)  # noqa: S311
        await asyncio.sleep(min(wait_for, left))
        pause = min(pause * 1.5, _PAUSE_MAX)


class _Ended(Exception):
    """All has been read."""


async def _connection(
    calls: Calls, path: str, cursor: str | None, opened: Callable[[], None]
) -> AsyncGenerator[tuple[str | None, str, dict[str, Any], float | None], None]:
    headers = {"Accept": "text/event-stream"}
    if cursor:
        headers["Last-Event-ID"] = cursor
    async with calls.open("GET", path, None, headers, None, _SILENCE) as reply:
        if reply.status == 204:
            raise _Ended
        if reply.status != 200:
            raise await calls.refusal(reply)
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            raise Malformed(f"{path}: no event stream; is {calls.url} a Reef hub?")
        opened()
        decoder = Decoder()
        async with aclosing(reply.pieces()) as pieces:
            async for piece in pieces:
                for id_, type_, text in decoder.take(piece):
                    try:
                        data = json.loads(text)
                    except ValueError as error:
                        raise Malformed(f"event {id_}: {error}") from error
                    yield id_, type_, data if isinstance(data, dict) else {}, decoder.retry
