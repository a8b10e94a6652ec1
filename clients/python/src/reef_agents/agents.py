"""Agents, which own keys and money, and how they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._calls import Calls, api, body_of

if TYPE_CHECKING:
    from . import types


class Agents:
    """All agents."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls
        self.keys = Keys(calls)
        self.invites = Invites(calls)

    async def register(
        self,
        agent_id: str | None = None,
        *,
        display_name: str | None = None,
        wallet_address: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.AgentRegistered:
        """Makes one. Its key is in the answer, this once; the caller is an admin, or an invite."""
        body = body_of(
            agent_id=agent_id,
            display_name=display_name,
            wallet_address=wallet_address,
            metadata=metadata,
        )
        registered: types.AgentRegistered = await self._calls.request(
            "POST", api("agents", "register"), json=body, idempotency_key=idempotency_key
        )
        return registered

    async def get(self, agent_id: str) -> types.ShownAgent:
        """One agent; its money is shown to itself and admins."""
        agent: types.ShownAgent = await self._calls.request("GET", api("agents", agent_id))
        return agent

    async def list(self, *, limit: int | None = None, cursor: str | None = None) -> types.AgentList:
        """Agents, one page."""
        query = {"limit": limit, "cursor": cursor}
        listed: types.AgentList = await self._calls.request("GET", api("agents"), query=query)
        return listed

    async def set_status(self, agent_id: str, status: str) -> types.ShownAgent:
        """Suspends an agent with all its keys, or makes it ``active`` again. For admins."""
        agent: types.ShownAgent = await self._calls.request(
            "PATCH", api("agents", agent_id), json={"status": status}
        )
        return agent

    async def remove(self, agent_id: str) -> types.AgentRemoved:
        """Removes one that has no money. For admins."""
        removed: types.AgentRemoved = await self._calls.request("DELETE", api("agents", agent_id))
        return removed

    async def me(self) -> dict[str, Any]:
        """Whose key this is, and what it may do."""
        me: dict[str, Any] = await self._calls.request("GET", api("auth", "me"))
        return me


class Keys:
    """The keys of the caller's agent."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def create(
        self,
        *,
        name: str | None = None,
        scopes: Sequence[str] | None = None,
        expires_in_days: int | None = None,
        agent_id: str | None = None,
        certificate: str | None = None,
    ) -> types.KeyAnswer:
        """Makes a key; it is in the answer, this once."""
        body = body_of(
            name=name,
            scopes=list(scopes) if scopes is not None else None,
            expires_in_days=expires_in_days,
            agent_id=agent_id,
            certificate=certificate,
        )
        answer: types.KeyAnswer = await self._calls.request("POST", api("auth", "keys"), json=body)
        return answer

    async def list(self) -> types.KeyList:
        """All about them but the keys."""
        listed: types.KeyList = await self._calls.request("GET", api("auth", "keys"))
        return listed

    async def revoke(self, key_id: str) -> None:
        """Ends one, everywhere at once."""
        await self._calls.request("DELETE", api("auth", "keys", key_id))

    async def rotate(self, key_id: str) -> types.KeyAnswer:
        """Puts a new key in the place of one."""
        path = api("auth", "keys", key_id, "rotate")
        answer: types.KeyAnswer = await self._calls.request("POST", path)
        return answer


class Invites:
    """What lets somebody register an agent. For admins."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def create(
        self,
        *,
        uses: int | None = None,
        expires_in: int | None = None,
        scopes: Sequence[str] | None = None,
    ) -> types.InviteAnswer:
        """Makes one that is good for some seconds; it is in the answer, this once."""
        body = body_of(
            uses=uses,
            expires_in=expires_in,
            scopes=list(scopes) if scopes is not None else None,
        )
        answer: types.InviteAnswer = await self._calls.request("POST", api("invites"), json=body)
        return answer

    async def list(self) -> types.InviteList:
        """The open ones."""
        listed: types.InviteList = await self._calls.request("GET", api("invites"))
        return listed

    async def revoke(self, invite_id: str) -> types.InviteRevoked:
        """Ends one."""
        revoked: types.InviteRevoked = await self._calls.request(
            "DELETE", api("invites", invite_id)
        )
        return revoked
