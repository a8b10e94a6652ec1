"""What tasks use and cost, and what they may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest
from conftest import admin, run, until
from hub import Hub

from reef_agents import NotFound, Reef, Task, ValidationFailed, types
from reef_agents.sync import Reef as SyncReef


def test_what_a_handler_has_used_is_reported_and_its_budget_stops_it(
    hub: Hub, unique: Callable[[str], str]
) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            skill, model = unique("skill"), unique("model")
            tries: list[object] = []
            async with reef.node(unique("node"), skills=[skill]) as node:

                @node.task(lease=10)
                async def work(task: Task) -> str:
                    tries.append(task.checkpoint)
                    if task.checkpoint is None:
                        task.save({"page": 1})
                        task.used(model, provider="p", input=10, output=5, cached=4, cost="0.5")
                        task.used(model, provider="p", input=10, cost=Decimal("0.25"))
                        await asyncio.sleep(60)
                    task.used(model, input=1)
                    return "done"

                worker = asyncio.create_task(node.run())
                made = await reef.tasks.submit(
                    "work", skills=[skill], user_id=skill, budget={"cost": "0.75"}
                )
                assert made["budget"] is not None
                assert made["budget"]["on_exceed"] == "wait"

                async def asked() -> bool:
                    return bool([it async for it in _open(reef, made["task_id"])])

                await until(asked)
                [wait] = [it async for it in _open(reef, made["task_id"])]
                await reef.waits.answer(wait["wait_id"], "approve")
                task = await reef.tasks.wait(made["task_id"])
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)
            assert (task["status"], task["result"]) == ("completed", "done")
            assert tries == [None, {"page": 1}]
            used = task["usage"]
            assert used is not None
            assert (used["input"], used["output"], used["cached"], used["requests"]) == (
                21,
                5,
                4,
                3,
            )
            assert used["cost"] == "0.75"
            by_user = await reef.usage.show("user")
            assert any(row["key"] == skill for row in by_user["rows"])

    run(main())


async def _open(reef: Reef, task_id: str) -> AsyncIterator[types.Wait]:
    async for wait in reef.waits.each(kind="approval"):
        if wait["task_id"] == task_id:
            yield wait


def test_budgets_and_prices_are_set_shown_and_removed(
    hub: Hub, unique: Callable[[str], str]
) -> None:
    with SyncReef(hub.url, key=hub.admin_key) as reef:
        user, model = unique("a user"), f"p/{unique('model')}"
        made = reef.budgets.set("user", user, cost="5", period="day", on_exceed="cancel")
        assert (made["cost"], made["cost_used"], made["exceeded"]) == ("5", "0", False)
        assert reef.budgets.get("user", user)["period"] == "day"
        assert any(it["id"] == user for it in reef.budgets.each())
        reef.budgets.remove("user", user)
        with pytest.raises(NotFound):
            reef.budgets.get("user", user)
        with pytest.raises(ValidationFailed):
            reef.budgets.set("user", user)
        reef.prices.set(model, input=Decimal("1.5"), output="2")
        [price] = [it for it in reef.prices.list() if it["model"] == model]
        assert (price["input"], price["cached"]) == ("1.5", "1.5")
        reef.prices.remove(model)


def test_an_amount_is_no_float(hub: Hub) -> None:
    with SyncReef(hub.url, key=hub.admin_key) as reef, pytest.raises(TypeError):
        reef.budgets.set("user", "u", cost=0.1)  # type: ignore[arg-type]
