"""Schedules: tasks that the hub submits again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from ._calls import Calls, api, body_of
from .new_task import NewTask, body_of_task

if TYPE_CHECKING:
    from . import types

    _Schedules: TypeAlias = list[types.Schedule]

#: What happens to a run that is due while the one before it has not ended.
Overlap = Literal["skip", "buffer", "cancel", "allow"]


class Spec(TypedDict, total=False):
    """When runs come due: by a ``cron`` pattern, read in ``timezone``, or ``every_ms``.

    None does before ``start_at`` or after ``end_at``, which are datetimes with a time zone, or
    texts such as ``2026-02-04T04:58:14Z``. Each is kept back by a part of ``jitter_ms``, always
    the same for the same run.
    """

    cron: str
    timezone: str
    every_ms: int
    start_at: str | datetime
    end_at: str | datetime
    jitter_ms: int


class Schedules:
    """What submits tasks by the calendar, or at an even pace."""

    def __init__(self, calls: Calls) -> None:
        """Of one hub."""
        self._calls = calls

    async def list(self, *, limit: int | None = None, cursor: str | None = None) -> _Schedules:
        """The caller's, to the admin everybody's, newest first: one page."""
        query = {"limit": limit, "cursor": cursor}
        listed: _Schedules = await self._calls.request("GET", api("schedules"), query=query)
        return listed

    async def each(self) -> AsyncIterator[types.Schedule]:
        """All, newest first, page by page."""
        async for schedule in self._calls.each(api("schedules"), {}):
            yield schedule

    async def get(self, schedule_id: str) -> types.ScheduleStanding:
        """One, when its next five runs come due, and what became of its last 20."""
        standing: types.ScheduleStanding = await self._calls.request(
            "GET", api("schedules", schedule_id)
        )
        return standing

    async def set(
        self,
        schedule_id: str,
        *,
        spec: Spec,
        task: NewTask,
        overlap: Overlap | None = None,
        catch_up: types.CatchUpBody | None = None,
        pause_on_failure: bool | None = None,
        paused: bool | None = None,
        note: str | None = None,
    ) -> types.Schedule:
        """Makes it, or replaces it whole, but for ``paused``, which stays where it is left out.

        Each run submits ``task``, a dictionary in the words of :meth:`Tasks.submit`. While the run
        before has not ended, ``overlap`` says what happens: ``skip``, the default, ``buffer``,
        ``cancel`` or ``allow``. ``catch_up`` says which runs are made up for that the hub has
        missed, ``{"mode": "all", "window_ms": 3_600_000, "most": 10}``. With ``pause_on_failure`` a
        run that has failed pauses the schedule.
        """
        body = body_of(
            spec={name: _plain(it) for name, it in spec.items()},
            task=body_of_task(task),
            overlap=overlap,
            catch_up=catch_up,
            pause_on_failure=pause_on_failure,
            paused=paused,
            note=note,
        )
        made: types.Schedule = await self._calls.request(
            "PUT", api("schedules", schedule_id), json=body
        )
        return made

    async def remove(self, schedule_id: str) -> None:
        """The tasks that it has submitted stay."""
        await self._calls.request("DELETE", api("schedules", schedule_id))

    async def pause(self, schedule_id: str, note: str | None = None) -> types.Schedule:
        """Lets no run come due. The ``note`` is for people."""
        return await self._tell(schedule_id, "pause", note)

    async def resume(self, schedule_id: str, note: str | None = None) -> types.Schedule:
        """Lets runs come due again; those of the time between are left out."""
        return await self._tell(schedule_id, "resume", note)

    async def trigger(self, schedule_id: str, overlap: Overlap | None = None) -> types.RunsAnswer:
        """Begins a run now, also while it is paused.

        :class:`reef_agents.Conflict` where the run before has not ended and ``overlap``, else what
        the schedule says, does not let it.
        """
        begun: types.RunsAnswer = await self._calls.request(
            "POST", api("schedules", schedule_id, "trigger"), json=body_of(overlap=overlap)
        )
        return begun

    async def backfill(
        self,
        schedule_id: str,
        *,
        from_: str | datetime,
        to: str | datetime,
        most: int | None = None,
    ) -> types.RunsAnswer:
        """Begins the runs of a time in the past, all at once, but for those that have begun before.

        Where there are more than ``most`` (10, at most 100), none is begun. Times are as in
        :class:`Spec`.
        """
        body = body_of(most=most, to=_plain(to), **{"from": _plain(from_)})
        begun: types.RunsAnswer = await self._calls.request(
            "POST", api("schedules", schedule_id, "backfill"), json=body
        )
        return begun

    async def _tell(self, schedule_id: str, what: str, note: str | None) -> types.Schedule:
        schedule: types.Schedule = await self._calls.request(
            "POST", api("schedules", schedule_id, what), json=body_of(note=note)
        )
        return schedule


def _plain(value: object) -> object:
    """As JSON has it: an instant in UTC, with milliseconds."""
    if not isinstance(value, datetime):
        return value
    if value.utcoffset() is None:
        raise ValueError(f"a time needs its time zone: {value!r}")
    return value.astimezone(timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"
