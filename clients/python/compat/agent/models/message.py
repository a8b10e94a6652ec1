"""The message system's ``Message``. The hub keeps it: each call is one request."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field, PrivateAttr
from reef_behind import hub

from agent.models.base import SerializableModel
from agent.models.stream import ContentBlock, StreamEvent
from reef_agents import Conflict, NotFound


class MessageRole(str, Enum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    AGENT = "agent"
    TOOL = "tool"


class TaskStatus(str, Enum):
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class Message(SerializableModel):
    """A message, as it was when something was last asked of it."""

    message_id: str
    session_id: str
    role: MessageRole = MessageRole.ASSISTANT
    text: str = ""
    content_blocks: list[dict[str, Any]] = Field(default_factory=list)
    pending_tasks: dict[str, Any] = Field(default_factory=dict)
    is_complete: bool = False
    parent_message_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    #: What the caller gave; the hub is asked, and not Redis.
    _redis: Any = PrivateAttr(default=None)

    @classmethod
    async def load_or_create(
        cls,
        redis_client: Any,
        message_id: str,
        session_id: str,
        role: MessageRole = MessageRole.ASSISTANT,
        parent_message_id: str | None = None,
    ) -> Message:
        """The message, which is made if it is not there, and its session with it."""
        reef = hub()
        try:
            await reef.session(session_id).open()
        except Conflict:
            pass  # It is there.
        session = reef.session(session_id)
        await session.open_message(message_id, role.value, parent=parent_message_id)
        loaded = await cls.load_from_redis(redis_client, message_id)
        if loaded is None:
            raise RuntimeError(f"{message_id} was removed as soon as it was made")
        return loaded

    @classmethod
    async def load_from_redis(cls, redis_client: Any, message_id: str) -> Message | None:
        """The message as it is now; ``None`` where there is none."""
        try:
            told: Any = await hub().message(message_id).get()
        except NotFound:
            return None
        message = cls.model_validate(told)
        message._redis = redis_client
        return message

    async def _refresh(self) -> None:
        now = await self.load_from_redis(self._redis, self.message_id)
        if now is not None:
            self.text, self.content_blocks = now.text, now.content_blocks
            self.pending_tasks, self.is_complete = now.pending_tasks, now.is_complete

    async def append_text(self, delta: str) -> None:
        """Appends text; readers get it at once."""
        await hub().message(self.message_id).append(delta)
        self.text += delta

    async def add_content(self, block: ContentBlock) -> None:
        """Adds a block."""
        await hub().message(self.message_id).add(block.for_hub())
        await self._refresh()

    async def start_task(self, task_id: str, task_type: str, **params: Any) -> None:
        """Puts a placeholder into it."""
        message = hub().message(self.message_id)
        await message.start_task(task_type, task_id=task_id, parameters=params)
        await self._refresh()

    async def update_task(
        self,
        task_id: str,
        status: TaskStatus,
        progress: float | None = None,
        content: ContentBlock | None = None,
        error: str | None = None,
    ) -> None:
        """Says how the work on a placeholder goes; a result takes its place."""
        await (
            hub()
            .message(self.message_id)
            .update_task(
                task_id,
                status.value,
                progress=progress,
                content=content.for_hub() if content is not None else None,
                error=error,
            )
        )
        await self._refresh()

    async def complete(self) -> None:
        """Ends it."""
        await hub().message(self.message_id).complete()
        self.is_complete = True

    async def get_content_block(self, content_id: str) -> ContentBlock:
        """A whole block, however large."""
        told = await hub().message(self.message_id).block(content_id)
        return ContentBlock.model_validate(told)

    async def save_to_redis(self) -> None:
        """Every call has been kept already."""

    async def publish_event(self, event: StreamEvent) -> None:
        """Events come of what is done, and of nothing else."""
        raise NotImplementedError("the hub tells each change by itself")
