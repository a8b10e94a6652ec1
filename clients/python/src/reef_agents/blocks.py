"""Content blocks: what a message has besides its text."""

from __future__ import annotations

from typing import Any

Block = dict[str, Any]


def _block(kind: str, **fields: object) -> Block:
    given = {name: value for name, value in fields.items() if value is not None}
    return {"content_type": kind, kind: given}


def text(text: str) -> Block:
    """Text that stands for itself."""
    return _block("text", text=text)


def image(
    url: str | None = None,
    *,
    data: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
    width: int | None = None,
    height: int | None = None,
    format: str | None = None,  # noqa: A002 - the contract's name
) -> Block:
    """A picture: its address, or itself in base64."""
    return _block(
        "image", url=url, data=data, caption=caption, alt=alt, width=width, height=height,
        format=format,
    )  # fmt: skip


def audio(
    url: str | None = None,
    *,
    data: str | None = None,
    title: str | None = None,
    duration: float | None = None,
) -> Block:
    """Sound."""
    return _block("audio", url=url, data=data, title=title, duration=duration)


def video(
    url: str | None = None,
    *,
    data: str | None = None,
    title: str | None = None,
    duration: float | None = None,
) -> Block:
    """A film."""
    return _block("video", url=url, data=data, title=title, duration=duration)


def file(
    url: str | None = None,
    *,
    data: str | None = None,
    name: str | None = None,
    mime_type: str | None = None,
) -> Block:
    """A file."""
    return _block("file", url=url, data=data, name=name, mime_type=mime_type)


def code(code: str, language: str | None = None) -> Block:
    """Source text."""
    return _block("code", code=code, language=language)


def json(value: object) -> Block:
    """A JSON value."""
    return {"content_type": "json", "json": {"json": value}}


def markdown(markdown: str) -> Block:
    """Markdown."""
    return _block("markdown", markdown=markdown)


def html(html: str) -> Block:
    """HTML, which readers must not trust."""
    return _block("html", html=html)


def thinking(thinking: str) -> Block:
    """What led to an answer, apart from it."""
    return _block("thinking", thinking=thinking)
