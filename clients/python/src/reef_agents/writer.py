"""Text that grows: gathered into few appends, each of which counts once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from ._calls import Calls, api

#: How long text is gathered, in seconds. People do not see the difference; the hub sees one
#: request instead of one for each word.
_GATHER = 0.05
#: Most bytes of one append: JSON makes at most six bytes of one, and a body may have 1 MiB.
_APPEND_BYTES_MAX = 128 << 10


class Writer:
    """Writes to one message; use it as a context, which brings what is left when it ends."""

    def __init__(
        self,
        calls: Calls,
        message_id: str | None,
        producer: str,
        epoch: int,
        *,
        token: str | None = None,
        patience: float | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Without a message all that is written is dropped. ``check`` raises where it must stop."""
        self._calls = calls
        self._message_id = message_id
        self._producer, self._epoch, self._seq = producer, epoch, 0
        self._blocks = 0
        self._headers = {"X-Claim-Token": token} if token else {}
        self._patience = patience
        self._check = check
        self._gathered: list[str] = []
        self._bytes = 0
        #: What was numbered, and has surely arrived only once it is taken out.
        self._unsent: deque[tuple[int, str]] = deque()
        self._one_at_a_time = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def write(self, text: str) -> None:
        """Adds text. Waits while the hub is slower than what is written."""
        self._check()
        if self._message_id is None or not text:
            return
        if self._later is not None and self._later.done():
            later, self._later = self._later, None
            later.result()
        self._gathered.append(text)
        self._bytes += len(text.encode("utf-8", "surrogatepass"))
        if self._bytes >= _APPEND_BYTES_MAX:
            await self.flush()
        elif self._later is None:
            self._later = asyncio.create_task(self._flush_later())

    async def block(self, block: Mapping[str, object]) -> None:
        """Adds a block behind the text so far, as :mod:`reef_agents.blocks` makes them."""
        await self.flush()
        if self._message_id is None:
            return
        self._blocks += 1
        await self._calls.request(
            "POST",
            api("messages", self._message_id, "content"),
            json=dict(block),
            headers=self._headers,
            idempotency_key=f"{self._producer}.{self._epoch}.{self._blocks}",
            patience=self._patience,
        )

    async def flush(self) -> None:
        """Brings what was written so far to the hub."""
        async with self._one_at_a_time:
            self._check()
            text, self._gathered, self._bytes = "".join(self._gathered), [], 0
            for piece in pieces(text, _APPEND_BYTES_MAX):
                self._unsent.append((self._seq, piece))
                self._seq += 1
            while self._unsent:
                seq, delta = self._unsent[0]
                producer = {"id": self._producer, "epoch": self._epoch, "seq": seq}
                # The producer's numbers make a repeat harmless.
                await self._calls.request(
                    "POST",
                    api("messages", self._message_id or "", "append"),
                    json={"delta": delta, "producer": producer},
                    headers=self._headers,
                    repeatable=True,
                    patience=self._patience,
                )
                self._unsent.popleft()

    async def _flush_later(self) -> None:
        await asyncio.sleep(_GATHER)
        # Text that comes while this is under way must find a task of its own.
        if self._later is asyncio.current_task():
            self._later = None
        try:
            await self.flush()
        except BaseException:
            # Whoever writes next is told.
            self._later = asyncio.current_task()
            raise

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        later, self._later = self._later, None
        if kind is not None:
            if later is not None:
                later.cancel()
                await asyncio.gather(later, return_exceptions=True)
            return
        if later is not None and later.done():
            later.result()
        await self.flush()
        if later is not None:
            later.cancel()
            await asyncio.gather(later, return_exceptions=True)


def pieces(text: str, most: int) -> Iterator[str]:
    """Cuts a text into pieces of at most so many bytes of UTF-8, between characters."""
    # No character has more than four bytes.
    step = max(most // 4, 1)
    if len(text) * 4 <= most:
        step = most
    for at in range(0, len(text), step):
        yield text[at : at + step]
