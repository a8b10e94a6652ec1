"""The coordinator's ``Config``: what is still asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class NATSConfig:
    url: str = "nats://localhost:4222"
    max_reconnect_attempts: int = 10


@dataclass
class StorageConfig:
    type: str = "sqlite"
    path: str = "./data/cluster.db"


@dataclass
class CoordinatorConfig:
    host: str = "0.0.0.0"  # noqa: S104 - what it was; nothing listens on it
    port: int = 8080


@dataclass
class WorkerConfig:
    heartbeat_interval: int = 30
    max_concurrent_tasks: int = 5


@dataclass
class LoggingConfig:
    level: str = "INFO"
    file: str | None = None


@dataclass
class Config:
    nats: NATSConfig = field(default_factory=NATSConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    coordinator: CoordinatorConfig = field(default_factory=CoordinatorConfig)
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
