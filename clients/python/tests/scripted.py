"""A transport that answers what a test has written down: for what no real hub does on demand."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from reef_agents import Unreachable


@dataclass
class Told:
    """One answer."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        yield self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


class Scripted:
    """Gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: Told | Unreachable) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []

    @asynccontextmanager
    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, silence: float
    ) -> AsyncIterator[Told]:
        assert silence > 0
        self.asked.append(Asked(method, url, headers, body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Unreachable):
            raise answer
        yield answer

    async def close(self) -> None:
        pass
