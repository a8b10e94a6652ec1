"""The message system's ``RedisMessageManager``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from reef_behind import hub

from agent.models.message import Message, MessageRole
from agent.models.stream import StreamEvent


class RedisMessageManager:
    """Messages of the hub. The Redis that is given is not used."""

    def __init__(self, redis_client: Any) -> None:
        """Nothing is asked yet."""
        self._redis = redis_client

    async def get_or_create_message(
        self, message_id: str, session_id: str, role: MessageRole = MessageRole.ASSISTANT
    ) -> Message:
        """The message, which is made if it is not there."""
        return await Message.load_or_create(self._redis, message_id, session_id, role)

    async def get_session_messages(self, session_id: str, limit: int = 50) -> list[Message]:
        """A session's messages, oldest first."""
        told: Any = await hub().session(session_id).messages(limit=limit)
        return [Message.model_validate(message) for message in told]

    async def subscribe_to_stream(
        self, session_id: str, message_id: str, last_id: str = "0"
    ) -> AsyncIterator[StreamEvent]:
        """Its events, from behind ``last_id``, until it is complete."""
        message = hub().session(session_id).message(message_id)
        async for event in message.stream(after=last_id if last_id != "0" else None):
            # What the hub folds into a snapshot, the older events have no word for.
            if event.type != "snapshot":
                yield StreamEvent.model_validate(event.data)

    async def cleanup_old_messages(self, session_id: str, keep_days: int = 7) -> int:
        """Removes messages older than that; returns how many."""
        return await hub().session(session_id).clean_up(keep_days)
