"""What a hub has, for callers without an event loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from .. import (
    agents,
    bulk,
    cluster,
    groups,
    inbox,
    ledger,
    limits,
    market,
    message,
    nodes,
    schedules,
    session,
    tasks,
    usage,
    waits,
    writer,
)
from .._portal import Facade, Portal, blocking, iterating, wrapping


class Writer(Facade):
    """As :class:`reef_agents.Writer`."""

    write = blocking(writer.Writer.write)
    block = blocking(writer.Writer.block)
    flush = blocking(writer.Writer.flush)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._portal.call(self._inner.__aexit__(kind, error, at))


class Message(Facade):
    """As :class:`reef_agents.Message`."""

    get = blocking(message.Message.get)
    stream = iterating(message.Message.stream)
    text = blocking(message.Message.text)
    events = blocking(message.Message.events)
    block = blocking(message.Message.block)
    append = blocking(message.Message.append)
    add = blocking(message.Message.add)
    start_task = blocking(message.Message.start_task)
    update_task = blocking(message.Message.update_task)
    complete = blocking(message.Message.complete)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self._inner.id)

    def writer(self, *, producer: str | None = None, epoch: int = 0) -> Writer:
        """Writes to it, as its owner."""

        async def made() -> writer.Writer:
            inner: writer.Writer = self._inner.writer(producer=producer, epoch=epoch)
            return inner

        return Writer(self._portal, self._portal.call(made()))


@dataclass(frozen=True)
class Sent:
    """What was said, and the message in which the answer will come."""

    message: Message
    answer: Message


@dataclass(frozen=True)
class Asked:
    """Work that was given out, and the message in which its worker writes."""

    task_id: str
    answer: Message


def _sent(portal: Portal, sent: session.Sent) -> Sent:
    return Sent(Message(portal, sent.message), Message(portal, sent.answer))


def _asked(portal: Portal, asked: session.Asked) -> Asked:
    return Asked(asked.task_id, Message(portal, asked.answer))


class Session(Facade):
    """As :class:`reef_agents.Session`."""

    get = blocking(session.Session.get)
    close = blocking(session.Session.close)
    send = wrapping(session.Session.send, _sent)
    ask = wrapping(session.Session.ask, _asked)
    messages = blocking(session.Session.messages)
    open_message = wrapping(session.Session.open_message, Message)
    clean_up = blocking(session.Session.clean_up)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self._inner.id)

    def open(
        self,
        *,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        audience: session.Audience | None = None,
        if_busy: str | None = None,
    ) -> Session:
        """Makes it."""
        opened = self._inner.open(
            user_id=user_id, metadata=metadata, audience=audience, if_busy=if_busy
        )
        self._portal.call(opened)
        return self

    def message(self, message_id: str) -> Message:
        """One of its messages."""
        return Message(self._portal, self._inner.message(message_id))


class Sessions(Facade):
    """As :class:`reef_agents.session.Sessions`."""

    open = wrapping(session.Sessions.open, Session)
    list = blocking(session.Sessions.list)


class Mail(Facade):
    """As :class:`reef_agents.Mail`."""

    ack = blocking(inbox.Mail.ack)

    def __init__(self, portal: Portal, inner: inbox.Mail) -> None:
        """As it was received."""
        super().__init__(portal, inner)
        self.raw, self.id, self.sender = inner.raw, inner.id, inner.sender
        self.topic, self.content, self.attempts = inner.topic, inner.content, inner.attempts

    @property
    def lease_is_over(self) -> bool:
        """Whether it may have been given out again."""
        return bool(self._inner.lease_is_over)

    def __enter__(self) -> Mail:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._portal.call(self._inner.__aexit__(kind, error, at))


def _mails(portal: Portal, mails: Sequence[inbox.Mail]) -> Sequence[Mail]:
    return [Mail(portal, mail) for mail in mails]


class Inbox(Facade):
    """As :class:`reef_agents.Inbox`."""

    send = blocking(inbox.Inbox.send)
    look = blocking(inbox.Inbox.look)
    receive = wrapping(inbox.Inbox.receive, _mails)
    ack = blocking(inbox.Inbox.ack)
    accept = blocking(inbox.Inbox.accept)
    dead = blocking(inbox.Inbox.dead)
    redrive = blocking(inbox.Inbox.redrive)

    def listen(self, *, lease: float = 30, limit: int = 1) -> Iterator[Mail]:
        """Mail as it comes, without end."""
        for mail in self._portal.iterate(self._inner.listen(lease=lease, limit=limit)):
            yield Mail(self._portal, mail)


class Agents(Facade):
    """As :class:`reef_agents.agents.Agents`."""

    register = blocking(agents.Agents.register)
    get = blocking(agents.Agents.get)
    list = blocking(agents.Agents.list)
    set_status = blocking(agents.Agents.set_status)
    remove = blocking(agents.Agents.remove)
    me = blocking(agents.Agents.me)

    def __init__(self, portal: Portal, inner: agents.Agents) -> None:
        """Of one hub."""
        super().__init__(portal, inner)
        self.keys = Keys(portal, inner.keys)
        self.invites = Invites(portal, inner.invites)


class Keys(Facade):
    """As :class:`reef_agents.agents.Keys`."""

    create = blocking(agents.Keys.create)
    list = blocking(agents.Keys.list)
    revoke = blocking(agents.Keys.revoke)
    rotate = blocking(agents.Keys.rotate)


class Invites(Facade):
    """As :class:`reef_agents.agents.Invites`."""

    create = blocking(agents.Invites.create)
    list = blocking(agents.Invites.list)
    revoke = blocking(agents.Invites.revoke)


class Cluster(Facade):
    """As :class:`reef_agents.cluster.Cluster`."""

    health = blocking(cluster.Cluster.health)
    state = blocking(cluster.Cluster.state)
    leader = blocking(cluster.Cluster.leader)
    leaders = blocking(cluster.Cluster.leaders)
    events = blocking(cluster.Cluster.events)
    stream = iterating(cluster.Cluster.stream)
    check_heartbeats = blocking(cluster.Cluster.check_heartbeats)
    is_ready = blocking(cluster.Cluster.is_ready)


class Ledger(Facade):
    """As :class:`reef_agents.ledger.Ledger`."""

    balance = blocking(ledger.Ledger.balance)
    deposit = blocking(ledger.Ledger.deposit)
    withdraw = blocking(ledger.Ledger.withdraw)
    transfer = blocking(ledger.Ledger.transfer)
    hold = blocking(ledger.Ledger.hold)
    post = blocking(ledger.Ledger.post)
    void = blocking(ledger.Ledger.void)
    get_hold = blocking(ledger.Ledger.get_hold)
    holds = blocking(ledger.Ledger.holds)
    entries = iterating(ledger.Ledger.entries)


class Market(Facade):
    """As :class:`reef_agents.market.Market`."""

    submit = blocking(market.Market.submit)
    get = blocking(market.Market.get)
    intents = blocking(market.Market.intents)
    cancel = blocking(market.Market.cancel)
    match = blocking(market.Market.match)
    positions = blocking(market.Market.positions)
    close = blocking(market.Market.close)
    mark = blocking(market.Market.mark)


class Nodes(Facade):
    """As :class:`reef_agents.nodes.Nodes`."""

    get = blocking(nodes.Nodes.get)
    list = blocking(nodes.Nodes.list)
    each = iterating(nodes.Nodes.each)
    online = blocking(nodes.Nodes.online)
    available = blocking(nodes.Nodes.available)
    with_skill = blocking(nodes.Nodes.with_skill)
    health = blocking(nodes.Nodes.health)
    change = blocking(nodes.Nodes.change)
    shut_down = blocking(nodes.Nodes.shut_down)
    remove = blocking(nodes.Nodes.remove)


class Tasks(Facade):
    """As :class:`reef_agents.tasks.Tasks`."""

    submit = blocking(tasks.Tasks.submit)
    edit = blocking(tasks.Tasks.edit)
    batch = blocking(tasks.Tasks.batch)
    signal = blocking(tasks.Tasks.signal)
    get = blocking(tasks.Tasks.get)
    wait = blocking(tasks.Tasks.wait)
    why = blocking(tasks.Tasks.why)
    list = blocking(tasks.Tasks.list)
    each = iterating(tasks.Tasks.each)
    pending = blocking(tasks.Tasks.pending)
    stats = blocking(tasks.Tasks.stats)
    cancel = blocking(tasks.Tasks.cancel)
    retry = blocking(tasks.Tasks.retry)
    remove = blocking(tasks.Tasks.remove)
    dead = blocking(tasks.Tasks.dead)
    redrive = blocking(tasks.Tasks.redrive)
    clean_up = blocking(tasks.Tasks.clean_up)


class Bulk(Facade):
    """As :class:`reef_agents.bulk.Bulk`."""

    count = blocking(bulk.Bulk.count)
    start = blocking(bulk.Bulk.start)
    get = blocking(bulk.Bulk.get)
    wait = blocking(bulk.Bulk.wait)
    stop = blocking(bulk.Bulk.stop)


class Limits(Facade):
    """As :class:`reef_agents.limits.Limits`."""

    each = iterating(limits.Limits.each)
    get = blocking(limits.Limits.get)
    set = blocking(limits.Limits.set)
    remove = blocking(limits.Limits.remove)
    shut = blocking(limits.Limits.shut)
    weights = blocking(limits.Limits.weights)
    set_weights = blocking(limits.Limits.set_weights)
    queue = blocking(limits.Limits.queue)
    pause = blocking(limits.Limits.pause)
    resume = blocking(limits.Limits.resume)


class Schedules(Facade):
    """As :class:`reef_agents.schedules.Schedules`."""

    list = blocking(schedules.Schedules.list)
    each = iterating(schedules.Schedules.each)
    get = blocking(schedules.Schedules.get)
    set = blocking(schedules.Schedules.set)
    remove = blocking(schedules.Schedules.remove)
    pause = blocking(schedules.Schedules.pause)
    resume = blocking(schedules.Schedules.resume)
    trigger = blocking(schedules.Schedules.trigger)
    backfill = blocking(schedules.Schedules.backfill)


class Groups(Facade):
    """As :class:`reef_agents.groups.Groups`."""

    get = blocking(groups.Groups.get)
    wait = blocking(groups.Groups.wait)
    tasks = iterating(groups.Groups.tasks)
    cancel = blocking(groups.Groups.cancel)
    retry = blocking(groups.Groups.retry)


class Waits(Facade):
    """As :class:`reef_agents.waits.Waits`."""

    list = blocking(waits.Waits.list)
    each = iterating(waits.Waits.each)
    get = blocking(waits.Waits.get)
    wait = blocking(waits.Waits.wait)
    answer = blocking(waits.Waits.answer)


class Usage(Facade):
    """As :class:`reef_agents.usage.Usage`."""

    show = blocking(usage.Usage.show)


class Budgets(Facade):
    """As :class:`reef_agents.usage.Budgets`."""

    each = iterating(usage.Budgets.each)
    get = blocking(usage.Budgets.get)
    set = blocking(usage.Budgets.set)
    remove = blocking(usage.Budgets.remove)


class Prices(Facade):
    """As :class:`reef_agents.usage.Prices`."""

    list = blocking(usage.Prices.list)
    set = blocking(usage.Prices.set)
    remove = blocking(usage.Prices.remove)
