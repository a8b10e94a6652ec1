"""The message system's events and content blocks."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, Field

from agent.models.base import SerializableModel


class StreamEventType(str, Enum):
    MESSAGE_START = "message_start"
    MESSAGE_END = "message_end"
    TEXT_DELTA = "text_delta"
    CONTENT_ADDED = "content_added"
    CONTENT_UPDATED = "content_updated"
    TASK_STARTED = "task_started"
    TASK_PROGRESS = "task_progress"
    TASK_COMPLETED = "task_completed"
    TASK_FAILED = "task_failed"
    ERROR = "error"
    PING = "ping"


class StreamEvent(SerializableModel):
    """One event of a message."""

    event_id: str = Field(default_factory=lambda: f"evt_{uuid.uuid4().hex}")
    event_type: StreamEventType
    message_id: str
    session_id: str
    sequence: int = 0
    payload: dict[str, Any] = Field(default_factory=dict)
    timestamp: datetime = Field(default_factory=datetime.now)

    def to_sse_format(self) -> str:
        """As a frame of an event stream."""
        data = json.dumps(self.model_dump(mode="json"), ensure_ascii=False)
        return f"id: {self.event_id}\nevent: {self.event_type.value}\ndata: {data}\n\n"


class ContentType(str, Enum):
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    CODE = "code"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    THINKING = "thinking"


class ImageContent(BaseModel):
    url: str | None = None
    data: str | None = None
    caption: str | None = None
    alt: str | None = None
    format: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None


class MediaContent(BaseModel):
    url: str | None = None
    data: str | None = None
    title: str | None = None
    format: str | None = None
    size: int | None = None
    duration: float | None = None


class AudioContent(MediaContent):
    pass


class VideoContent(MediaContent):
    pass


class FileContent(BaseModel):
    url: str | None = None
    data: str | None = None
    name: str | None = None
    mime_type: str | None = None
    size: int | None = None


class ContentBlock(SerializableModel):
    """A block of a message."""

    content_id: str = Field(default_factory=lambda: f"content-{uuid.uuid4().hex}")
    content_type: ContentType
    is_placeholder: bool = False
    task_id: str | None = None
    image: ImageContent | None = None
    audio: AudioContent | None = None
    video: VideoContent | None = None
    file: FileContent | None = None
    text: Any = None
    code: Any = None
    markdown: Any = None
    html: Any = None
    json_: Any = Field(default=None, alias="json")
    thinking: Any = None

    @classmethod
    def create_image(cls, image: ImageContent) -> ContentBlock:
        """A picture."""
        return cls(content_type=ContentType.IMAGE, image=image)

    @classmethod
    def create_video(cls, video: VideoContent) -> ContentBlock:
        """A film."""
        return cls(content_type=ContentType.VIDEO, video=video)

    @classmethod
    def create_audio(cls, audio: AudioContent) -> ContentBlock:
        """Sound."""
        return cls(content_type=ContentType.AUDIO, audio=audio)

    @classmethod
    def create_placeholder(cls, content_type: ContentType, task_id: str) -> ContentBlock:
        """The place of what a task will bring."""
        return cls(content_type=content_type, is_placeholder=True, task_id=task_id)

    def for_hub(self) -> dict[str, Any]:
        """As the hub takes it."""
        told = self.model_dump(mode="json", exclude_none=True, by_alias=True)
        told.pop("is_placeholder", None)
        return told
