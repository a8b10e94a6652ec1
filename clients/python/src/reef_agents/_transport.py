"""The one place that knows which HTTP library is used."""

from __future__ import annotations

import importlib.util
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import httpx

from .errors import Unreachable

if importlib.util.find_spec("sniffio") is None:
    # httpcore tries to import it several times for each request. Python remembers what it has
    # found, but looks anew through all folders for what is not there: a quarter of a worker's time.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


class Reply(Protocol):
    """An answer whose head has come."""

    @property
    def status(self) -> int:
        """Its status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in any case."""

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises :class:`Unreachable` where it breaks off."""


class Transport(Protocol):
    """Sends requests. Tests and other HTTP libraries bring their own."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, silence: float
    ) -> AbstractAsyncContextManager[Reply]:
        """Sends one. Nothing may be silent for longer than ``silence`` seconds.

        Raises :class:`Unreachable`, which says whether the request may have arrived.
        """

    async def close(self) -> None:
        """Ends all connections."""


class _HttpxReply:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(_words(error)) from error


class HttpxTransport:
    """By httpx."""

    def __init__(self, trust: ssl.SSLContext | None = None, connections: int = 256) -> None:
        """``trust`` says whose certificates are good; without it, those that httpx trusts."""
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=32)
        self._client = httpx.AsyncClient(
            verify=trust if trust is not None else True, limits=limits, follow_redirects=False
        )

    @asynccontextmanager
    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, silence: float
    ) -> AsyncIterator[Reply]:
        """As :class:`Transport` says."""
        request = self._client.build_request(
            method,
            url,
            headers=dict(headers),
            content=body,
            timeout=httpx.Timeout(silence, connect=min(silence, 10.0)),
        )
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(_words(error), may_have_arrived=False) from error
        except httpx.TransportError as error:
            raise Unreachable(_words(error)) from error
        try:
            yield _HttpxReply(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Ends all connections."""
        await self._client.aclose()


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
