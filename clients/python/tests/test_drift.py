"""The client against ``openapi.json``: each operation is wrapped, or left out for a reason."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import run
from scripted import Scripted, Told

import reef_agents
from reef_agents import Message, Node, Reef, ReefError, Session, Writer, _clock, sync
from reef_agents._calls import Calls
from reef_agents._claims import Claim
from reef_agents._lease import Lease
from reef_agents.agents import Agents, Invites, Keys
from reef_agents.bulk import Bulk
from reef_agents.cluster import Cluster
from reef_agents.groups import Groups
from reef_agents.inbox import Inbox
from reef_agents.ledger import Ledger
from reef_agents.limits import Limits
from reef_agents.market import Market
from reef_agents.nodes import Nodes
from reef_agents.schedules import Schedules
from reef_agents.session import Sessions
from reef_agents.sync import nouns
from reef_agents.task import Task
from reef_agents.tasks import Tasks
from reef_agents.usage import Budgets, Prices, Usage
from reef_agents.waits import Waits

ROOT = Path(__file__).resolve().parents[3]

FOR_OPERATORS = "the hub's operator asks it, with `reef` or a scraper"
FOR_LOCKS = "`reef lock NAME -- COMMAND` ends the command in time, which no library can promise"
FOR_BROWSERS = "a page or what it loads: for browsers"
#: Operations without a method of their own, and why. `reef.request` reaches them.
FOR_LOGS = "for `reef worker --log`, which sends what commands print, and `reef tasks logs`"

UNWRAPPED = {
    "GET /health": "`cluster.is_ready` asks more: whether the hub can write",
    "GET /api/v1/cluster/durability": FOR_OPERATORS,
    "GET /healthz": FOR_OPERATORS,
    "GET /api/v1/locks": FOR_LOCKS,
    "GET /api/v1/locks/{name}": FOR_LOCKS,
    "POST /api/v1/locks/{name}/acquire": FOR_LOCKS,
    "POST /api/v1/locks/{name}/renew": FOR_LOCKS,
    "POST /api/v1/locks/{name}/release": FOR_LOCKS,
    "GET /metrics": FOR_OPERATORS,
    "GET /api/v1/history": FOR_OPERATORS,
    "GET /api/v1/tasks/{id}/attempts": FOR_OPERATORS,
    "GET /debug": FOR_OPERATORS,
    "GET /api/v1/cluster/monitor": FOR_OPERATORS,
    "GET /api/v1/inboxes": FOR_OPERATORS,
    "GET /api/v1/entries/seals": FOR_OPERATORS,
    "GET /api/v1/audit": FOR_OPERATORS,
    "GET /api/v1/audit/seals": FOR_OPERATORS,
    "GET /api/v1/entries/audit": FOR_OPERATORS,
    "GET /api/v1/entries/index": FOR_OPERATORS,
    "POST /api/v1/heartbeats": "for gateways that stand for many nodes; a node sends its own",
    "POST /api/v1/tasks/{id}/log": FOR_LOGS,
    "GET /api/v1/tasks/{id}/log": FOR_LOGS,
    "GET /api/v1/tasks/{id}/log/stream": FOR_LOGS,
    "GET /problems/{code}": FOR_BROWSERS,
    "GET /openapi.json": FOR_BROWSERS,
    "GET /docs": FOR_BROWSERS,
    "GET /redoc": FOR_BROWSERS,
    "GET /": FOR_BROWSERS,
    "GET /ui/{asset}": FOR_BROWSERS,
    "DELETE /ui/session": FOR_BROWSERS,
    "POST /ui/session": FOR_BROWSERS,
    "POST /ui/sign-in-links": FOR_BROWSERS,
    "GET /ui/act": FOR_BROWSERS,
    "POST /ui/act": FOR_BROWSERS,
    "DELETE /ui/act": FOR_BROWSERS,
}

#: What stands for every id.
ID = "x"


def _operations() -> Iterator[tuple[str, str]]:
    openapi = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    for path, item in openapi["paths"].items():
        for method in item:
            if method in ("get", "post", "put", "patch", "delete"):
                yield method.upper(), path


def _value(annotation: str) -> object:
    """Something that a parameter of this type takes."""
    for start, value in (
        ("Sequence[NewTask]", [{"name": ID}]),
        ("NewTask", {"name": ID}),
        ("Mapping", {}),
        ("Spec", {}),
        ("Sequence", [ID]),
        ("int", 1),
        ("float", 1.0),
        ("Amount", "1"),
    ):
        if annotation.startswith(start):
            return value
    return ID


async def _ask(method: Callable[..., Any]) -> None:
    """Calls a method with whatever it needs, and lets the answer be a refusal."""
    given: dict[str, object] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            given[name] = _value(str(parameter.annotation))
    try:
        result = method(**given)
        if inspect.isawaitable(result):
            await result
        elif inspect.isasyncgen(result):
            await anext(result)
    except ReefError:
        pass


async def _ask_all(calls: Calls) -> None:
    """Has the client ask all that it can."""
    reef = Reef("http://hub", key="k")
    nouns = [Agents(calls), Keys(calls), Invites(calls), Cluster(calls), Ledger(calls)]
    nouns += [Market(calls), Nodes(calls), Sessions(calls), Tasks(calls), Groups(calls)]
    nouns += [Waits(calls), Bulk(calls), Limits(calls), Schedules(calls)]
    nouns += [Usage(calls), Budgets(calls), Prices(calls)]
    nouns += [Inbox(calls, ID), Session(calls, ID), Message(calls, ID, ID)]
    for noun in nouns:
        for name, method in inspect.getmembers(noun, inspect.ismethod):
            if not name.startswith("_"):
                await _ask(method)
    reef._calls = calls
    node = reef.node(ID, skills=[ID])
    for ask in (node._register, node._beat, node.__aexit__):
        await _ask(lambda ask=ask: ask(*([None] * len(inspect.signature(ask).parameters))))
    await node._claim(1)
    raw: Any = {
        "task_id": ID, "name": "", "description": "", "parameters": {}, "metadata": {},
        "session_id": None, "message_id": ID, "token": "1-x", "retry_count": 0, "timeout": 1,
    }  # fmt: skip
    claim = Claim(calls, Task(calls, raw, Lease(1, 0)), None)
    await _ask(claim.renew)
    held = Task(calls, raw, Lease(3600, _clock.now()))
    for wait in (held.sleep, held.signals):
        await _ask(wait)
    await claim._tell("complete", {})
    await claim._tell("fail", {})
    for lead in ("campaign", "resign"):
        await _ask(lambda lead=lead: _lead(calls, lead))


async def _lead(calls: Calls, what: str) -> None:
    from reef_agents.leadership import Lead, _Campaign

    campaign = _Campaign(calls, ID, 30)
    if what == "campaign":
        await campaign._ask()
    else:
        await campaign.resign(Lead(ID, 1, Lease(30, 0)))


def _fits(path: str, template: str) -> bool:
    asked, wanted = path.split("/"), template.split("/")
    return len(asked) == len(wanted) and all(
        part == (ID if want.startswith("{") else want)
        for part, want in zip(asked, wanted, strict=True)
    )


def test_each_operation_is_wrapped_or_left_out_for_a_reason() -> None:
    transport = Scripted(Told(404, {"code": "not_found", "detail": "nothing is here"}))
    run(_ask_all(Calls("http://hub", "k", transport, 5, 0)))
    asked = {(it.method, urlsplit(it.url).path) for it in transport.asked}
    operations = list(_operations())
    assert len(operations) > 100
    wrapped, missing = set(), []
    for method, template in operations:
        found = {it for it in asked if it[0] == method and _fits(it[1], template)}
        wrapped |= found
        name = f"{method} {template}"
        if bool(found) == (name in UNWRAPPED):
            missing.append(name)
    assert missing == [], "neither wrapped nor in UNWRAPPED, or both"
    assert asked - wrapped == set(), "asked for, but not in openapi.json"
    assert UNWRAPPED.keys() <= {f"{method} {path}" for method, path in operations}


@pytest.mark.parametrize("what", ["types", "reference"])
def test_what_is_made_from_others_is_current(what: str) -> None:
    if what == "types":
        pytest.importorskip("datamodel_code_generator")
    tool = Path(__file__).resolve().parent.parent / f"tools/generate_{what}.py"
    command = [sys.executable, str(tool), "--check"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def _waited_for() -> Iterator[type]:
    """The classes that a façade is needed of: those with methods that are awaited."""
    for module in vars(reef_agents).values():
        name = module.__name__ if inspect.ismodule(module) else ""
        if not name.startswith("reef_agents.") or name.startswith("reef_agents._"):
            continue
        for name, kind in inspect.getmembers(module, inspect.isclass):
            is_public = kind.__module__ == module.__name__ and not name.startswith("_")
            methods = [it for called, it in vars(kind).items() if not called.startswith("_")]
            if is_public and any(
                inspect.iscoroutinefunction(it) or inspect.isasyncgenfunction(it) for it in methods
            ):
                yield kind


def _parameters(function: object) -> list[str] | None:
    """Their names; ``None`` for what is no function, and for what takes whatever comes."""
    if not inspect.isfunction(function):
        return None
    given = inspect.signature(function, follow_wrapped=True).parameters
    is_free = any(it.kind is inspect.Parameter.VAR_KEYWORD for it in given.values())
    return None if is_free else list(given)


def test_the_facade_has_all_that_the_client_has() -> None:
    kinds = set(_waited_for())
    assert {Tasks, Session, Node, Writer} <= kinds
    for kind in kinds:
        facade = getattr(sync, kind.__name__, None) or getattr(nouns, kind.__name__)
        for name, member in inspect.getmembers(kind):
            # What instances are given is no member of the class.
            if name.startswith("_") or (kind is Task and name == "epoch"):
                continue
            assert hasattr(facade, name), f"sync.{kind.__name__} has no {name}"
            ours, theirs = _parameters(getattr(facade, name)), _parameters(member)
            # Waiting in a thread of its own, it may have more to say, or less.
            if ours is not None and theirs is not None:
                assert ours == theirs, f"{kind.__name__}.{name}"
