"""The coordinator's models. The hub has the same words for all of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import Any

from reef_behind import moment


class NodeStatus(Enum):
    ONLINE = "online"
    OFFLINE = "offline"
    BUSY = "busy"
    MAINTENANCE = "maintenance"
    ERROR = "error"


class TaskStatus(Enum):
    PENDING = "pending"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class TaskType(Enum):
    INTERACTIVE = "interactive"
    BATCH = "batch"
    COMPUTE_INTENSIVE = "compute_intensive"
    IO_INTENSIVE = "io_intensive"
    DAEMON = "daemon"


class TaskPriority(Enum):
    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


@dataclass
class NodeInfo:
    node_id: str
    hostname: str
    platform: str
    arch: str
    status: NodeStatus = NodeStatus.OFFLINE
    cpu_usage: float = 0.0
    memory_usage: float = 0.0
    disk_usage: float = 0.0
    available_skills: list[str] = field(default_factory=list)
    max_concurrent_tasks: int = 5
    running_tasks: int = 0
    ip_address: str = ""
    tailscale_ip: str = ""
    port: int = 18789
    total_tasks_processed: int = 0
    successful_tasks: int = 0
    failed_tasks: int = 0
    average_execution_time: float = 0.0
    registered_at: datetime | None = None
    last_heartbeat: datetime | None = None
    tags: list[str] = field(default_factory=list)

    @classmethod
    def from_hub(cls, told: Any) -> NodeInfo:
        """As the hub tells it."""
        known = {it.name: told[it.name] for it in fields(cls) if it.name in told}
        known["status"] = NodeStatus(told["status"])
        known["registered_at"] = moment(told["registered_at"])
        known["last_heartbeat"] = moment(told["last_heartbeat"])
        return cls(**known)


@dataclass
class Task:
    task_id: str
    task_type: TaskType
    name: str
    description: str
    required_skills: list[str] = field(default_factory=list)
    optional_skills: list[str] | None = None
    status: TaskStatus = TaskStatus.PENDING
    priority: TaskPriority = TaskPriority.NORMAL
    assigned_node: str | None = None
    submitted_at: datetime | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    timeout: int | None = None
    retry_count: int = 0
    max_retries: int = 3
    user_id: str | None = None
    affinity_tags: list[str] | None = None
    result: Any = None
    error: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, task_type: TaskType, name: str, description: str, **more: Any) -> Task:
        """A new one, under an id of its own."""
        more.setdefault("task_id", f"task_{uuid.uuid4().hex[:8]}")
        more.setdefault("submitted_at", datetime.now())
        return cls(task_type=task_type, name=name, description=description, **more)

    @classmethod
    def from_hub(cls, told: Any) -> Task:
        """As the hub tells it."""
        known = {it.name: told[it.name] for it in fields(cls) if it.name in told}
        known["task_type"] = TaskType(told["task_type"])
        known["status"] = TaskStatus(told["status"])
        known["priority"] = TaskPriority(told["priority"])
        for name in ("submitted_at", "scheduled_at", "started_at", "completed_at"):
            known[name] = moment(told[name])
        return cls(**known)


@dataclass
class ClusterState:
    version: int = 0
    updated_at: datetime | None = None
    nodes: dict[str, NodeInfo] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    total_nodes: int = 0
    online_nodes: int = 0
    total_tasks: int = 0
    running_tasks: int = 0
    configuration: dict[str, Any] = field(default_factory=dict)
