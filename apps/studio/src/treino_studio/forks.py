"""A process that loads torch once, and from which the worker and the trainer are forked, on Linux.

It computes nothing before it forks. ``Forks`` is the server's side, which imports no torch.
"""

import asyncio
import json
import os
import select
import signal
import socket
import sys
from asyncio.streams import FlowControlMixin
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from treino_doctor.base.garbage_collection import collect_as_usual, collect_rarely

LONGEST = 1 << 12  # bytes of a request or an answer
GRACE = 1.0  # seconds to wait for the process's end


def _there() -> bool:
    """Whether there are descriptors of processes: on Linux from 5.3 on, where no sandbox forbids them."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class ForkedProcess:
    """A process that another one forks, with what the studio uses of ``asyncio.subprocess.Process``.

    pid, handle: its number, and a descriptor of the process itself; None before it is forked.
    """

    def __init__(self, forks: "Forks", stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.pid: int | None = None
        self.handle: int | None = None
        self._forks = forks
        self._ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int | None:
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; before it is forked, to the one that forks it."""
        if self.handle is not None:
            signal.pidfd_send_signal(self.handle, number)
        elif not self._ended.done():
            self._forks.send_signal(number)

    def end(self, status: int | None) -> None:
        """Note that the process has ended. status: None if nobody knows it."""
        if not self._ended.done():
            self._ended.set_result(status)
        if self.handle is not None:
            asyncio.get_running_loop().remove_reader(self.handle)
            os.close(self.handle)
            self.handle = None


class Forks:
    """The process that forks, which begins at the first request. there: whether this system has it."""

    there = _there()

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._asked = deque[ForkedProcess]()
        self._forked: dict[int, ForkedProcess] = {}  # by their numbers

    async def start(self, words: Sequence[str], stderr: int, limit: int) -> ForkedProcess:
        """Have a process forked that runs ``main()`` of a module. words: the module, then its arguments.
        limit: bytes of its output that may wait."""
        if self._socket is None:
            await self._begin(stderr)
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit)
        its_stdin, write_end = os.pipe()
        read_end, its_stdout = os.pipe()
        protocol = asyncio.StreamReaderProtocol(reader)
        await loop.connect_read_pipe(lambda: protocol, open(read_end, "rb", 0))  # noqa: SIM115
        transport, flow = await loop.connect_write_pipe(FlowControlMixin, open(write_end, "wb", 0))  # noqa: SIM115
        process = ForkedProcess(self, asyncio.StreamWriter(transport, flow, None, loop), reader)
        self._asked.append(process)
        try:
            assert self._socket is not None
            socket.send_fds(self._socket, [json.dumps(words).encode()], [its_stdin, its_stdout, stderr])
        except OSError:
            self._close()
        os.close(its_stdin)
        os.close(its_stdout)
        return process

    async def _begin(self, stderr: int) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._take)
        with other:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "treino_studio.forks"),
                stdin=other.fileno(),
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,
            )

    def _take(self) -> None:
        """An answer: the process that was forked last, with its descriptor; or how one of them has ended."""
        assert self._socket is not None
        try:
            answer, handles, _flags, _address = socket.recv_fds(self._socket, LONGEST, 1)
        except ConnectionError:
            answer, handles = b"", []
        if not answer:
            self._close()
        elif handles:
            process = self._asked.popleft()
            process.pid, (process.handle,) = int(answer), handles
            self._forked[process.pid] = process
        else:
            number, status = json.loads(answer)
            self._forked.pop(number).end(status)

    def _close(self) -> None:
        """The process that forks has ended: those that it forked may go on."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        while self._asked:
            self._asked.popleft().end(None)
        for process in self._forked.values():
            assert process.handle is not None
            loop.add_reader(process.handle, process.end, None)
        self._forked.clear()

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self._process is not None:
                self._process.send_signal(number)

    async def end(self) -> None:
        """End the process that forks."""
        if self._socket is not None:
            self._close()
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), GRACE)
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            await self._process.wait()


def main() -> None:
    """Fork a process for each request of the server, until that ends; in such a process, run its module."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the server, which then closes the socket
    server, poll = socket.socket(fileno=os.dup(0)), select.poll()
    poll.register(server, select.POLLIN)
    forked: dict[int, int] = {}
    while True:
        for ready, _event in poll.poll():
            if ready != server.fileno():
                poll.unregister(ready)
                pid, status = os.waitpid(forked.pop(ready), 0)
                os.close(ready)
                server.send(json.dumps([pid, os.waitstatus_to_exitcode(status)]).encode())
                continue
            request, ends, _flags, _address = socket.recv_fds(server, LONGEST, 3)
            if not request:
                return
            words = json.loads(request)
            collect_rarely()
            module = import_module(words[0])
            collect_as_usual()  # what is frozen isn't touched, and so stays in memory once for all forks
            pid = os.fork()
            if not pid:
                os.setsid()  # closing the terminal doesn't end it
                for place, end in enumerate(ends):
                    os.dup2(end, place)
                server.close()
                for descriptor in (*ends, *forked):
                    os.close(descriptor)
                sys.argv = words
                module.main()
                return
            for end in ends:
                os.close(end)
            handle = os.pidfd_open(pid)
            forked[handle] = pid
            poll.register(handle, select.POLLIN)
            socket.send_fds(server, [str(pid).encode()], [handle])


if __name__ == "__main__":
    main()
