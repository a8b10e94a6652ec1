"""Agents and workers for a Reef hub.

:class:`Reef` is the client; everything else comes out of it.
"""

from . import blocks
from ._calls import RequestOptions
from .client import Reef
from .errors import (
    Cancelled,
    Conflict,
    DeadlineExceeded,
    DurabilityNotReached,
    Fenced,
    Forbidden,
    IdempotencyMismatch,
    InboxFull,
    InProgress,
    InsufficientBalance,
    Internal,
    InvalidParameter,
    InvalidRegistration,
    LeadershipLost,
    LeaseOver,
    Malformed,
    MalformedJson,
    MalformedRequest,
    MethodNotAllowed,
    Misdirected,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    Problem,
    QuotaExceeded,
    RateLimited,
    ReefError,
    Reject,
    Replaced,
    RequestTimeout,
    Retry,
    StoreFull,
    StoreResharding,
    StoreUnavailable,
    StreamCut,
    Unauthenticated,
    Unreachable,
    UnsupportedMediaType,
    ValidationFailed,
)
from .inbox import Inbox, Mail
from .leadership import Lead
from .ledger import Balance
from .message import Message
from .node import Node
from .session import Asked, Sent, Session
from .stream import Gap, StreamEvent
from .task import Task
from .writer import Writer

__all__ = [
    "Asked",
    "Balance",
    "Cancelled",
    "Conflict",
    "DeadlineExceeded",
    "DurabilityNotReached",
    "Fenced",
    "Forbidden",
    "Gap",
    "IdempotencyMismatch",
    "InProgress",
    "Inbox",
    "InboxFull",
    "InsufficientBalance",
    "Internal",
    "InvalidParameter",
    "InvalidRegistration",
    "Lead",
    "LeadershipLost",
    "LeaseOver",
    "Mail",
    "Malformed",
    "MalformedJson",
    "MalformedRequest",
    "Message",
    "MethodNotAllowed",
    "Misdirected",
    "Node",
    "NotFound",
    "Overloaded",
    "PayloadTooLarge",
    "Problem",
    "QuotaExceeded",
    "RateLimited",
    "Reef",
    "ReefError",
    "Reject",
    "Replaced",
    "RequestOptions",
    "RequestTimeout",
    "Retry",
    "Sent",
    "Session",
    "StoreFull",
    "StoreResharding",
    "StoreUnavailable",
    "StreamCut",
    "StreamEvent",
    "Task",
    "Unauthenticated",
    "Unreachable",
    "UnsupportedMediaType",
    "ValidationFailed",
    "Writer",
    "blocks",
]

__version__ = "0.1.0"
