"""Streams: what is read is all there was, each once, or an exception says that it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from conftest import admin, run
from hub import Hub
from scripted import Told

from reef_agents import Gap, NotFound, Reef, StreamCut, Unauthenticated, Unreachable
from reef_agents.stream import Decoder
from reef_agents.writer import pieces

Unique = Callable[[str], str]

#: How long a connection without events lasts.
QUIET = 0.5


def test_frames_are_put_together_however_they_are_cut() -> None:
    frame = 'retry: 1000\n\n: comment\n\nid: 5-0\r\nevent: text_delta\r\ndata: {"d":"wörd"}\r\n\r\n'
    sent = (frame + "data: a\ndata:b\n\n").encode()
    for size in (1, 2, 3, 7, len(sent)):
        decoder = Decoder()
        read = [it for at in range(0, len(sent), size) for it in decoder.take(sent[at : at + size])]
        assert read == [("5-0", "text_delta", '{"d":"wörd"}'), ("5-0", "message", "a\nb")]
        assert decoder.retry == 1


def test_text_is_cut_between_characters() -> None:
    assert list(pieces("", 8)) == []
    assert list(pieces("abcdefghi", 8)) == ["ab", "cd", "ef", "gh", "i"]
    cut = list(pieces("aäöü𝄞" * 100, 64))
    assert "".join(cut) == "aäöü𝄞" * 100
    assert all(len(piece.encode()) <= 64 for piece in cut)


class _Streams:
    """Each connection brings some frames, then breaks off."""

    def __init__(self, *connections: list[tuple[str, str, object]] | Told) -> None:
        self._connections = list(connections)
        self.cursors: list[str | None] = []

    @asynccontextmanager
    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, silence: float
    ) -> AsyncIterator[Told]:
        assert (method, body) == ("GET", None)
        assert "/stream" in url
        assert silence > 0
        self.cursors.append(headers.get("Last-Event-ID"))
        if not self._connections:
            raise Unreachable("refused", may_have_arrived=False)
        following = self._connections.pop(0)
        if isinstance(following, Told):
            yield following
            return
        yield _Broken(following)

    async def close(self) -> None:
        pass


class _Broken(Told):
    def __init__(self, frames: list[tuple[str, str, object]]) -> None:
        super().__init__(headers={"content-type": "text/event-stream"})
        self._frames = frames

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        yield b"retry: 10\n\n"
        if not self._frames:
            await asyncio.sleep(QUIET)
        for id_, type_, data in self._frames:
            yield f"id: {id_}\nevent: {type_}\ndata: {json.dumps(data)}\n\n".encode()
        # What was not whole has to come again.
        yield b"id: 99-0\nevent: text_delta\ndata: {"
        raise Unreachable("broken off")


def _delta(sequence: int, text: str) -> tuple[str, str, object]:
    return f"{sequence}-0", "text_delta", {"sequence": sequence, "payload": {"delta": text}}


def _snapshot(sequence: int, text: str, *, is_complete: bool) -> tuple[str, str, object]:
    message = {"text": text, "is_complete": is_complete}
    return f"{sequence}-0", "snapshot", {"sequence": sequence, "message": message}


def _read(streams: _Streams, **how: float) -> list[tuple[str, str, Gap | None]]:
    message = Reef("http://hub", key="k", transport=streams).message("m", "s")

    async def all_of_it() -> list[tuple[str, str, Gap | None]]:
        return [(it.type, it.delta, it.gap) async for it in message.stream(**how)]  # type: ignore[arg-type]

    return run(all_of_it())


def test_a_snapshot_adds_what_was_not_read_yet() -> None:
    streams = _Streams(
        [_delta(2, "one "), _delta(3, "two ")],
        [_snapshot(9, "one two three ", is_complete=False), _delta(10, "four")],
        [("11-0", "message_end", {"sequence": 11})],
    )
    assert _read(streams) == [
        ("text_delta", "one ", None),
        ("text_delta", "two ", None),
        ("snapshot", "three ", Gap(3, 9)),
        ("text_delta", "four", None),
        ("message_end", "", None),
    ]
    assert streams.cursors == [None, "3-0", "10-0"]


def test_a_message_that_ended_meanwhile_ends_the_stream() -> None:
    assert _read(_Streams([_snapshot(9, "all", is_complete=True)])) == [("snapshot", "all", None)]
    assert _read(_Streams([_delta(2, "x")], Told(204, b""))) == [("text_delta", "x", None)]


def test_a_cut_that_stays_is_raised() -> None:
    with pytest.raises(StreamCut, match="not resumed within"):
        _read(_Streams([_delta(2, "x")]), give_up=0.3)
    with pytest.raises(StreamCut, match="less text than was read"):
        _read(_Streams([_delta(2, "abc")], [_snapshot(9, "ab", is_complete=True)]))


def test_a_stream_on_which_nothing_happens_is_no_cut() -> None:
    # Each connection lasts longer than it would be tried to resume one.
    end: list[tuple[str, str, object]] = [("11-0", "message_end", {"sequence": 11})]
    streams = _Streams([_delta(2, "x")], [], [], end)
    assert [type_ for type_, _, _ in _read(streams, give_up=QUIET / 2)][-1] == "message_end"
    assert streams.cursors == [None, "2-0", "2-0", "2-0"]


def test_whoever_may_not_read_any_longer_is_told() -> None:
    gone = ("9-0", "gone", {"code": "unauthenticated", "detail": "The key was revoked."})
    with pytest.raises(Unauthenticated, match="revoked"):
        _read(_Streams([_delta(2, "x"), gone]))
    refused = Told(404, {"code": "not_found", "detail": "No message."})
    with pytest.raises(NotFound):
        _read(_Streams(refused))


def test_a_writer_counts_each_append_once(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            session = await reef.sessions.open(unique("s"))
            sent = await session.send("Say it.")
            writer = sent.answer.writer(producer="p")
            async with writer as out:
                await out.write("one ")
                await out.flush()
                # As after a broken connection: the same numbers once more.
                out._unsent.append((0, "one "))
                await out.write("two")
            later = sent.answer.writer(producer="p", epoch=1)
            async with later as out:
                await out.write(" three")
            await sent.answer.complete()
            assert await sent.answer.text() == "one two three"
            listed = await sent.answer.events(after=1, limit=1)
            assert listed["gap"] is None
            assert len(listed["events"]) == 1
            assert (await session.messages())[0]["text"] == "Say it."

    run(main())


def test_reading_begins_behind_a_cursor(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            session = await reef.sessions.open(unique("s"))
            answer = (await session.send("Count.")).answer
            for number in range(5):
                await answer.append(f"{number} ")
            await answer.complete()
            read = [event async for event in answer.stream()]
            third = [event for event in read if event.type == "text_delta"][2]
            rest = [event async for event in reef.message(answer.id).stream(after=third.id)]
            assert "".join(event.delta for event in rest) == "3 4 "

    run(main())


def test_a_reader_that_leaves_early_leaves_nothing_behind(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            session = await reef.sessions.open(unique("s"))
            answer = (await session.send("Begin.")).answer
            await answer.append("begun")
            async for event in answer.stream():
                if event.delta:
                    break
            await answer.complete()
        # The connection was given back, or closing would wait for it.
        assert [it for it in asyncio.all_tasks() if "reef" in repr(it)] == []

    run(main())


def test_the_cluster_tells_what_happens(hub: Hub, unique: Unique) -> None:
    async def main() -> None:
        async with admin(hub) as reef:
            before = (await reef.cluster.events(limit=1000))["next"]
            async with reef.node(unique("n"), skills=["x"]) as node:
                async for event in reef.cluster.stream(after=before):
                    if event.type == "node_registered" and event.payload["node_id"] == node.id:
                        break
            at = event.id
            async for event in reef.cluster.stream(after=at):
                if event.type == "node_offline" and event.payload["node_id"] == node.id:
                    break

    run(main())
