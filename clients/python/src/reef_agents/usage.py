"""What tasks use and cost, and what they may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of
from .ledger import Amount, amount_text

if TYPE_CHECKING:
    import datetime

    from . import types


def some_amount(amount: Amount | None) -> str | None:
    """An amount that may be left out."""
    return None if amount is None else amount_text(amount)


class Used:
    """What the try of a task has used so far, model by model."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._models: dict[tuple[str | None, str], dict[str, Any]] = {}

    def add(
        self,
        provider: str | None,
        model: str,
        numbers: dict[str, int],
        cost: Amount | None,
    ) -> None:
        """Adds what one call of a model has used."""
        so_far = self._models.setdefault((provider, model), {})
        for name, number in numbers.items():
            so_far[name] = so_far.get(name, 0) + number
        told = some_amount(cost)
        if told is not None:
            so_far["cost"] = format(Decimal(so_far.get("cost", "0")) + Decimal(told), "f")

    @property
    def reports(self) -> list[dict[str, Any]] | None:
        """As it is reported: sums; ``None`` for nothing."""
        reports = [
            body_of(provider=provider, model=model, **numbers)
            for (provider, model), numbers in self._models.items()
        ]
        return reports or None


class Usage:
    """What was used."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def show(
        self,
        by: str | None = None,
        *,
        start: str | datetime.date | None = None,
        end: str | datetime.date | None = None,
        owner: str | None = None,
    ) -> types.UsageAnswer:
        """Tokens and cost by ``model`` (if left out), ``owner``, ``user``, ``node`` or ``group``.

        Days are in UTC, at most 31: from ``start`` (if left out, ``end``) to ``end`` (today).
        ``owner`` is for the admin.
        """
        query = {
            "by": by,
            "from": None if start is None else str(start),
            "to": None if end is None else str(end),
            "owner": owner,
        }
        answer: types.UsageAnswer = await self._calls.request("GET", api("usage"), query=query)
        return answer


class Budgets:
    """What the tasks of an agent, for a user, or of a group may use together."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def each(self) -> AsyncIterator[types.Budget]:
        """All, newest first, page by page."""
        async for budget in self._calls.each(api("budgets"), {}):
            yield budget

    async def get(self, scope: str, of: str, *, owner: str | None = None) -> types.Budget:
        """One, and how much of it is used: ``of`` an ``owner``, a ``user`` or a ``group``."""
        budget: types.Budget = await self._calls.request(
            "GET", api("budgets", scope, of), query={"owner": owner}
        )
        return budget

    async def set(
        self,
        scope: str,
        of: str,
        *,
        cost: Amount | None = None,
        tokens: int | None = None,
        period: str | None = None,
        on_exceed: str | None = None,
        owner: str | None = None,
        note: str | None = None,
    ) -> types.Budget:
        """Makes it, or replaces it whole; what is used of it stays used.

        It bounds ``cost``, or ``tokens``, or both, within a ``period`` in UTC: ``day``, ``month``
        or ``total`` (if left out). The task that goes over it goes on, and an event tells of it
        (``flag``, if left out), is cancelled (``cancel``), or waits for an approval (``wait``);
        and but for ``flag`` nothing further is taken. The budget of an ``owner`` is the admin's.
        """
        body = body_of(
            cost=some_amount(cost),
            tokens=tokens,
            period=period,
            on_exceed=on_exceed,
            owner=owner,
            note=note,
        )
        made: types.Budget = await self._calls.request("PUT", api("budgets", scope, of), json=body)
        return made

    async def remove(self, scope: str, of: str, *, owner: str | None = None) -> None:
        """What it was for may use as much as it likes."""
        await self._calls.request("DELETE", api("budgets", scope, of), query={"owner": owner})


class Prices:
    """What a million tokens of a model cost, for tasks that report no cost."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def list(self) -> list[types.ModelPrice]:
        """All, by name."""
        prices: list[types.ModelPrice] = await self._calls.request("GET", api("prices"))
        return prices

    async def set(
        self,
        model: str,
        *,
        input: Amount,  # noqa: A002 - the contract's name
        output: Amount,
        cached: Amount | None = None,
    ) -> types.ModelPrice:
        """Sets the price of a model, or of ``provider/model``, which comes first. The admin's."""
        body = body_of(
            input=some_amount(input), output=some_amount(output), cached=some_amount(cached)
        )
        price: types.ModelPrice = await self._calls.request("PUT", api("prices", model), json=body)
        return price

    async def remove(self, model: str) -> None:
        """It costs nothing, unless whoever uses it says what. The admin's."""
        await self._calls.request("DELETE", api("prices", model))
