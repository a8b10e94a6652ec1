"""The bots' ``config_loader``: Redis and node settings, from where they always were."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_NODE = {"id": None, "heartbeat_interval": 10, "heartbeat_ttl": 30, "retry_count": 3}


def get_config_dir() -> Path:
    """``CLAWSTER_CONFIG_DIR``, else the ``config`` beside or below where one is."""
    if named := os.environ.get("CLAWSTER_CONFIG_DIR"):
        return Path(named)
    here = Path.cwd()
    beside = here.parent / "config"
    return beside if beside.is_dir() and not (here / "config").is_dir() else here / "config"


def _read(name: str) -> dict[str, Any]:
    file = get_config_dir() / name
    if not file.is_file():
        return {}
    told = json.loads(file.read_text(encoding="utf-8"))
    return told if isinstance(told, dict) else {}


def get_redis_config() -> dict[str, Any]:
    """Host, port, password and database: of ``secrets.json``, else of the environment."""
    told = _read("secrets.json").get("redis") or {}
    host = told.get("host") or os.environ.get("REDIS_HOST")
    if not host:
        raise RuntimeError(
            f"no Redis host: neither {get_config_dir() / 'secrets.json'} nor REDIS_HOST has one"
        )
    return {
        "host": host,
        "port": int(told.get("port") or os.environ.get("REDIS_PORT") or 11877),
        # A Redis on a trusted machine may have none.
        "password": told.get("password") or os.environ.get("REDIS_PASSWORD") or None,
        "db": int(told.get("db") or os.environ.get("REDIS_DB") or 0),
    }


def get_node_config() -> dict[str, Any]:
    """What ``config.json`` says of this node, with what was left out."""
    told = _read("config.json")
    node = {**_NODE, **(told.get("node") or {})}
    node["id"] = node["id"] or os.environ.get("OPENCLAW_NODE_ID")
    return {**told, "node": node}


def main() -> None:
    """Shows it, without the password."""
    redis = get_redis_config()
    shown = {**redis, "password": "***" if redis["password"] else None}
    print(json.dumps({"redis": shown, **get_node_config()}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
