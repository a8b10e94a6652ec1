"""Which requests are repeated, under which keys, and what refusals become."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import run
from scripted import Scripted, Told

import reef_agents
from reef_agents import (
    Conflict,
    Fenced,
    InsufficientBalance,
    Malformed,
    Problem,
    Reef,
    ReefError,
    Unreachable,
    ValidationFailed,
)

ROOT = Path(__file__).resolve().parents[3]


def _reef(*answers: Told | Unreachable, patience: float = 5) -> tuple[Reef, Scripted]:
    transport = Scripted(*answers)
    return Reef("http://hub", key="k", transport=transport, patience=patience), transport


def _problem(status: int, code: str, **headers: str) -> Told:
    return Told(status, {"status": status, "code": code, "detail": "No."}, headers)


@pytest.mark.parametrize(
    "first",
    [
        Unreachable("refused", may_have_arrived=False),
        Unreachable("broken off", may_have_arrived=True),
        _problem(429, "rate_limited"),
        Told(502, b"<html>proxy</html>"),
        _problem(503, "store_unavailable"),
        _problem(504, "deadline_exceeded"),
        _problem(409, "in_progress"),
    ],
)
def test_a_post_is_repeated_under_its_key(first: Told | Unreachable) -> None:
    reef, transport = _reef(first, Told(body={"ok": True}))
    assert run(reef.request("POST", "/api/v1/transfer", json={"amount": "1"})) == {"ok": True}
    first_ask, second_ask = transport.asked
    key = first_ask.headers["Idempotency-Key"]
    assert len(key) == 32
    assert second_ask.headers["Idempotency-Key"] == key
    assert first_ask.body == second_ask.body == b'{"amount":"1"}'
    assert first_ask.headers["Authorization"] == "Bearer k"


@pytest.mark.parametrize(
    "refusal",
    [
        _problem(400, "insufficient_balance"),
        _problem(409, "fenced"),
        _problem(409, "conflict"),
        _problem(422, "validation_failed"),
        _problem(500, "internal"),
    ],
)
def test_what_was_decided_is_not_asked_again(refusal: Told) -> None:
    reef, transport = _reef(refusal)
    with pytest.raises(Problem):
        run(reef.request("POST", "/api/v1/transfer", json={}))
    assert len(transport.asked) == 1


def test_a_change_that_may_have_arrived_is_not_repeated() -> None:
    reef, transport = _reef(Unreachable("broken off", may_have_arrived=True))
    with pytest.raises(Unreachable):
        run(reef.nodes.change("n", status="online"))
    assert len(transport.asked) == 1
    reef, transport = _reef(Unreachable("refused", may_have_arrived=False), Told(body={}))
    run(reef.nodes.change("n", status="online"))
    assert len(transport.asked) == 2


def test_patience_ends_with_the_last_refusal() -> None:
    reef, transport = _reef(_problem(503, "overloaded"), patience=1)
    with pytest.raises(reef_agents.Overloaded):
        run(reef.tasks.stats())
    assert len(transport.asked) >= 2
    # The hub asks for more patience than there is.
    reef, transport = _reef(_problem(429, "rate_limited", **{"retry-after": "30"}), patience=1)
    with pytest.raises(reef_agents.RateLimited) as caught:
        run(reef.tasks.stats())
    assert (caught.value.retry_after, len(transport.asked)) == (30, 1)


def test_refusals_are_classes_by_their_codes() -> None:
    body = {
        "code": "validation_failed",
        "detail": "amount: too much",
        "request_id": "r-1",
        "errors": [{"field": "amount", "message": "too much"}],
    }
    error = Problem.read(422, body)
    assert isinstance(error, ValidationFailed)
    assert error.errors == [{"field": "amount", "message": "too much"}]
    assert str(error) == "validation_failed: amount: too much (request r-1)"
    assert isinstance(Problem.read(409, {"code": "fenced"}), Fenced)
    assert isinstance(Problem.read(409, {"code": "conflict"}), Conflict)
    assert not isinstance(Problem.read(409, {"code": "fenced"}), Conflict)
    unknown = Problem.read(418, ["not", "a", "problem"])
    assert (type(unknown), unknown.code, unknown.status) == (Problem, "http_418", 418)
    assert issubclass(InsufficientBalance, ReefError)


def test_each_code_of_the_contract_has_its_class() -> None:
    openapi = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    codes = openapi["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert set(codes) == set(Problem.by_code)
    for kind in Problem.by_code.values():
        assert getattr(reef_agents, kind.__name__) is kind


def test_an_answer_of_somebody_else_is_named_as_such() -> None:
    reef, _ = _reef(Told(200, b"<html>welcome</html>"))
    with pytest.raises(Malformed, match="is http://hub a Reef hub"):
        run(reef.tasks.stats())


@pytest.mark.parametrize("amount", [1.5, 1, True, None, b"1"])
def test_money_is_decimal_or_text(amount: object) -> None:
    reef, transport = _reef(Told())
    with pytest.raises(TypeError, match="Decimal or a str"):
        run(reef.ledger.transfer("a", "b", amount))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no amount"):
        run(reef.ledger.transfer("a", "b", Decimal("NaN")))
    assert transport.asked == []


def test_amounts_are_sent_to_the_letter() -> None:
    reef, transport = _reef(Told(body={"settlement": {}}))
    run(reef.ledger.transfer("a", "b", Decimal("1E+2")))
    assert json.loads(transport.asked[0].body or b"")["amount"] == "100"


def test_pages_are_followed_to_the_last() -> None:
    link = '<http://hub/api/v1/entries?cursor=2>; rel="next"'
    reef, transport = _reef(
        Told(body={"entries": [1, 2]}, headers={"link": link}), Told(body={"entries": [3]})
    )

    async def all_of_them() -> list[object]:
        return [entry async for entry in reef.ledger.entries(agent="a b")]

    assert run(all_of_them()) == [1, 2, 3]
    assert [it.url for it in transport.asked] == [
        "http://hub/api/v1/entries?agent_id=a+b",
        "http://hub/api/v1/entries?cursor=2",
    ]


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    reef, transport = _reef(Told(body={}))
    run(reef.tasks.get("../agents?x=1"))
    assert transport.asked[0].url == "http://hub/api/v1/tasks/..%2Fagents%3Fx%3D1"


def test_hub_and_key_come_from_where_the_command_line_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("REEF_HUB", "REEF_API_KEY", "REEF_KEY_FILE", "REEF_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)

    def key_of(**given: str) -> str | None:
        transport = Scripted(Told(body={}))
        reef = Reef(transport=transport, **given)  # type: ignore[arg-type]
        run(reef.request("GET", "/x"))
        return transport.asked[0].headers.get("Authorization")

    assert key_of() is None
    assert Reef(transport=Scripted(Told())).url == "http://127.0.0.1:8888"
    (tmp_path / ".reef").mkdir()
    (tmp_path / ".reef/admin.key").write_text("admin\n")
    assert key_of() == "Bearer admin"
    # A key that lies here goes to this machine's own hub only.
    assert key_of(url="http://elsewhere:8888") is None
    monkeypatch.setenv("REEF_API_KEY", "from-environment")
    assert key_of() == "Bearer from-environment"
    (tmp_path / "file.key").write_text("from-file\n")
    monkeypatch.setenv("REEF_KEY_FILE", str(tmp_path / "file.key"))
    assert key_of() == "Bearer from-file"
    assert key_of(key="given") == "Bearer given"
    with pytest.raises(ValueError, match="holds no key"):
        key_of(key="two words")
    monkeypatch.setenv("REEF_HUB", "hub:8888")
    with pytest.raises(ValueError, match="no address of a hub"):
        key_of()


def test_a_hub_that_does_not_wait_is_not_asked_without_pause() -> None:
    running, ended = {"status": "running"}, {"status": "completed"}
    reef, transport = _reef(Told(body=running), Told(body=ended))
    assert run(reef.tasks.wait("t"))["status"] == "completed"
    assert len(transport.asked) == 2
    assert run(reef.tasks.wait("t", timeout=0))["status"] == "completed"
    with pytest.raises(ValueError, match="printable ASCII"):
        run(reef.request("POST", "/x", idempotency_key="two\nlines"))
