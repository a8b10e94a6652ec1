"""Runs the samples and prints what came of each; without a folder, only what must come of it."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from config_loader import get_redis_config
from reef_behind import hub

from . import DIFFERS, NOT, PATIENCE, SAME, SAMPLES, Run
from . import bots as _bots
from . import coordinator as _coordinator
from . import messages as _messages

# Each has put its rows into the list.
__all__ = ["_bots", "_coordinator", "_messages"]

#: How a document is known among the files of the folder: by what only it says.
DOCUMENTS = {
    "bots": "secrets_path = ",
    "trading hub": "class RedisStore",
    "messages": "class SerializableModel",
    "coordinator": "APIServer(node_service",
    "storage": "StateManager(db, ",
}
#: Code that there is nothing to run of: signatures, and commands that start files of the services
#: which the documents do not show.
NOT_SHOWN = {("messages", 22)} | {("coordinator", number) for number in (0, 1, 9, 10)}
NOT_SHOWN |= {("storage", 9), ("storage", 10)}

HEAD = """\
# The published samples

What the older services' documents show as code, run against a hub with [the compatibility path](index.md#python-files-that-import-the-old-modules), `auth_mode=open` and a Redis of its own (`--redis-url`). In each only the addresses of the hub and of Redis are changed, and what it leaves to the reader is filled in. A sample's number is that of its code block in the document.

Not among them are two signatures and five commands that start files which the documents do not show.

This file is what `clients/python/tests/samples` has found.
"""  # noqa: E501 - one paragraph, one line


def table() -> str:
    """The document."""
    rows = ["| document | sample | what it does | runs | difference |", "|---|---|---|---|---|"]
    rows += [
        f"| {it.document} | {it.number} | {it.what} | {it.runs} | {it.difference} |"
        for it in SAMPLES
    ]
    counts = [sum(it.runs == runs for it in SAMPLES) for runs in (SAME, DIFFERS, NOT)]
    total = (
        f"{len(SAMPLES)} samples: {counts[0]} run as they are, {counts[1]} with a difference, "
        f"{counts[2]} do not run."
    )
    return "\n".join([HEAD, *rows, "", total, ""])


def codes_of(folder: Path, places: dict[str, str]) -> dict[tuple[str, int], str]:
    """The code blocks of the documents, with these addresses in the place of theirs."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
    codes: dict[tuple[str, int], str] = {}
    shown = set()
    for name, mark in DOCUMENTS.items():
        [text] = [text for text in texts if mark in text]
        for number, (kind, code) in enumerate(
            re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        ):
            for old, new in places.items():
                code = code.replace(old, new)
            codes[name, number] = code
            if kind in ("python", "bash"):
                shown.add((name, number))
    assert shown - NOT_SHOWN == {(it.document, it.number) for it in SAMPLES}
    return codes


async def main(folder: Path, redis_url: str) -> None:
    """Runs all, in the order of the documents."""
    here = Path.cwd()
    for name in ("config", "scripts"):
        (here / name).mkdir()
    port = urlsplit(redis_url).port
    secrets = {"redis": {"host": "127.0.0.1", "port": port, "password": "", "db": 0}}
    (here / "config/secrets.json").write_text(json.dumps(secrets))
    (here / "config/config.json").write_text('{"node": {"id": "bot2", "heartbeat_interval": 10}}')
    os.chdir(here / "scripts")
    assert get_redis_config()["port"] == port
    redis = importlib.import_module("redis.asyncio").Redis.from_url(redis_url)
    places = {"http://localhost:8888": hub().url, "redis://localhost:6379": redis_url}
    run = Run(codes_of(folder, places), redis, here)
    run.left |= {"port": port, "redis_url": redis_url, "redis_client": redis}
    run.left |= {"session_id": "s1", "message_id": "m1"}
    failed = 0
    for it in SAMPLES:
        key = (it.document, it.number)
        try:
            await asyncio.wait_for(it.check(run, key), PATIENCE)
        except Exception as error:
            failed += 1
            print(f"{key}: {error!r}", file=sys.stderr)
            if "-v" in sys.argv:
                raise
    if failed:
        sys.exit(f"{failed} samples do not what the table says")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        out = sys.stdout
        sys.stdout = sys.stderr  # What the samples print is none of the table.
        asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
        sys.stdout = out
    print(table(), end="")
