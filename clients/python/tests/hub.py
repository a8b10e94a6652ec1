"""A real hub for tests: the program that ``REEF_BIN`` names."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

#: How long anything may take before a test fails. The machine may be compiling.
PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def binary() -> str:
    """Where the hub's program is."""
    found = os.environ.get("REEF_BIN") or shutil.which("reef")
    if not found:
        raise RuntimeError("set REEF_BIN to the program `reef`: the tests start a hub with it")
    return found


class Redis:
    """A Redis of the test's own, which can be killed and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        program = shutil.which("redis-server") or "valkey-server"
        self._process = subprocess.Popen(
            [
                program,
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            ],
            stdout=subprocess.DEVNULL,
        )
        _wait_for_port(self.port)

    def kill(self) -> None:
        """As the machine's kernel would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Hub:
    """One hub. It keeps its address and its data over restarts."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def admin_key(self) -> str:
        return (self.folder / "admin.key").read_text(encoding="ascii").strip()

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    binary(),
                    *("up", "--listen", f"127.0.0.1:{self.port}"),
                    *("--state-dir", str(self.folder), *self._flags),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env={name: it for name, it in os.environ.items() if not name.startswith("REEF_")},
            )
        out = self._process.stdout
        assert out is not None
        for line in out:
            if line.startswith(b"Serving "):
                return
        raise RuntimeError((self.folder / "hub.log").read_text(encoding="utf-8")[-4000:])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it; by SIGKILL as a crash does, with all that it has under way."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(PATIENCE)
            assert process.stdout is not None
            process.stdout.close()

    def restart(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.stop(number)
        self.start()


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
