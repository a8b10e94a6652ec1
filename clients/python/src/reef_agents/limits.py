"""Limits: how many tasks run at once, or begin within a time; and pauses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of

if TYPE_CHECKING:
    from . import types


class Limits:
    """What bounds tasks that share something, such as a provider's account."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def each(self) -> AsyncIterator[types.Limit]:
        """All, newest first, page by page."""
        async for limit in self._calls.each(api("limits"), {}):
            yield limit

    async def get(
        self, name: str, *, key: str | None = None, owner: str | None = None
    ) -> types.LimitStanding:
        """One, and how it stands for a ``key``: how many run, what keeps it shut, until when."""
        standing: types.LimitStanding = await self._calls.request(
            "GET", api("limits", name), query={"key": key, "owner": owner}
        )
        return standing

    async def set(
        self,
        name: str,
        *,
        concurrency: int | None = None,
        rates: Sequence[tuple[int, float] | Mapping[str, Any]] = (),
        paused: bool = False,
        per_owner: bool = False,
        note: str | None = None,
    ) -> types.Limit:
        """Makes it, or replaces it whole; what runs goes on. The admin's.

        A rate is how many tasks may begin within how many seconds, ``(600, 60)``; or, in the words
        of the contract, ``{"count": 90_000, "per_ms": 60_000, "unit": "tokens"}``. With
        ``per_owner`` each owner of tasks has one of its own.
        """
        body = body_of(
            concurrency=concurrency,
            rates=[_rate_of(rate) for rate in rates],
            paused=paused,
            per_owner=per_owner,
            note=note,
        )
        made: types.Limit = await self._calls.request("PUT", api("limits", name), json=body)
        return made

    async def remove(self, name: str) -> None:
        """What was under it is under none. The admin's."""
        await self._calls.request("DELETE", api("limits", name))

    async def shut(
        self, name: str, seconds: float, *, key: str | None = None, owner: str | None = None
    ) -> types.PenaltyAnswer:
        """Lets nothing begin under a ``key`` for a time. The admin's.

        A handler raises :class:`reef_agents.Busy` instead.
        """
        body = body_of(retry_after_ms=round(seconds * 1000), key=key, owner=owner)
        told: types.PenaltyAnswer = await self._calls.request(
            "POST", api("limits", name, "penalty"), json=body
        )
        return told

    async def weights(self) -> dict[str, float]:
        """Weights of keys of fairness, in place of those that tasks bring."""
        found: types.Fairness = await self._calls.request("GET", api("fairness"))
        return found["weights"]

    async def set_weights(self, weights: Mapping[str, float]) -> None:
        """Sets all of them. The admin's."""
        await self._calls.request("PUT", api("fairness"), json={"weights": dict(weights)})

    async def queue(self) -> types.QueueState:
        """What of the queue is kept back."""
        state: types.QueueState = await self._calls.request("GET", api("queue"))
        return state

    async def pause(
        self, *, skills: Sequence[str] = (), types: Sequence[str] = ()
    ) -> types.QueueState:
        """Lets no task begin. The admin's.

        With ``skills`` none begins that requires one of them, with ``types`` none of these types.
        """
        return await self._keep_back(
            paused=not skills and not types,
            paused_skills=list(skills),
            paused_types=list(types),
        )

    async def resume(self) -> types.QueueState:
        """Lets all tasks begin. The admin's."""
        return await self._keep_back(paused=False)

    async def _keep_back(self, **what: object) -> types.QueueState:
        state: types.QueueState = await self._calls.request("PUT", api("queue"), json=what)
        return state


def _rate_of(rate: tuple[int, float] | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(rate, Mapping):
        return rate
    count, seconds = rate
    return {"count": count, "per_ms": round(seconds * 1000)}
