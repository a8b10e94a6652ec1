"""A task that is submitted, in the words of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ._calls import body_of
from .ledger import Amount
from .session import Audience, audience_of
from .usage import some_amount
from .waits import Question, question_of

#: What a task follows: a task by its id, or by its place in its batch; or ``{"task": …}`` and
#: ``{"group": …}`` with ``on``: how that is to end, ``completed``, ``ended`` or ``failed``.
After = Sequence[str | int | Mapping[str, Any]]


class _Named(TypedDict):
    name: str


class NewTask(_Named, total=False):
    """A task of a batch, in the words of :meth:`Tasks.submit`."""

    parameters: Mapping[str, Any] | None
    skills: Sequence[str]
    optional_skills: Sequence[str]
    description: str | None
    task_type: str | None
    priority: int | None
    timeout: float | None
    max_retries: int | None
    delay: float | None
    user_id: str | None
    affinity_tags: Sequence[str]
    task_id: str | None
    metadata: Mapping[str, Any] | None
    audience: Audience | None
    target_node: str | None
    keep_completed: float | None
    keep_failed: float | None
    approval: str | Question | None
    after: After
    group_id: str | None
    labels: Mapping[str, str] | None
    retry: RetryPolicy | None
    limits: Sequence[str | Under]
    budget: TaskBudget | None
    charge: Charge | Amount | None
    unique: str | Unique | None
    fairness_key: str | None
    fairness_weight: float | None


class _Limit(TypedDict):
    name: str


class Under(_Limit, total=False):
    """A limit that a task is under: each ``key`` is counted by itself.

    ``cost`` is how many tasks it counts as, ``tokens`` how many tokens it is expected to use.
    """

    key: str
    cost: int
    tokens: int


class TaskBudget(TypedDict, total=False):
    """What a task may use, all its tries together: ``cost``, or ``tokens``, or both.

    What happens then is ``on_exceed``: ``wait`` for an approval (if left out), ``cancel`` or
    ``flag``.
    """

    cost: Amount
    tokens: int
    on_exceed: str


class _Charge(TypedDict):
    max: Amount


class Charge(_Charge, total=False):
    """What whoever completes a task is paid at most: reserved from its submission on.

    Paid is ``to``, or the owner of the node that completes it. The admin says who pays:
    ``from_agent``.
    """

    to: str
    from_agent: str


class _Key(TypedDict):
    key: str


class Unique(_Key, total=False):
    """What a task is to be the only one of, among one's own or ``scope="all"``.

    ``hold`` says for how long: until a node has it (``waiting``), until it has ended (``active``),
    or for ``ttl`` seconds. ``then`` is what becomes of another one: ``return``, ``reject``,
    ``replace``, or ``debounce``: the one that there is begins ``debounce`` seconds after the last
    submission, and at most ``most`` seconds after the first.
    """

    scope: str
    hold: str
    ttl: float
    then: str
    debounce: float
    most: float


class RetryPolicy(TypedDict, total=False):
    """When a task that has failed is tried again: seconds; what is left out is as for every task.

    After the first failure ``first``, then each time ``factor`` as long, at most ``most``; of the
    part ``jitter`` (0–1) of it a random share is left out.
    """

    first: float
    factor: float
    most: float
    jitter: float


class NewGroup(TypedDict, total=False):
    """The group that a batch forms, or joins by its ``group_id`` while that is not ``sealed``.

    ``on_end`` is a task that runs once all of them have ended, and is none of them.
    """

    group_id: str
    name: str
    sealed: bool
    on_end: NewTask


def body_of_task(given: Mapping[str, Any]) -> dict[str, object]:
    """As the contract has it."""
    unknown = given.keys() - NewTask.__annotations__.keys()
    if unknown:
        raise TypeError(f"a task has no {', '.join(sorted(unknown))}")
    approval = given.get("approval")
    if isinstance(approval, str):
        approval = {"question": approval}
    same = (
        "name", "parameters", "description", "task_type", "priority", "timeout", "max_retries",
        "user_id", "task_id", "metadata", "target_node", "group_id", "fairness_key",
        "fairness_weight",
    )  # fmt: skip
    return body_of(
        **{name: given.get(name) for name in same},
        required_skills=list(given.get("skills") or ()),
        optional_skills=list(given.get("optional_skills") or ()) or None,
        delay_ms=milliseconds(given.get("delay")),
        affinity_tags=list(given.get("affinity_tags") or ()) or None,
        audience=audience_of(given.get("audience")),
        keep_completed_ms=milliseconds(given.get("keep_completed")),
        keep_failed_ms=milliseconds(given.get("keep_failed")),
        approval=None if approval is None else question_of(approval),
        after=[_followed(it) for it in given.get("after") or ()] or None,
        labels=given.get("labels"),
        retry=policy_of(given.get("retry")),
        limits=[{"name": it} if isinstance(it, str) else it for it in given.get("limits") or ()]
        or None,
        budget=_budget_of(given.get("budget")),
        charge=_charge_of(given.get("charge")),
        unique=_unique_of(given.get("unique")),
    )


def _budget_of(budget: TaskBudget | None) -> dict[str, object] | None:
    if budget is None:
        return None
    return body_of(
        cost=some_amount(budget.get("cost")),
        tokens=budget.get("tokens"),
        on_exceed=budget.get("on_exceed"),
    )


def _unique_of(unique: str | Unique | None) -> dict[str, object] | None:
    if unique is None:
        return None
    if isinstance(unique, str):
        return {"key": unique}
    return body_of(
        **{
            "key": unique["key"],
            "scope": unique.get("scope"),
            "while": unique.get("hold") or ("ttl" if "ttl" in unique else None),
            "ttl_ms": milliseconds(unique.get("ttl")),
            "then": unique.get("then") or ("debounce" if "debounce" in unique else None),
            "debounce_ms": milliseconds(unique.get("debounce")),
            "most_ms": milliseconds(unique.get("most")),
        }
    )


def _charge_of(charge: Charge | Amount | None) -> dict[str, object] | None:
    if charge is None:
        return None
    if not isinstance(charge, Mapping):
        charge = {"max": charge}
    given: Mapping[str, Any] = charge
    who = {"to": given.get("to"), "from": given.get("from_agent")}
    return body_of(max=some_amount(given["max"]), **who)


def policy_of(retry: RetryPolicy | None) -> dict[str, object] | None:
    """A policy that may be left out."""
    if retry is None:
        return None
    return body_of(
        first_ms=milliseconds(retry.get("first")),
        factor=retry.get("factor"),
        most_ms=milliseconds(retry.get("most")),
        jitter=retry.get("jitter"),
    )


def milliseconds(seconds: float | None) -> int | None:
    """A time that may be left out."""
    return None if seconds is None else round(seconds * 1000)


def _followed(it: str | int | Mapping[str, Any]) -> dict[str, Any]:
    edge = dict(it) if isinstance(it, Mapping) else {"task": it}
    if isinstance(edge.get("task"), int):
        edge["task"] = f"#{edge['task']}"
    return edge
