"""Processes that are forked from one that has loaded what they need: their ends, and its own."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG, until

from treino_studio import forks
from treino_studio.forks import ForkedProcess, Forks

pytestmark = pytest.mark.skipif(not Forks.there, reason="needs Linux: os.pidfd_open")
MODULE = """
import os, sys
LOADED_BY = os.getpid()
def main():
    for line in sys.stdin:
        if line.strip() == "end":
            sys.exit(3)
        print(LOADED_BY, os.getpid(), os.getsid(0), *sys.argv[1:], flush=True)
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forked.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


def served(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, HANG))


async def begun(forks: Forks, *words: str) -> ForkedProcess:
    return await forks.start(["forked", *words], 2, 1 << 16)


async def said(process: ForkedProcess) -> list[str]:
    """Who loaded the module, who answers, the leader of its session, its arguments."""
    process.stdin.write(b"who\n")
    return (await process.stdout.readline()).decode().split()


def test_they_share_what_is_loaded_and_each_ends_for_itself() -> None:
    async def work() -> None:
        ours = Forks()
        one, other = await begun(ours, "a"), await begun(ours, "b", "c")
        first, second = await said(one), await said(other)
        assert first[0] == second[0] not in (first[1], second[1], str(os.getpid()))
        assert (first[2:], second[2:]) == ([first[1], "a"], [second[1], "b", "c"])
        assert one.returncode is None
        one.send_signal(signal.SIGKILL)
        assert await one.wait() == -signal.SIGKILL
        assert await one.stdout.read() == b""
        one.send_signal(signal.SIGKILL)  # which reaches nobody
        assert (await said(other))[1] == second[1]
        other.stdin.write(b"end\n")
        assert await other.wait() == other.returncode == 3
        third = await begun(ours)
        assert (await said(third))[0] == first[0]
        third.stdin.close()
        assert await third.wait() == 0
        await ours.end()
        assert not Path(f"/proc/{first[0]}").exists()

    served(work())


def test_they_go_on_where_the_one_that_forked_them_is_killed() -> None:
    async def work() -> None:
        ours = Forks()
        one = await begun(ours)
        loaded, own, *_more = await said(one)
        os.kill(int(loaded), signal.SIGKILL)
        await asyncio.to_thread(until, lambda: ours._socket is None)
        assert (await said(one))[1] == own
        other = await begun(ours)
        assert (await said(other))[0] != loaded
        one.send_signal(signal.SIGTERM)
        assert await one.wait() is None  # nobody knows its status
        other.stdin.close()
        assert await other.wait() == 0
        await ours.end()

    served(work())


def test_systems_without_descriptors_of_processes_start_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(pid: int) -> int:
        raise PermissionError

    assert forks._there()
    monkeypatch.setattr(os, "pidfd_open", forbidden)
    assert not forks._there()
    monkeypatch.delattr(os, "pidfd_open")
    assert not forks._there()


def test_what_can_not_be_loaded_ends_at_once_and_a_signal_ends_what_loads() -> None:
    async def work() -> None:
        ours = Forks()
        wrong = await ours.start(["not_there"], 2, 1 << 16)
        assert await wrong.stdout.read() == b""
        assert await wrong.wait() is None
        early = await begun(ours)
        early.send_signal(signal.SIGTERM)  # before it is forked
        assert await early.wait() in (None, -signal.SIGTERM)
        await ours.end()

    served(work())
