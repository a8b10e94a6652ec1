"""The coordinator's ``Database``. The hub keeps everything; the path is only a name by now."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

from reef_behind import hub


class Database:
    """A hub instead of a file."""

    def __init__(self, db_path: str = "./data/cluster.db") -> None:
        """Nothing is asked yet."""
        self.db_path = db_path
        self.is_initialized = False

    async def initialize(self) -> None:
        """Makes sure that a hub answers."""
        if not await hub().cluster.is_ready():
            raise RuntimeError(f"no hub answers at {hub().url}: start one with `reef up`")
        self.is_initialized = True

    async def close(self) -> None:
        """The hub goes on."""
        self.is_initialized = False

    async def backup(self, backup_path: str) -> bool:
        """Has ``reef backup`` write a copy of all there is; it runs on the hub's machine."""
        reef = shutil.which("reef")
        if reef is None:
            warnings.warn("a backup is made by the program reef, which is not here", stacklevel=2)
            return False
        done = subprocess.run(  # noqa: ASYNC221, S603 - the old one blocked, too
            [reef, "backup", str(Path(backup_path))], check=False, capture_output=True
        )
        return done.returncode == 0

    async def vacuum(self) -> bool:
        """There is nothing to do: Redis keeps no holes in a file."""
        return True

    async def get_stats(self) -> dict[str, Any]:
        """Counts; statuses that nothing has are left out."""
        tasks = await hub().tasks.stats()
        health = await hub().cluster.health()
        states = ("pending", "scheduled", "running", "completed", "failed", "cancelled", "timeout")
        counts: dict[str, Any] = dict(tasks)
        return {
            "db_size": 0,
            "db_path": self.db_path,
            "task_count": tasks["total"],
            "node_count": health["total_nodes"],
            "task_stats": {name: counts[name] for name in states if counts[name]},
            "node_stats": {name: n for name, n in dict(health["nodes_by_status"]).items() if n},
        }

    async def execute_transaction(self, operations: list[dict[str, Any]]) -> bool:
        """There is no SQL any more."""
        raise NotImplementedError("the hub has no SQL: each of its requests is one transaction")
