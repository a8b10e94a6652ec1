"""The system of messages that are read while they are written."""

from __future__ import annotations

import importlib
import json
import re
from types import SimpleNamespace
from typing import Any

import httpx
from agent.conversation.redis_manager import RedisMessageManager
from agent.models.base import SerializableModel
from agent.models.message import Message, MessageRole, TaskStatus
from agent.models.stream import ContentBlock, ImageContent, VideoContent
from pydantic import BaseModel
from reef_behind import hub

from . import DIFFERS, NOT, Run, not_run, sample

IMAGE = ContentBlock.create_image(ImageContent(url="https://example.com/a.jpg"))


@sample("messages", 1, "`SerializableModel`, to a hash and back")
async def _(run: Run, key: tuple[str, int]) -> None:
    await run.do(key, BaseModel=BaseModel, Dict=dict)

    class Kept(SerializableModel):
        name: str
        parts: dict[str, Any]

    kept = Kept(name="17", parts={"a": [1, None]})
    in_redis = {name.encode(): text.encode() for name, text in kept.to_redis_dict().items()}
    assert Kept.from_redis_dict(in_redis) == kept


@sample("messages", 2, "`Message`: load or create, append, add, start a task, complete")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key, image_block=IMAGE, task_id="task_a")
    assert names["message"].is_complete
    assert len(names["message"].content_blocks) == 2


@sample("messages", 3, "`StreamEvent`")
async def _(run: Run, key: tuple[str, int]) -> None:
    assert "\ndata: {" in (await run.do(key))["event"].to_sse_format()


@sample("messages", 4, "`ContentBlock`: an image, a placeholder")
async def _(run: Run, key: tuple[str, int]) -> None:
    assert (await run.do(key, task_id="t"))["placeholder"].is_placeholder


@sample("messages", 5, "`RedisMessageManager`: get, list, subscribe, clean up")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key, MessageRole=MessageRole)
    assert names["event"].event_type.value == "message_end"
    assert [message.message_id for message in names["messages"]] == [run.left["message_id"]]


async def _http(run: Run, key: tuple[str, int]) -> None:
    """Each request of a block, with the ids that there are."""
    # One of its own: the first of these blocks closes it.
    session = await hub().sessions.open(f"http-{key[1]}")
    answer = (await session.send("What now?")).answer
    await answer.complete()
    text = run.codes[key].replace("{session_id}", session.id).replace("{message_id}", answer.id)
    asked = re.findall(r"^(GET|POST|DELETE) (\S+)\n(\{.*?^\})?", text, re.MULTILINE | re.DOTALL)
    assert asked
    async with httpx.AsyncClient(base_url=hub().url) as client:
        for method, path, body in asked:
            sent = re.sub(r"  #.*", "", body) or None
            told = await client.request(
                method, path, content=sent, headers={"content-type": "application/json"}
            )
            assert told.status_code == 200, told.text


for _number, _what in ((6, "sessions"), (7, "messages and their stream"), (8, "a session's task")):
    sample("messages", _number, f"HTTP: {_what}")(_http)


@sample("messages", 9, "scenario 1: a text as it is made")
async def _(run: Run, key: tuple[str, int]) -> None:
    async def chunks() -> Any:
        for chunk in ("a ", "b"):
            yield chunk

    assert (await run.do(key, ai_generate_text=chunks))["message"].text == "a b"


async def _message(run: Run, name: str) -> Message:
    return await Message.load_or_create(run.redis, name, run.left["session_id"])


MODELS = {
    "Message": Message,
    "TaskStatus": TaskStatus,
    "ContentBlock": ContentBlock,
    "ImageContent": ImageContent,
}


@sample("messages", 10, "scenario 2: a task that another instance ends")
async def _(run: Run, key: tuple[str, int]) -> None:
    async def picture() -> SimpleNamespace:
        return SimpleNamespace(url="https://example.com/b.jpg")

    begun = await _message(run, "m2")
    given = {**MODELS, "message": begun, "message_id": "m2", "generate_image": picture}
    await (await run.do(key, **given))["background_worker"]()
    ended = await Message.load_from_redis(run.redis, "m2")
    assert ended is not None
    assert [block["is_placeholder"] for block in ended.content_blocks] == [False]


