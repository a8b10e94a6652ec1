"""The trading hub's ``RedisStore``, over HTTP: the ledger is written by nobody but the hub."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reef_behind import ask, hub

from reef_agents import NotFound, Reef, ReefError


class RedisStore:
    """Agents, balances, keys, intents and positions of the hub. Its key must be an admin's."""

    def __init__(self, url: str = "redis://localhost:6379") -> None:
        """The address of a Redis is not used: ``REEF_HUB`` says where the hub is."""
        self.url = url

    async def save_agent(self, agent_id: str, data: dict[str, Any]) -> None:
        """Registers it, if it is not there; what the hub has no field for is its metadata."""
        known = {name: data.get(name) for name in ("display_name", "wallet_address")}
        rest = {name: value for name, value in data.items() if name not in (*known, "agent_id")}
        try:
            await hub().agents.get(agent_id)
        except NotFound:
            await hub().agents.register(agent_id, metadata=rest or None, **known)

    async def get_agent(self, agent_id: str) -> dict[str, Any] | None:
        """As the hub tells it."""
        try:
            return dict(await hub().agents.get(agent_id))
        except NotFound:
            return None

    async def list_agents(self) -> list[str]:
        """Their ids."""
        return [agent["agent_id"] for agent in (await hub().agents.list(limit=1000))["agents"]]

    async def set_balance(self, agent_id: str, balance: float) -> None:
        """Pays in or out what is between the balance and this, so that the journal has it."""
        have = (await hub().ledger.balance(agent_id)).balance
        change = Decimal(str(balance)) - have
        if change > 0:
            await hub().ledger.deposit(agent_id, change)
        elif change < 0:
            await hub().ledger.withdraw(agent_id, -change)

    async def get_balance(self, agent_id: str) -> float:
        """What there is; 0 for an agent that there is not."""
        try:
            return float((await hub().ledger.balance(agent_id)).balance)
        except NotFound:
            return 0.0

    async def save_api_key(self, key: str, agent_id: str) -> None:
        """Keys are made by the hub, which keeps no more than their hash."""
        raise NotImplementedError(
            "the hub makes the keys: take the one that registration answers, or POST /auth/keys"
        )

    async def get_agent_by_api_key(self, key: str) -> str | None:
        """Whose key it is."""
        async with Reef(hub().url, key=key) as reef:
            try:
                return str((await reef.agents.me())["agent"]["agent_id"])
            except (ReefError, KeyError, TypeError, ValueError):
                return None

    async def save_intent(self, intent_id: str, data: dict[str, Any]) -> None:
        """Intents are submitted: their ids and states are the hub's."""
        raise NotImplementedError("the hub decides about intents: POST /intents")

    async def save_position(self, position_id: str, data: dict[str, Any]) -> None:
        """Positions come of matches."""
        raise NotImplementedError("positions come of matches: POST /intents/{id}/match")

    async def get_agent_positions(self, agent_id: str) -> list[str]:
        """Their ids."""
        path, query = f"/positions/{agent_id}", {"include_closed": True}
        told = await ask("GET", path, query=query)
        return [position["position_id"] for position in told["positions"]]
