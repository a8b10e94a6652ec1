"""Tasks that the hub submits by the calendar, or at an even pace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from conftest import admin, run, until
from hub import Hub

from reef_agents import Conflict, NewTask, NotFound, ValidationFailed
from reef_agents.sync import Reef as SyncReef


def test_a_schedule_submits_tasks_until_it_is_paused(
    hub: Hub, unique: Callable[[str], str]
) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            pulse = unique("pulse")
            task: NewTask = {"name": "pulse", "skills": [pulse], "parameters": {"n": 1}}
            start = datetime(2025, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
            made = await reef.schedules.set(
                pulse,
                spec={"every_ms": 1000, "start_at": start},
                task=task,
                overlap="allow",
                catch_up={"mode": "none"},
                note="a test",
            )
            assert (made["overlap"], made["paused"], made["note"]) == ("allow", False, "a test")
            assert made["spec"]["start_at"] == "2025-01-01T00:00:00.000Z"
            assert made["catch_up"]["mode"] == "none"

            async def began() -> bool:
                return bool(await reef.tasks.list(labels={"schedule": pulse}))

            await until(began)
            [triggered] = (await reef.schedules.trigger(pulse))["runs"]
            assert (triggered["cause"], triggered["outcome"]) == ("trigger", "started")
            submitted = await reef.tasks.get(triggered["task_id"] or "")
            assert (submitted["name"], submitted["parameters"]) == ("pulse", {"n": 1})
            assert submitted["labels"] == {"schedule": pulse}
            paused = await reef.schedules.pause(pulse, "at lunch")
            assert (paused["paused"], paused["note"], paused["next_at"]) == (True, "at lunch", None)
            standing = await reef.schedules.get(pulse)
            assert {it["cause"] for it in standing["runs"]} == {"time", "trigger"}
            resumed = await reef.schedules.resume(pulse)
            assert (resumed["paused"], resumed["note"]) == (False, "at lunch")
            assert resumed["next_at"] is not None
            assert len((await reef.schedules.get(pulse))["upcoming"]) == 5
            await reef.schedules.remove(pulse)
            with pytest.raises(NotFound):
                await reef.schedules.get(pulse)
            assert (await reef.tasks.get(submitted["task_id"]))["status"] == "pending"

    run(main())


def test_a_day_of_a_calendar_is_made_up_for(hub: Hub, unique: Callable[[str], str]) -> None:
    digest = unique("digest")
    task: NewTask = {"name": "digest", "skills": [digest]}
    berlin = timezone(timedelta(hours=2))
    day = datetime(2025, 7, 1, tzinfo=berlin)
    with SyncReef(hub.url, key=hub.admin_key) as reef:
        made = reef.schedules.set(
            digest,
            spec={"cron": "0 9,17 * * *", "timezone": "Europe/Berlin"},
            task=task,
            paused=True,
        )
        assert (made["paused"], made["overlap"], made["next_at"]) == (True, "skip", None)
        with pytest.raises(ValidationFailed):
            reef.schedules.backfill(digest, from_=day, to=day + timedelta(days=1), most=1)
        made_up = reef.schedules.backfill(digest, from_=day, to="2025-07-01T22:00:00Z")
        assert [(it["due_at"], it["cause"]) for it in made_up["runs"]] == [
            ("2025-07-01T07:00:00.000Z", "backfill"),
            ("2025-07-01T15:00:00.000Z", "backfill"),
        ]
        again = reef.schedules.backfill(digest, from_=day, to=day + timedelta(days=1))
        assert again["runs"] == []
        # Nothing waits for a run of the past.
        assert len(reef.schedules.trigger(digest)["runs"]) == 1
        with pytest.raises(Conflict):
            reef.schedules.trigger(digest)
        assert len(reef.schedules.trigger(digest, overlap="allow")["runs"]) == 1
        assert digest in [it["schedule_id"] for it in reef.schedules.each()]
        assert len(reef.schedules.list(limit=1)) == 1
        reef.schedules.remove(digest)
        assert digest not in [it["schedule_id"] for it in reef.schedules.each()]


def test_what_is_no_time_is_refused(hub: Hub, unique: Callable[[str], str]) -> None:
    task: NewTask = {"name": "never"}
    with SyncReef(hub.url, key=hub.admin_key) as reef:
        with pytest.raises(ValidationFailed) as refused:
            reef.schedules.set(unique("bad"), spec={"cron": "61 * * * *"}, task=task)
        assert "cron" in str(refused.value.errors)
        local = datetime(2025, 7, 1)
        with pytest.raises(ValueError, match="time zone"):
            reef.schedules.backfill("any", from_=local, to=local)
