"""Leading the cluster, as a scope: it ends when the lead does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from . import _clock
from ._bounded import within
from ._calls import Calls, api, body_of
from ._lease import Lease
from .errors import Conflict, Fenced, LeadershipLost, NotFound, ReefError

if TYPE_CHECKING:
    from . import types
    from .node import Node

_LOG = logging.getLogger("reef_agents")
_PAUSE_MIN, _PAUSE_MAX = 0.1, 5.0


class Lead:
    """The lead, while it lasts."""

    def __init__(self, node_id: str, term: int, lease: Lease) -> None:
        """As it was won."""
        self.node_id = node_id
        #: Grows with every change of leader: give it along with what you write, so that whoever
        #: reads can refuse an older one.
        self.term = term
        self._lease = lease
        self._is_lost = False

    @property
    def is_lost(self) -> bool:
        """Whether somebody else may lead by now."""
        return self._is_lost or self._lease.is_over

    def raise_if_lost(self) -> None:
        """To be called before what only a leader may do."""
        if self.is_lost:
            raise LeadershipLost(f"{self.node_id} no longer leads in term {self.term}")


@asynccontextmanager
async def leadership(
    calls: Calls, node: Node | str, *, ttl: float = 30, patience: float | None = None
) -> AsyncIterator[Lead]:
    """Waits to be elected, and leads for as long as the block runs.

    When the lead is lost, the block is cancelled, and the ``async with`` raises
    :class:`LeadershipLost`. ``patience``: how long to wait for the election, in seconds;
    ``TimeoutError`` then.
    """
    campaign = _Campaign(calls, node, ttl)
    try:
        lead = await within(campaign.win(), patience)
    except TimeoutError as late:
        raise TimeoutError(f"not elected within {patience} s") from late
    block = asyncio.current_task()
    keeper = asyncio.create_task(campaign.keep(lead, block))
    try:
        yield lead
    except asyncio.CancelledError:
        if lead._is_lost:  # noqa: SLF001 - its own module
            uncancel = getattr(block, "uncancel", None)
            if uncancel is not None:
                uncancel()
            raise LeadershipLost(f"{lead.node_id} no longer leads in term {lead.term}") from None
        raise
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        if not lead.is_lost:
            await campaign.resign(lead)


class _Campaign:
    def __init__(self, calls: Calls, node: Node | str, ttl: float) -> None:
        self._calls, self._node, self._ttl = calls, node, ttl

    async def _ask(self, patience: float | None = None) -> types.CampaignAnswer:
        node = self._node
        # Asked anew each time: a node that registered again has another incarnation.
        named = node if isinstance(node, str) else node.id
        incarnation = None if isinstance(node, str) else node.incarnation
        answer: types.CampaignAnswer = await self._calls.request(
            "POST",
            api("cluster", "leader", "campaign"),
            json=body_of(node_id=named, ttl_ms=round(self._ttl * 1000), incarnation=incarnation),
            # A campaign that is repeated says the same: whether this node leads.
            repeatable=True,
            patience=patience,
        )
        return answer

    async def win(self) -> Lead:
        pause = _PAUSE_MIN
        while True:
            asked = _clock.now()
            answer = await self._ask()
            if answer["is_leader"]:
                lead = Lead(
                    self._node if isinstance(self._node, str) else self._node.id,
                    answer["term"],
                    Lease(self._ttl, asked),
                )
                # A leader that lost its lease early may not know of it yet.
                if not (former := answer.get("former_ttl_ms", 0)):
                    return lead
                await asyncio.sleep(min(former / 1000, self._ttl / 4))
                continue
            # No longer than the present lease, or a share of ours: it may be resigned any time.
            wait = min(max(answer["ttl_ms"] / 1000, _PAUSE_MIN), pause, self._ttl / 3)
            await asyncio.sleep(wait)
            pause = min(pause * 2, _PAUSE_MAX)

    async def keep(self, lead: Lead, block: asyncio.Task[object] | None) -> None:
        """Renews the lead until it is lost; then the block is cancelled."""
        renewing: asyncio.Task[None] = asyncio.create_task(self._renew(lead))
        try:
            while not lead.is_lost and not renewing.done():
                await asyncio.wait({renewing}, timeout=0.2)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        lead._is_lost = True  # noqa: SLF001 - its own module
        if block is not None:
            block.cancel()

    async def _renew(self, lead: Lead) -> None:
        """Ends when the hub says that somebody else leads."""
        lease = lead._lease  # noqa: SLF001 - its own module
        while True:
            await asyncio.sleep(self._ttl / 4)
            asked = _clock.now()
            try:
                answer = await self._ask(patience=0)
            except (Fenced, Conflict, NotFound) as error:
                _LOG.warning("the lead is lost: %s", error)
                return
            except ReefError as error:
                _LOG.warning("the lead is not renewed: %s", error)
                continue
            if not answer["is_leader"] or answer["term"] != lead.term:
                return
            lease.renew(asked)

    async def resign(self, lead: Lead) -> None:
        try:
            await self._calls.request(
                "POST",
                api("cluster", "leader", "resign"),
                json={"node_id": lead.node_id, "term": lead.term},
                patience=2,
            )
        except ReefError as error:
            # It ends by itself then.
            _LOG.warning("the lead was not resigned: %s", error)
