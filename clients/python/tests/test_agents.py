"""Mail, money, the lead, and the façade for programs without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from conftest import admin, run
from hub import Hub

from reef_agents import (
    Conflict,
    Forbidden,
    InsufficientBalance,
    LeadershipLost,
    Reef,
    Replaced,
    Unauthenticated,
    sync,
)

Unique = Callable[[str], str]


async def _agent(reef: Reef, hub: Hub, name: str) -> Reef:
    """A new agent's own client."""
    registered = await reef.agents.register(name)
    return Reef(hub.url, key=registered["api_key"])


def test_mail_is_gone_once_it_is_done_with(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            bob = await _agent(reef, hub, unique("bob"))
            inbox = bob.inbox(unique("bob"))
            for number in range(3):
                sent = reef.inbox(unique("bob"))
                await sent.send({"number": number}, sender="boss", topic="work")
            seen: list[object] = []

            async def listen() -> None:
                async for mail in inbox.listen(lease=1):
                    try:
                        async with mail:
                            seen.append((mail.content["number"], mail.attempts))
                            if mail.attempts == 1 and mail.content["number"] == 1:
                                raise RuntimeError("not this time")  # noqa: TRY301
                    except RuntimeError:
                        continue
                    if len(seen) == 4:
                        return

            await listen()
            # What was left comes again, after its lease.
            assert seen == [(0, 1), (1, 1), (2, 1), (1, 2)]
            assert (await inbox.look())["depth"] == 0
            with pytest.raises(Forbidden):
                await bob.inbox(unique("bob")).send("x", sender="somebody-else")
            await bob.close()

    run(main())


def test_money_moves_once_and_to_the_cent(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            alice = await _agent(reef, hub, unique("alice"))
            await _agent(reef, hub, unique("bob"))
            a, b = unique("alice"), unique("bob")
            assert (await alice.ledger.deposit(a, "100.000001")).balance == Decimal("100.000001")
            paid = await alice.ledger.transfer(a, b, Decimal("12.5"), memo="for the GPU")
            assert (paid["amount"], paid["memo"]) == ("12.5", "for the GPU")
            hold = await alice.ledger.hold(a, "50", expires_in=60)
            balance = await alice.ledger.balance(a)
            assert (balance.locked, balance.available) == (Decimal(50), Decimal("37.500001"))
            with pytest.raises(InsufficientBalance, match=r"37\.500001 is available"):
                await alice.ledger.transfer(a, b, "40")
            posted = await alice.ledger.post(hold["hold_id"], b, "20")
            assert (posted["status"], posted["posted"]) == ("posted", "20")
            assert (await reef.ledger.balance(b)).balance == Decimal("32.5")
            # The same payment under the same key, from another call, is the first one.
            again = [
                await alice.ledger.transfer(a, b, "1", idempotency_key=unique("key"))
                for _ in range(2)
            ]
            assert again[0] == again[1]
            assert (await reef.ledger.balance(b)).balance == Decimal("33.5")
            kinds = [entry["kind"] async for entry in alice.ledger.entries(agent=a)]
            assert len(kinds) == 5
            await alice.close()

    run(main())


def test_a_wrong_key_is_told_apart(hub: Hub) -> None:
    async def main() -> None:
        async with Reef(hub.url, key="reef_wrong") as reef:
            with pytest.raises(Unauthenticated) as caught:
                await reef.tasks.stats()
            assert caught.value.request_id

    run(main())


def test_one_leads_and_the_next_takes_over(own_hub: Hub) -> None:
    async def main() -> None:
        terms: list[int] = []
        async with (
            admin(own_hub) as reef,
            reef.node("one", skills=["x"]) as one,
            reef.node("two", skills=["x"]) as two,
        ):
            async with reef.leadership(one, ttl=5) as lead:
                terms.append(lead.term)
                with pytest.raises(TimeoutError, match="not elected"):
                    async with reef.leadership(two, ttl=5, patience=0.3):
                        pass
                assert (await reef.cluster.leader())["leader"] == "one"
            async with reef.leadership(two, ttl=5) as lead:
                terms.append(lead.term)
                lead.raise_if_lost()
                told = [entry["event"] for entry in await reef.cluster.leaders()]
                assert told[0] == "elected"
        assert terms[1] > terms[0]

    run(main())


def test_a_lead_that_is_lost_ends_the_block(own_hub: Hub) -> None:
    async def main() -> None:
        ended = asyncio.Event()
        async with admin(own_hub) as reef, reef.node("one", skills=["x"]) as node:
            with pytest.raises(LeadershipLost):
                async with reef.leadership(node, ttl=2) as lead:
                    await reef.request(
                        "POST",
                        "/api/v1/cluster/leader/resign",
                        json={"node_id": "one", "term": lead.term},
                    )
                    # Somebody else takes it before this one can renew it.
                    async with reef.node("two", skills=["x"]) as two:
                        answer = await reef.request(
                            "POST",
                            "/api/v1/cluster/leader/campaign",
                            json={"node_id": two.id, "ttl_ms": 60_000},
                        )
                        assert answer["is_leader"]
                        try:
                            await asyncio.sleep(3600)
                        finally:
                            assert lead.is_lost
                            ended.set()
            assert ended.is_set()
            # The caller was not cancelled itself.
            await asyncio.sleep(0)

    run(main())


def test_who_registers_anew_replaces_the_first(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            async with reef.node(unique("n"), skills=["x"]) as first:
                first.worker(_nothing)
                running = asyncio.create_task(first.run(signals=False))
                second = reef.node(unique("n"), skills=["x"])
                await second.__aenter__()
                # The first one's next heartbeat is refused.
                with pytest.raises(Replaced):
                    await running
            # It has not signed the other one off.
            assert (await reef.nodes.get(unique("n")))["status"] == "online"
            await second.__aexit__(None, None, None)
            assert (await reef.nodes.get(unique("n")))["status"] == "offline"

    run(main())


async def _nothing(_task: object) -> None:
    pass


def test_the_same_without_an_event_loop(hub: Hub, unique: Unique) -> None:
    threads_before = threading.active_count()
    with sync.Reef(hub.url, key=hub.admin_key) as reef:
        with reef.node(unique("n"), skills=["simple", unique("s")]) as node:

            @node.task(lease=10)
            def answer(task: sync.Task) -> dict[str, int]:
                task.progress(0.1)
                with task.message() as out:
                    out.write("wörds ")
                    out.write("of a thread")
                task.raise_if_cancelled()
                return {"attempt": task.attempt}

            working = threading.Thread(target=node.run)
            working.start()
            session = reef.sessions.open(unique("chat"))
            asked = session.ask("Say it.", skills=[unique("s")])
            assert "".join(it.delta for it in asked.answer.stream()) == "wörds of a thread"
            assert reef.tasks.wait(asked.task_id)["result"] == {"attempt": 1}
            node.stop()
            working.join()
        registered = reef.agents.register(unique("sync"))
        with sync.Reef(hub.url, key=registered["api_key"]) as agent:
            assert agent.ledger.deposit(unique("sync"), "2.5").available == Decimal("2.5")
            reef.inbox(unique("sync")).send("hello", sender="boss")
            for mail in agent.inbox(unique("sync")).listen():
                with mail:
                    assert mail.content == "hello"
                break
            assert agent.inbox(unique("sync")).look()["depth"] == 0
            with pytest.raises(TypeError):
                agent.ledger.transfer("a", "b", 1.5)  # type: ignore[arg-type]
    assert threading.active_count() == threads_before


def test_a_session_does_one_thing_at_a_time(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            session = await reef.sessions.open(unique("chat"), if_busy="reject")
            assert (await session.get())["if_busy"] == "reject"
            first = await session.ask("One.", skills=[unique("s")])
            with pytest.raises(Conflict, match=first.task_id):
                await session.ask("Two.", skills=[unique("s")])
            await session.ask("Instead.", skills=[unique("s")], if_busy="rollback")
            assert (await reef.tasks.get(first.task_id))["status"] == "cancelled"
            assert (await first.answer.get())["metadata"]["superseded"] is True

    run(main())


def test_a_lead_without_an_event_loop(own_hub: Hub) -> None:
    with (
        sync.Reef(own_hub.url, key=own_hub.admin_key) as reef,
        reef.node("one", skills=["x"]) as node,
    ):
        with reef.leadership(node, ttl=5) as lead:
            lead.raise_if_lost()
            assert reef.cluster.leader()["leader"] == "one"
            with (
                reef.node("two", skills=["x"]) as two,
                pytest.raises(TimeoutError),
                reef.leadership(two, ttl=5, patience=0.2),
            ):
                pass
        assert reef.cluster.leader()["leader"] is None
