"""What programs of the older services do, by their module names; started by ``test_compat``."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from agent.conversation.redis_manager import RedisMessageManager
from agent.models.base import SerializableModel
from agent.models.message import Message, MessageRole
from agent.models.message import TaskStatus as Step
from agent.models.stream import ContentBlock, ImageContent, StreamEventType
from common.config import Config
from common.models import NodeInfo, NodeStatus, Task, TaskStatus, TaskType
from config_loader import get_node_config, get_redis_config
from coordinator.api import APIServer
from coordinator.heartbeat_monitor import HeartbeatMonitor
from coordinator.node_service import NodeRegistrationService
from db.redis_store import RedisStore
from reef_behind import hub
from storage.database import Database
from storage.repositories import TaskRepository
from storage.state_manager import StateManager
from worker.heartbeat import HeartbeatClient


async def coordinator() -> None:
    config = Config()
    database = Database(config.storage.path)
    await database.initialize()
    service, monitor = NodeRegistrationService(database), HeartbeatMonitor(database)
    await APIServer(service, monitor, config).start()
    made = await service.register_node("old-1", "linux", "x64", ["python", "ml"])
    assert made["success"]
    assert made["registered"]
    again = await service.register_node("old-1", "linux", "x64", ["python"])
    assert (again["node_id"], again["registered"]) == (made["node_id"], False)
    refused = await service.register_node("old-2", "plan9", "x64", ["python"])
    assert not refused["success"]
    assert "验证失败" in refused["message"]
    gone: asyncio.Queue[NodeInfo] = asyncio.Queue()
    monitor.add_alert_callback(gone.put_nowait)
    await monitor.start()
    assert await monitor.update_node_heartbeat(made["node_id"], cpu_usage=12.5)
    assert not await monitor.update_node_heartbeat("nobody")
    assert (await monitor.get_node_health_status(made["node_id"]))["healthy"]
    assert (await monitor.get_node_health_status("nobody"))["status"] == "not_found"
    assert [node.cpu_usage for node in await service.find_nodes_by_skill("python")] == [12.5]
    await hub().nodes.shut_down(made["node_id"])
    assert (await gone.get()).node_id == made["node_id"]
    await monitor.stop()
    client = HeartbeatClient(config, hub().url, "old-3", ["python"])
    await client.start()
    assert (await hub().nodes.get("old-3"))["status"] == "online"
    await client.stop()
    assert (await hub().nodes.get("old-3"))["status"] == "offline"


async def storage() -> None:
    manager = StateManager(Database(), auto_sync_interval=30)
    await manager.initialize()
    node = NodeInfo("w1", "w1.lab", "linux", "x64", NodeStatus.ONLINE, available_skills=["python"])
    assert await manager.add_node(node)
    assert [it.node_id for it in await manager.get_available_nodes()] == ["w1"]

    def new(name: str) -> Task:
        return Task.create(TaskType.BATCH, name, "for people", required_skills=["python"])

    first, second = new("first"), new("second")
    assert await manager.add_task(first)
    assert await manager.add_task(second)
    # Assigned by hand, the later one first.
    second.assigned_node, second.status = "w1", TaskStatus.SCHEDULED
    assert await manager.update_task(second)
    assert [it.task_id for it in await manager.get_pending_tasks()] == [first.task_id]
    second.status, second.result = TaskStatus.COMPLETED, {"rows": 3}
    assert await manager.update_task(second)
    done = await manager.get_task(second.task_id)
    assert done is not None
    assert (done.status, done.result) == (TaskStatus.COMPLETED, {"rows": 3})
    # What has ended cannot be assigned.
    second.status = TaskStatus.SCHEDULED
    assert not await manager.update_task(second)
    tasks = TaskRepository(manager.database)
    assert await tasks.count_by_status(TaskStatus.COMPLETED) == 1
    assert (await manager.get_state()).total_tasks == 2
    assert await tasks.delete(first.task_id)
    assert await manager.get_task(first.task_id) is None
    assert await manager.check_stale_nodes(120) == []
    await manager.shutdown()


class Kept(SerializableModel):
    name: str
    parts: dict[str, Any]


async def messages() -> None:
    kept = Kept(name="17", parts={"a": [1, None]})
    in_redis = {name.encode(): text.encode() for name, text in kept.to_redis_dict().items()}
    assert Kept.from_redis_dict(in_redis) == kept
    message = await Message.load_or_create(
        redis_client=None, message_id="m1", session_id="s1", role=MessageRole.ASSISTANT
    )
    await message.append_text("wörds ")
    image = ContentBlock.create_image(ImageContent(url="https://example.com/a.png", width=80))
    await message.add_content(image)
    await message.start_task("t1", "image_generation", prompt="a reef")
    other = await Message.load_from_redis(None, "m1")
    assert other is not None
    await other.update_task("t1", Step.PROCESSING, 0.5)
    result = ContentBlock.create_image(ImageContent(url="https://example.com/b.png"))
    await other.update_task("t1", Step.COMPLETED, 1.0, result)
    await other.append_text("of two")
    await other.complete()
    manager = RedisMessageManager(None)
    told = [event async for event in manager.subscribe_to_stream("s1", "m1")]
    assert told[0].event_type is StreamEventType.MESSAGE_START
    assert told[-1].event_type is StreamEventType.MESSAGE_END
    assert told[1].to_sse_format().startswith("id: ")
    [shown] = await manager.get_session_messages("s1")
    assert (shown.text, shown.is_complete) == ("wörds of two", True)
    assert len(shown.content_blocks) == 2
    assert await Message.load_from_redis(None, "nothing") is None


async def store() -> None:
    agents = RedisStore("redis://nowhere:6379")
    await agents.save_agent("alice", {"display_name": "Alice", "mood": "good"})
    assert await agents.get_agent("bob") is None
    await agents.set_balance("alice", 12.5)
    await agents.set_balance("alice", 2.25)
    assert await agents.get_balance("alice") == 2.25
    assert (await hub().ledger.balance("alice")).balance == 2.25
    assert await agents.get_agent_by_api_key("nonsense") is None


def settings() -> None:
    redis = get_redis_config()
    assert (redis["host"], redis["port"]) == ("127.0.0.1", 11877)
    assert get_node_config()["node"]["heartbeat_interval"] == 10


async def main() -> None:
    for part in (coordinator, storage, messages, store):
        await part()
        print(part.__name__)


if __name__ == "__main__":
    os.environ["REDIS_HOST"] = "127.0.0.1"
    settings()
    asyncio.run(main())
