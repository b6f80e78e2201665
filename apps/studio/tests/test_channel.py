"""Messages between the server and its processes: whole, in order, whatever is in them."""

import asyncio
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import RootModel

from treino_studio.process import LENGTHS, Channel, packed, read_message

Header = RootModel[dict[str, Any]]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(st.tuples(st.dictionaries(st.text(), VALUES, max_size=4), st.binary()), max_size=5)


def ends() -> tuple[Channel, Channel]:
    """Two channels, each of which hears the other."""
    (a, b), (c, d) = os.pipe(), os.pipe()
    return Channel(a, d), Channel(c, b)


@settings(max_examples=30)
@given(MESSAGES)
def test_what_is_sent_arrives(messages: list[tuple[dict[str, Any], bytes]]) -> None:
    one, other = ends()
    try:
        for header, body in messages:
            one.send(Header(header), body)
        assert [other.receive(0) for _ in messages] == list(messages)
        assert other.receive(0) is None
    finally:
        one.close()
        other.close()


@pytest.mark.slow
@settings(max_examples=30)
@given(MESSAGES, st.integers(1, 100))
def test_the_server_reads_messages_that_come_in_pieces(
    messages: list[tuple[dict[str, Any], bytes]], size: int
) -> None:
    data = b"".join(packed(Header(header), body) for header, body in messages)

    async def read() -> list[Any]:
        stream = asyncio.StreamReader()

        async def feed() -> None:
            for begin in range(0, len(data), size):
                stream.feed_data(data[begin : begin + size])
                await asyncio.sleep(0)
            stream.feed_eof()

        feeding = asyncio.create_task(feed())
        found = [await read_message(stream) for _ in range(len(messages) + 1)]
        await feeding
        return found

    assert asyncio.run(read()) == [*messages, None]


def test_a_long_message_goes_through_a_pipe() -> None:
    one, other = ends()
    body = os.urandom(1 << 22)
    sender = threading.Thread(target=one.send, args=(Header({"frame": 1}), body))
    sender.start()
    assert other.receive(10) == ({"frame": 1}, body)
    sender.join()
    one.close()
    with pytest.raises(EOFError):
        other.receive()
    with pytest.raises(OSError):  # noqa: PT011
        other.send(Header({"reply": 1}), bytes(10))
    other.close()


def test_numbers_that_are_not_finite_are_null_and_arrays_are_lists() -> None:
    one, other = ends()
    one.send(Header({"loss": float("nan"), "x": np.array([1.5, np.inf]), "n": np.int64(3)}))
    assert other.receive(1) == ({"loss": None, "x": [1.5, None], "n": 3}, b"")
    one.close()
    other.close()


@pytest.mark.parametrize(
    "data", [LENGTHS.pack(2, 0) + b"[]", LENGTHS.pack(1 << 31, 0), LENGTHS.pack(2, 0) + b"{x"]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    one, other = ends()
    os.write(one._write_end, data)
    with pytest.raises(ValueError):  # noqa: PT011
        other.receive(1)
    one.close()
    other.close()


def test_a_process_keeps_its_channel_from_what_is_printed() -> None:
    code = (
        "from treino_studio.process import Channel; import os, sys; channel = Channel.of_child();"
        "print('printed'); os.system('echo by another'); assert sys.stdin.read() == '';"
        "from pydantic import RootModel; channel.send(RootModel({'heard': channel.receive()[0]}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        out, err = process.communicate(packed(Header({"do": "look"})))
    assert out == packed(Header({"heard": {"do": "look"}}))
    assert sorted(err.decode().split("\n")) == ["", "by another", "printed"]
