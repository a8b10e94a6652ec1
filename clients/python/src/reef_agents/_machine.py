"""What this machine is, and how busy."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

_ARCHITECTURES = {
    "x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64", "i386": "x86",
    "i686": "x86", "x86": "x86",
}  # fmt: skip


def system() -> str:
    """As a registration has it."""
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")


def architecture() -> str:
    """As a registration has it."""
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, "arm" if machine.startswith("arm") else "x64")


def figures() -> dict[str, float]:
    """Load of processor, memory and disk in percent, as far as this system tells without more."""
    told = {}
    if hasattr(os, "getloadavg"):
        share = os.getloadavg()[0] / (os.cpu_count() or 1)
        told["cpu_usage"] = round(min(share * 100, 100), 1)
    try:
        disk = shutil.disk_usage("/")
        told["disk_usage"] = round(disk.used / disk.total * 100, 1)
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        memory = {
            name: int(rest.split()[0]) for name, _, rest in (it.partition(":") for it in lines)
        }
        used = 1 - memory["MemAvailable"] / memory["MemTotal"]
        told["memory_usage"] = round(used * 100, 1)
    except (OSError, KeyError, ValueError, IndexError):
        pass
    return told
