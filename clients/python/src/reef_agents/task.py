"""A task in the hands of its handler."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from ._calls import Calls
from ._lease import Lease
from .errors import Cancelled, LeaseOver
from .writer import Writer

if TYPE_CHECKING:
    from . import types

#: The lease is watched elsewhere, and with it ends what waits for the hub.
_PATIENCE = 3600.0


class Task:
    """A task that this node has claimed, for as long as its lease is renewed."""

    def __init__(self, calls: Calls, task: types.ClaimedTask, lease: Lease) -> None:
        """As it was claimed."""
        self._calls = calls
        #: All that the hub says of it.
        self.raw = task
        self.id = task["task_id"]
        self.name = task["name"]
        self.description = task["description"]
        self.parameters: dict[str, Any] = task["parameters"]
        self.metadata: dict[str, Any] = task["metadata"]
        self.session_id = task["session_id"]
        self.message_id = task["message_id"]
        #: The fencing token: whoever is written to can refuse an older one.
        self.token = task["token"]
        #: Which try this is, from 1.
        self.attempt = task["retry_count"] + 1
        self._lease = lease
        self._why_stopped: str | None = None
        self._progress: float | None = None
        self._progressed = asyncio.Event()
        self._writer: Writer | None = None

    def __repr__(self) -> str:
        return f"Task({self.id!r}, {self.name!r}, attempt {self.attempt})"

    @property
    def epoch(self) -> int:
        """The number of the claim, which grows with every claim of the task."""
        digits = re.match(r"\d{1,15}", self.token)
        return int(digits[0]) if digits else 0

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled it. The handler is about to be cancelled, too."""
        return self._why_stopped == "cancelled"

    @property
    def lease_is_over(self) -> bool:
        """Whether it may be another node's by now: what is done has no effect any more."""
        return self._why_stopped == "lost" or self._lease.is_over

    def raise_if_cancelled(self) -> None:
        """To be called now and then by what does not await anything."""
        if self.cancelled:
            raise Cancelled(f"{self.id} was cancelled")
        if self.lease_is_over:
            raise LeaseOver(f"the lease of {self.id} is over")

    def progress(self, share: float) -> None:
        """Says how much is done, 0–1. It is sent soon, a few times a second at most."""
        if not 0 <= share <= 1:
            raise ValueError(f"progress is between 0 and 1, not {share}")
        self._progress = share
        self._progressed.set()

    def message(self) -> Writer:
        """Writes to the session's message of this task; what a task without one says is dropped.

        What an earlier claim of the task still writes is refused from then on.
        """
        if self._writer is None:
            self._writer = Writer(
                self._calls,
                self.message_id,
                self.id,
                self.epoch,
                token=self.token,
                patience=_PATIENCE,
                check=self.raise_if_cancelled,
            )
        return self._writer