@sample(
    "messages",
    11,
    "scenario 3: a list in Redis between two instances",
    DIFFERS,
    "`legacy_task_queue` must be off, as it is unless asked for: with it the hub fills that list",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    class Elided(Message):
        """The sample leaves out what the first instance gives."""

        @classmethod
        async def load_or_create(cls, *_given: Any, **_named: Any) -> Message:
            return await _message(run, "m3")

    async def film() -> ContentBlock:
        return ContentBlock.create_video(VideoContent(url="https://example.com/v.mp4"))

    given = {**MODELS, "Message": Elided, "message_id": "m3", "task_id": "t3", "json": json}
    redis = importlib.import_module("redis.asyncio")
    names = await run.do(key, redis=redis, process_video=film, **given)
    assert [block["content_type"] for block in names["message_b"].content_blocks] == ["video"]


@sample("messages", 12, "scenario 4: `StreamingResponse` of FastAPI")
async def _(run: Run, key: tuple[str, int]) -> None:
    app = importlib.import_module("fastapi").FastAPI()
    await run.do(key, app=app, RedisMessageManager=RedisMessageManager)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        path = f"/stream/{run.left['session_id']}/{run.left['message_id']}"
        assert "event: message_end" in (await client.get(path)).text


for _number, _what in ((13, "`save_to_redis`"), (14, "content above 10 KB")):
    sample(
        "messages", _number, f"{_what}: an excerpt", NOT, "the inside of a class; the hub does that"
    )(not_run)


@sample("messages", 15, "`get_content_block`")
async def _(run: Run, _key: tuple[str, int]) -> None:
    message = await Message.load_from_redis(run.redis, run.left["message_id"])
    assert message is not None
    block = await message.get_content_block(IMAGE.content_id)
    assert block.image == IMAGE.image


@sample(
    "messages",
    16,
    "`redis-cli`: the message, its stream, its session's index, a block",
    DIFFERS,
    "the `text` in a message's hash may lack the end of more than 4 KiB that are still being "
    "written; [a block's copy](messages.md) is there where the hub has made its id",
)
async def _(run: Run, key: tuple[str, int]) -> None:
    message = hub().message("large")
    await hub().session(run.left["session_id"]).open_message("large", "assistant")
    await message.append("so far")
    block = await message.add({"content_type": "image", "image": {"data": "A" * 12_000}})
    await message.complete()
    text = run.codes[key].replace("content_001", block["content_id"])
    text = text.replace("msg_001", "large").replace("session_001", run.left["session_id"])
    asked = [line.split()[1:] for line in text.splitlines() if line.startswith("redis-cli")]
    found = [await run.redis.execute_command(*command) for command in asked]
    assert len(found) == 4
    assert all(found)
    shown = found[0]
    assert (shown[b"message_id"], shown[b"text"]) == (b"large", b"so far")
    assert {b"role", b"session_id", b"is_complete"} <= set(shown)


@sample("messages", 17, "`debug_message`")
async def _(run: Run, key: tuple[str, int]) -> None:
    names = await run.do(key, Message=Message)
    await names["debug_message"](run.redis, run.left["message_id"])


sample("messages", 18, "`load_or_create`: good and bad", NOT, "arguments are left out in it")(
    not_run
)


@sample("messages", 19, "`_redis` of a message that was loaded")
async def _(run: Run, key: tuple[str, int]) -> None:
    assert (await run.do(key, Message=Message))["message"]._redis is run.redis


@sample("messages", 20, "placeholders that results take the place of")
async def _(run: Run, key: tuple[str, int]) -> None:
    message = await _message(run, "m4")
    result = IMAGE.model_copy(update={"content_id": "c4"})
    await run.do(key, **MODELS, message=message, task_id="t4", result=result)
    assert [(it["task_id"], it["is_placeholder"]) for it in message.content_blocks] == [
        ("t4", False)
    ]


@sample("messages", 21, "a task that fails")
async def _(run: Run, key: tuple[str, int]) -> None:
    message = await _message(run, "m5")
    await message.start_task("t5", "image_generation")
    asked: list[TaskStatus] = []

    class Failing:
        """The message, whose first report goes wrong."""

        async def update_task(self, task: str, status: TaskStatus, *more: Any, **rest: Any) -> None:
            asked.append(status)
            if status is TaskStatus.PROCESSING:
                raise RuntimeError("no progress")
            await message.update_task(task, status, *more, **rest)

    await run.do(key, **MODELS, message=Failing(), task_id="t5")
    assert asked == [TaskStatus.PROCESSING, TaskStatus.FAILED]
    assert message.pending_tasks == {}
