"""Intents and the positions that come of them. Matching them is for admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ._calls import Calls, api, body_of
from .ledger import Amount, amount_text

if TYPE_CHECKING:
    from . import types

    _Intents: TypeAlias = list[types.Intent]


class Market:
    """What agents want to buy and sell, and hold."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def submit(
        self,
        agent: str,
        side: str,
        asset: str,
        size: Amount,
        *,
        leverage: int | None = None,
        max_slippage: Amount | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.Intent:
        """Wants to go ``long`` or ``short``; the margin is kept back."""
        body = body_of(
            agent_id=agent,
            intent_type=side,
            asset=asset,
            size=amount_text(size),
            leverage=leverage,
            max_slippage=None if max_slippage is None else amount_text(max_slippage),
            reason=reason,
        )
        answer: types.IntentSubmitted = await self._calls.request(
            "POST", api("intents"), json=body, idempotency_key=idempotency_key
        )
        return answer["intent"]

    async def get(self, intent_id: str) -> types.Intent:
        """One intent."""
        intent: types.Intent = await self._calls.request("GET", api("intents", intent_id))
        return intent

    async def intents(
        self, *, agent: str | None = None, asset: str | None = None, status: str | None = None
    ) -> _Intents:
        """Intents, one page."""
        query = {"agent_id": agent, "asset": asset, "status": status}
        listed: types.IntentList = await self._calls.request("GET", api("intents"), query=query)
        return listed["intents"]

    async def cancel(self, intent_id: str) -> None:
        """Takes back what is still open; the margin is free again."""
        await self._calls.request("DELETE", api("intents", intent_id))

    async def match(self, intent_id: str, other: str, price: Amount) -> types.MatchAnswer:
        """Makes two positions of two intents."""
        body = {"with": other, "price": amount_text(price)}
        path = api("intents", intent_id, "match")
        answer: types.MatchAnswer = await self._calls.request("POST", path, json=body)
        return answer

    async def positions(self, agent: str, *, include_closed: bool = False) -> types.PositionList:
        """An agent's positions."""
        query = {"include_closed": include_closed}
        listed: types.PositionList = await self._calls.request(
            "GET", api("positions", agent), query=query
        )
        return listed

    async def close(self, position_id: str, price: Amount | None = None) -> types.PositionClosed:
        """Closes one and its counterpart."""
        body = body_of(price=None if price is None else amount_text(price))
        closed: types.PositionClosed = await self._calls.request(
            "POST", api("positions", position_id, "close"), json=body
        )
        return closed

    async def mark(self, position_id: str, price: Amount) -> types.PositionMarked:
        """Notes the market's price."""
        marked: types.PositionMarked = await self._calls.request(
            "POST", api("positions", position_id, "mark"), json={"price": amount_text(price)}
        )
        return marked
