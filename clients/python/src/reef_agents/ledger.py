"""Money. Amounts are ``Decimal`` or text: a ``float`` is not the number that was meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ._calls import Calls, api, body_of

if TYPE_CHECKING:
    from . import types

Amount = Decimal | str


def amount_text(amount: Amount) -> str:
    """As the contract has it. ``TypeError`` for anything but ``Decimal`` and ``str``."""
    if isinstance(amount, Decimal):
        if not amount.is_finite():
            raise ValueError(f"{amount} is no amount of money")
        return f"{amount:f}"
    if isinstance(amount, str):
        return amount
    raise TypeError(
        f'an amount is a Decimal or a str such as "12.5", not a {type(amount).__name__}'
    )


@dataclass(frozen=True)
class Balance:
    """What an agent has."""

    agent_id: str
    #: All of it.
    balance: Decimal
    #: What holds and intents keep back.
    locked: Decimal
    #: What can be spent.
    available: Decimal


def _balance(told: types.Balance) -> Balance:
    return Balance(
        told["agent_id"],
        Decimal(told["balance"]),
        Decimal(told["locked"]),
        Decimal(told["available"]),
    )


class Ledger:
    """The accounts of agents."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def balance(self, agent: str) -> Balance:
        """What an agent has."""
        return _balance(await self._calls.request("GET", api("balance", agent)))

    async def deposit(
        self, agent: str, amount: Amount, *, idempotency_key: str | None = None
    ) -> Balance:
        """Pays in from outside; returns what there is then."""
        return await self._change("deposit", agent, amount, idempotency_key)

    async def withdraw(
        self, agent: str, amount: Amount, *, idempotency_key: str | None = None
    ) -> Balance:
        """Pays out; returns what is left."""
        return await self._change("withdraw", agent, amount, idempotency_key)

    async def _change(self, what: str, agent: str, amount: Amount, key: str | None) -> Balance:
        body = {"agent_id": agent, "amount": amount_text(amount)}
        answer: types.BalanceChange = await self._calls.request(
            "POST", api(what), json=body, idempotency_key=key
        )
        return _balance(answer["balance"])

    async def transfer(
        self,
        from_agent: str,
        to_agent: str,
        amount: Amount,
        *,
        memo: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.Settlement:
        """Pays one agent from another, at once. ``InsufficientBalance`` moves nothing.

        It is done once, however often the request is repeated within this call. Whoever wants
        that over calls, too, gives an ``idempotency_key``.
        """
        body = body_of(
            from_agent=from_agent, to_agent=to_agent, amount=amount_text(amount), memo=memo
        )
        answer: types.TransferAnswer = await self._calls.request(
            "POST", api("transfer"), json=body, idempotency_key=idempotency_key
        )
        return answer["settlement"]

    async def hold(
        self,
        agent: str,
        amount: Amount,
        *,
        expires_in: float | None = None,
        idempotency_key: str | None = None,
    ) -> types.Hold:
        """Keeps money back, until it is posted, voided, or ``expires_in`` seconds are over."""
        body = body_of(
            agent_id=agent,
            amount=amount_text(amount),
            expires_in_ms=None if expires_in is None else round(expires_in * 1000),
        )
        answer: types.HoldAnswer = await self._calls.request(
            "POST", api("holds"), json=body, idempotency_key=idempotency_key
        )
        return answer["hold"]

    async def post(self, hold_id: str, to_agent: str, amount: Amount | None = None) -> types.Hold:
        """Pays all of a hold, or a part, and releases the rest."""
        body = body_of(to_agent=to_agent, amount=None if amount is None else amount_text(amount))
        answer: types.HoldAnswer = await self._calls.request(
            "POST", api("holds", hold_id, "post"), json=body
        )
        return answer["hold"]

    async def void(self, hold_id: str) -> types.Hold:
        """Releases a hold."""
        path = api("holds", hold_id, "void")
        answer: types.HoldAnswer = await self._calls.request("POST", path)
        return answer["hold"]

    async def get_hold(self, hold_id: str) -> types.Hold:
        """One hold."""
        hold: types.Hold = await self._calls.request("GET", api("holds", hold_id))
        return hold

    async def holds(
        self, *, agent: str | None = None, limit: int | None = None
    ) -> list[types.Hold]:
        """Holds, one page."""
        listed: types.HoldList = await self._calls.request(
            "GET", api("holds"), query={"agent_id": agent, "limit": limit}
        )
        return listed["holds"]

    async def entries(self, *, agent: str | None = None) -> AsyncIterator[types.Entry]:
        """The journal, newest first, page by page."""
        async for entry in self._calls.each(api("entries"), {"agent_id": agent}, "entries"):
            yield entry
