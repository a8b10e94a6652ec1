"""Requests: keys, repeats, and answers that are no success."""

from __future__ import annotations

import asyncio
import json as jsonlib
import random
import re
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote, urlencode

from ._bounded import within
from ._transport import Reply, Transport
from .errors import Malformed, Problem, Unreachable

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: How long an answer may take, in seconds: above the 10 s that a hub gives its components, so that
#: its own word for a timeout arrives.
TIMEOUT = 15.0
#: How long a request is repeated while the hub is away.
PATIENCE = 30.0
#: The largest answer that is read: the largest that a hub gives is a message with 8 MiB of text
#: and 1000 blocks.
ANSWER_BYTES_MAX = 64 << 20
_PAUSE_MIN, _PAUSE_MAX = 0.1, 5.0
_TRANSIENT = (429, 502, 503, 504)
#: The page that a list's answer names as the next, on the same hub.
_NEXT = re.compile(r'<(?:https?://[^/>]*)?(/[^>]*)>;\s*rel="?next"?')


def api(*segments: str) -> str:
    """A path below ``/api/v1``."""
    return "/api/v1/" + "/".join(quote(segment, safe="@") for segment in segments)


class RequestOptions(TypedDict, total=False):
    """What may be said of a request besides its method and path.

    ``patience`` is how long it is repeated while the hub is away, ``timeout`` how long one answer
    may take, both in seconds. Without an ``idempotency_key`` a POST gets one of its own.
    """

    json: object
    query: Mapping[str, object] | None
    headers: Mapping[str, str] | None
    idempotency_key: str | None
    timeout: float | None
    patience: float | None


class _Options(RequestOptions, total=False):
    repeatable: bool


class Calls:
    """What all nouns of the client share."""

    def __init__(
        self, url: str, key: str | None, transport: Transport, timeout: float, patience: float
    ) -> None:
        """``timeout`` is for one answer, ``patience`` for all repeats of a request together."""
        self.url = url
        self._key = key
        self._transport = transport
        self._timeout = timeout
        self.patience = patience

    async def close(self) -> None:
        """Ends all connections."""
        await self._transport.close()

    async def request(self, method: str, path: str, **options: Unpack[_Options]) -> Any:
        """As :meth:`exchange`; returns only the answer's JSON."""
        answer, _ = await self.exchange(method, path, **options)
        return answer

    async def each(
        self, path: str, query: Mapping[str, object], member: str | None = None
    ) -> AsyncIterator[Any]:
        """Every entry of a list, page by page; ``member`` is where an answer has its entries."""
        page: str | None = path
        given: Mapping[str, object] | None = query
        while page is not None:
            answer, headers = await self.exchange("GET", page, query=given)
            for entry in answer if member is None else answer[member]:
                yield entry
            following = _NEXT.search(headers.get("link", ""))
            page, given = (following[1], None) if following else (None, None)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        repeatable: bool = False,
        timeout: float | None = None,
        patience: float | None = None,
    ) -> tuple[Any, Mapping[str, str]]:
        """Sends a request until it is answered: the answer's JSON, and its headers.

        A POST has an ``Idempotency-Key``, the same in each repeat, unless ``repeatable`` says that
        a repeat does no more than the first: the hub keeps each key for a day, which is much for
        what comes every few seconds.
        """
        key = idempotency_key or (uuid.uuid4().hex if method == "POST" and not repeatable else None)
        if key and not (len(key) <= 255 and key.isascii() and key.isprintable()):
            raise ValueError("an idempotency key is 1 to 255 characters of printable ASCII")
        sent = {"Accept": "application/json", **(headers or {})}
        if key:
            sent["Idempotency-Key"] = key
        body: bytes | None = None
        if json is not None:
            body = jsonlib.dumps(json, separators=(",", ":"), allow_nan=False).encode("ascii")
            sent["Content-Type"] = "application/json"
        may_repeat = repeatable or key is not None or method in ("GET", "PUT", "DELETE")
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        pause = _PAUSE_MIN
        while True:
            try:
                return await self._attempt(method, path, query, sent, body, timeout)
            except Unreachable as unreachable:
                if unreachable.may_have_arrived and not may_repeat:
                    raise
                error: Exception = unreachable
                wait = 0.0
            except Problem as problem:
                # That the same key is still at work is what a repeat may find.
                is_transient = problem.status in _TRANSIENT or problem.code == "in_progress"
                has_arrived = problem.status in (502, 504)
                if not is_transient or (has_arrived and not may_repeat):
                    raise
                error = problem
                wait = problem.retry_after or 0.0
            wait = max(wait, pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
            if time.monotonic() + wait > deadline:
                raise error
            await asyncio.sleep(wait)
            pause = min(pause * 2, _PAUSE_MAX)

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> tuple[Any, Mapping[str, str]]:
        timeout = timeout or self._timeout

        async def whole() -> tuple[Reply, bytes]:
            async with self.open(method, path, query, headers, body, timeout) as reply:
                return reply, await _read(reply)

        try:
            reply, read = await within(whole(), timeout)
        except TimeoutError as late:
            raise Unreachable(f"no answer within {timeout:g} s") from late
        answer = _parse(read)
        if 200 <= reply.status < 300:
            if answer is _NO_JSON and read:
                raise Malformed(f"{path}: the answer is no JSON; is {self.url} a Reef hub?")
            return (None if answer is _NO_JSON else answer), reply.headers
        raise Problem.read(reply.status, answer, _retry_after(reply))

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None,
        headers: Mapping[str, str],
        body: bytes | None,
        silence: float,
    ) -> AsyncIterator[Reply]:
        """One try, whose answer's body is still to be read."""
        url = self.url + path
        if given := {name: _plain(value) for name, value in (query or {}).items()}:
            known = {name: value for name, value in given.items() if value is not None}
            url += f"?{urlencode(known)}" if known else ""
        if self._key is not None:
            headers = {"Authorization": f"Bearer {self._key}", **headers}
        async with self._transport.send(method, url, headers, body, silence) as reply:
            yield reply

    async def refusal(self, reply: Reply) -> Problem:
        """What an opened answer that is no success says."""
        return Problem.read(reply.status, _parse(await _read(reply)), _retry_after(reply))


_NO_JSON = object()


def _parse(read: bytes) -> object:
    try:
        return jsonlib.loads(read)
    except ValueError:
        return _NO_JSON


async def _read(reply: Reply) -> bytes:
    read = bytearray()
    async for piece in reply.pieces():
        read += piece
        if len(read) > ANSWER_BYTES_MAX:
            raise Malformed(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
    return bytes(read)


def _plain(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _retry_after(reply: Reply) -> float | None:
    """In seconds. A date, which the field may also be, is left to the pauses that grow."""
    try:
        seconds = float(reply.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(seconds, 0.0), 3600.0)


def body_of(**fields: object) -> dict[str, object]:
    """A body without the fields that are not given."""
    return {name: value for name, value in fields.items() if value is not None}
