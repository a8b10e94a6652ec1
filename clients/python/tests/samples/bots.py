"""The bots, and the trading hub."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from db.redis_store import RedisStore
from reef_behind import hub

from . import DIFFERS, Run, sample


@sample("bots", 3, "`config_loader`: the settings of Redis and of the node")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key, __file__=str(run.folder / "scripts/bot.py"))
    assert names["redis_config"]["port"] == run.left["port"]
    assert names["node_config"]["node"]["id"] == "bot2"


@sample("bots", 4, "`secrets.json`, read by hand")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key, __file__=str(run.folder / "scripts/bot.py"))
    assert names["redis_config"]["port"] == run.left["port"]


@sample("bots", 5, "`REDIS_*` in the environment")
async def _(run: Run, key: tuple[str, int]) -> None:
    exports = dict(re.findall(r'export (\w+)="(.*)"', run.codes[key]))
    told = run.start("-m", "config_loader", CLAWSTER_CONFIG_DIR="/nowhere", **exports)
    assert told.returncode == 0, told.stderr
    assert exports["REDIS_HOST"] in told.stdout


@sample(
    "bots",
    7,
    "a heartbeat written with `redis`; `config_loader.py` and `verify_cluster.py` started",
    DIFFERS,
    "`verify_cluster.py` exits with 1 where nobody leads; the bot is a node once it is in "
    "`openclaw:cluster:nodes`, too",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    told = run.start("-m", "config_loader")
    assert f'"port": {run.left["port"]}' in told.stdout, told.stderr
    bot = re.search(r"<< 'EOF'\n(.*?)EOF", run.codes[key], re.DOTALL)
    assert bot is not None
    told = run.start("-c", bot[1])
    assert "online" in told.stdout, told.stderr
    told = run.start("-m", "verify_cluster")
    assert "leader:" in told.stdout, told.stderr
    assert told.returncode == 1


@sample(
    "trading hub",
    0,
    "`RedisStore`, as printed and from `db.redis_store`",
    DIFFERS,
    "as printed it goes past the hub's ledger; from the module 8 of its 11 methods work, and "
    "`save_api_key`, `save_intent` and `save_position` refuse",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    printed = (await run.do(key))["RedisStore"](run.left["redis_url"])
    await printed.set_balance("printed", 2.5)
    assert await printed.get_balance("printed") == 2.5
    store = RedisStore(run.left["redis_url"])
    await store.save_agent("alice", {"display_name": "Alice", "mood": "good"})
    alice = await store.get_agent("alice")
    assert alice is not None
    assert alice["agent_id"] == "alice"
    assert "alice" in await store.list_agents()
    for amount in (12.5, 2.5):
        await store.set_balance("alice", amount)
        assert await store.get_balance("alice") == amount
    made = await hub().agents.keys.create(agent_id="alice", name="k", scopes=["read"])
    assert await store.get_agent_by_api_key(str(made["api_key"])) == "alice"
    assert await store.get_agent_positions("alice") == []
    refused: list[Callable[[], Awaitable[object]]] = [
        lambda: store.save_api_key("k", "alice"),
        lambda: store.save_intent("i", {}),
        lambda: store.save_position("p", {}),
    ]
    for refusing in refused:
        try:
            await refusing()
        except NotImplementedError:
            continue
        raise AssertionError("it was taken")
