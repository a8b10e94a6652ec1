"""What can go wrong, a class for each ``code`` of a hub's problems (RFC 9457).

Catch :class:`ReefError` for all of them, or the one that you can do something about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ReefError(Exception):
    """Something that the hub refused, or that kept it from being asked."""

    #: The problem's code; for programs.
    code: str = "reef"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """``status`` is ``None`` where no hub has answered."""
        super().__init__(detail)
        self.code = code or type(self).code
        self.status = status
        #: One plain sentence.
        self.detail = detail
        #: Which fields break which rule.
        self.errors = list(errors)
        #: Under which the hub's log has more.
        self.request_id = request_id
        #: How long the hub asks to wait, in seconds.
        self.retry_after = retry_after

    def __str__(self) -> str:
        about = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.detail}{about}"


class Problem(ReefError):
    """A hub's answer that is no success."""

    #: The class for each code.
    by_code: ClassVar[dict[str, type[Problem]]] = {}

    def __init_subclass__(cls, code: str, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.code = code
        Problem.by_code[code] = cls

    @staticmethod
    def read(status: int, body: object, retry_after: float | None = None) -> Problem:
        """The problem that an answer tells, whoever answered."""
        told = body if isinstance(body, dict) else {}
        code = str(told.get("code") or f"http_{status}")
        errors = told.get("errors")
        return Problem.by_code.get(code, Problem)(
            str(told.get("detail") or f"the answer was {status}, without a reason"),
            code=code,
            status=status,
            errors=errors if isinstance(errors, list) else (),
            request_id=str(told["request_id"]) if told.get("request_id") else None,
            retry_after=retry_after,
        )


class MalformedRequest(Problem, code="malformed_request"):
    """The request was no proper HTTP."""


class MalformedJson(Problem, code="malformed_json"):
    """The body was no JSON."""


class InvalidParameter(Problem, code="invalid_parameter"):
    """A value of the path or the query cannot be read."""


class InvalidRegistration(Problem, code="invalid_registration"):
    """The hub does not take this node: the detail says why."""


class InsufficientBalance(Problem, code="insufficient_balance"):
    """There is less money than was asked for. Nothing was moved."""


class Unauthenticated(Problem, code="unauthenticated"):
    """No key, or one that is unknown, expired or revoked."""


class Forbidden(Problem, code="forbidden"):
    """A good key, but someone else's thing, or a missing scope."""


class ActRequired(Problem, code="act_required"):
    """A page that may only read; programs send a key."""


class NotFound(Problem, code="not_found"):
    """There is no such thing, or not for this key."""


class MethodNotAllowed(Problem, code="method_not_allowed"):
    """The route has no such method."""


class RequestTimeout(Problem, code="request_timeout"):
    """The hub waited for the body in vain."""


class Conflict(Problem, code="conflict"):
    """The state of things does not allow it."""


class Fenced(Problem, code="fenced"):
    """A lease, term or claim that is no longer yours. It has changed nothing; do not repeat it."""


class InProgress(Problem, code="in_progress"):
    """The same idempotency key is still at work."""


class InboxFull(Problem, code="inbox_full"):
    """The inbox, or your share of it, is used up. Nothing was dropped."""


class SignalsFull(Problem, code="signals_full"):
    """The task has got 100 signals that it has neither awaited nor taken."""


class QuotaExceeded(Problem, code="quota_exceeded"):
    """The agent has as much as it may have; the detail names the hub's variable."""


class BudgetExhausted(Problem, code="budget_exhausted"):
    """A budget that the task would be under is used up; the detail names it."""


class PayloadTooLarge(Problem, code="payload_too_large"):
    """The body is larger than the hub takes."""


class UnsupportedMediaType(Problem, code="unsupported_media_type"):
    """The body is not called JSON."""


class Misdirected(Problem, code="misdirected"):
    """The hub does not answer to this host name."""


class ValidationFailed(Problem, code="validation_failed"):
    """Fields break a rule: see ``errors``."""


class IdempotencyMismatch(Problem, code="idempotency_mismatch"):
    """The key was used for another request before."""


class RateLimited(Problem, code="rate_limited"):
    """Too many requests; ``retry_after`` says when there is room."""


class Internal(Problem, code="internal"):
    """A fault of the hub; its log has more under ``request_id``."""


class DeadlineExceeded(Problem, code="deadline_exceeded"):
    """The hub did not manage it in time."""


class HubUnavailable(Problem, code="hub_unavailable"):
    """The hub behind a monitor has not answered; a change may have been made."""


class StoreUnavailable(Problem, code="store_unavailable"):
    """The hub cannot reach its Redis."""


class StoreFull(Problem, code="store_full"):
    """The hub's Redis is full. Nothing was done."""


class StoreResharding(Problem, code="store_resharding"):
    """The hub's Redis moves these keys to another node. Nothing was done."""


class DurabilityNotReached(Problem, code="durability_not_reached"):
    """The change is made, and not known to be as safe as was asked."""


class Overloaded(Problem, code="overloaded"):
    """The hub has too much to do at the moment."""


class Unreachable(ReefError):
    """No hub has answered."""

    code = "unreachable"

    def __init__(self, detail: str, *, may_have_arrived: bool = True) -> None:
        """``may_have_arrived``: the request may have had its effect."""
        super().__init__(detail)
        self.may_have_arrived = may_have_arrived


class Malformed(ReefError):
    """An answer that no Reef hub gives: is the address right?"""

    code = "malformed"


class StreamCut(ReefError):
    """A stream was cut and could not be resumed: what was read is not all."""

    code = "stream_cut"


class LeaseOver(ReefError):
    """The claim, or the lead, may be somebody else's by now: what is done has no effect."""

    code = "lease_over"


class Cancelled(ReefError):
    """The task was cancelled."""

    code = "cancelled"


class LeadershipLost(LeaseOver):
    """This node does not lead any more."""

    code = "leadership_lost"


class Replaced(ReefError):
    """Another process has registered under this node's name; this one must not go on."""

    code = "replaced"


class Retry(Exception):
    """Raised by a handler: this try failed, another may succeed.

    ``after`` says in how many seconds, such as what a provider's ``Retry-After`` says; else the
    task's own policy does.
    """

    def __init__(self, *told: object, after: float | None = None) -> None:
        """What went wrong."""
        super().__init__(*told)
        self.after = after


class Snooze(Retry):
    """Raised by a handler: it could not try yet, and this counts as no try.

    The hub counts it as one when it comes the eleventh time in a row.
    """


class Busy(Snooze):
    """Raised by a handler: a provider has refused, and wants to be left alone for a while.

    ``limit`` is one that the task is under. Until ``after`` seconds have gone by, no task begins
    that counts against the same key of it, on whichever node; this one counts no try.
    """

    def __init__(self, limit: str, *told: object, after: float) -> None:
        """What the provider said."""
        super().__init__(*(told or (f"{limit} is busy",)), after=after)
        self.limit = limit


class Reject(Exception):
    """Raised by a handler: no try can succeed."""


class Waiting(BaseException):
    """Leaves the handler of a task that waits. Let it pass: nothing has gone wrong.

    It is no ``Exception``, so that what catches those does not keep it.
    """
