"""Which hub, and with which key: the same places where the command ``reef`` looks."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

#: Where ``reef up`` listens unless it is told otherwise.
DEFAULT_HUB = "http://127.0.0.1:8888"


def hub_url(url: str | None) -> str:
    """The hub's address without a slash at its end: as given, else ``REEF_HUB``."""
    url = (url or os.environ.get("REEF_HUB") or DEFAULT_HUB).rstrip("/")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is no address of a hub: give http://HOST:PORT or https://HOST")
    return url


def hub_key(url: str, key: str | None, key_file: str | os.PathLike[str] | None) -> str | None:
    """The key: as given, else from ``REEF_KEY_FILE``, ``REEF_API_KEY``, or a hub's folder here.

    The admin key in ``.reef`` (or ``REEF_STATE_DIR``) goes to a hub on this machine only.
    """
    if key is not None:
        return _checked(key, "the key")
    file = key_file or os.environ.get("REEF_KEY_FILE")
    if file:
        return _checked(Path(file).read_text(encoding="ascii"), str(file))
    if given := os.environ.get("REEF_API_KEY"):
        return _checked(given, "REEF_API_KEY")
    admin_key = Path(os.environ.get("REEF_STATE_DIR") or ".reef") / "admin.key"
    is_here = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
    if is_here and not os.environ.get("REEF_CLIENT_CERT") and admin_key.is_file():
        return _checked(admin_key.read_text(encoding="ascii"), str(admin_key))
    return None


def _checked(key: str, place: str) -> str:
    key = key.strip()
    # A header's value; the key itself is in no message.
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError(f"{place} holds no key: it must be one word of printable ASCII")
    return key


def trust() -> ssl.SSLContext | None:
    """What ``REEF_CA``, ``REEF_CLIENT_CERT`` and ``REEF_CLIENT_KEY`` say; ``None`` for nothing."""
    ca = os.environ.get("REEF_CA")
    cert, key = os.environ.get("REEF_CLIENT_CERT"), os.environ.get("REEF_CLIENT_KEY")
    if not (ca or cert):
        return None
    context = ssl.create_default_context(cafile=ca or None)
    if cert:
        context.load_cert_chain(cert, key or None)
    return context
