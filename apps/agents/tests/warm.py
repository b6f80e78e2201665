"""``treino mcp`` and its commands as forks of one process that has imported them, which takes seconds.

``python -P -m apps.agents.tests.warm PLACE`` listens at PLACE. Who connects hands over its stdin, stdout and
stderr, its folder, and the words of ``treino mcp``, or none for a command of it; back come the fork's number
and its status. A fork lives as long as who asked for it, as a process that is started lives.
"""

import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from treino.cli.app import verb_named
from treino_agents.verb import VERBS

USED = (
    *("sklearn.datasets", "sklearn.linear_model", "sklearn.model_selection", "sklearn.svm", "pyarrow.csv"),
    *("safetensors.torch", "matplotlib.pyplot", "treino_doctor.exam", "treino_agents.server"),
)
RESAMPLES = 6  # of a judgement
ASK = """
import _socket, os, sys
files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
server = _socket.socket(_socket.AF_UNIX)
server.connect(sys.argv[1])
words = "\\0".join([os.getcwd(), *sys.argv[2:]]).encode()
server.sendmsg([words], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
said = b""
while part := server.recv(99):
    said += part
os._exit(int((said.split() + [b"137"])[1]))
"""


def asking(place: Path, *words: str) -> list[str]:
    """The command that is a fork of the warm process to whoever starts it."""
    return [sys.executable, "-I", "-S", "-c", ASK, str(place), *words]


def _listen(place: str) -> None:
    from treino_agents import calls

    calls.COMMAND = asking(Path(place))
    for name in ("treino_agents.tool_call", *USED):
        import_module(name)
    for verb in VERBS:
        verb_named(verb)
    import_module("treino_agents.tool_call").SPACING = 0.0
    import_module("treino.inspection.variance_shares").RESAMPLES = RESAMPLES
    signal.signal(signal.SIGCHLD, _reap)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen(99)
        print("ready", flush=True)
        while door in select.select([door, sys.stdin], [], [])[0]:  # until who started it has ended
            caller, _address = door.accept()
            said, files, _flags, _from = socket.recv_fds(caller, 99_999, 3)
            if os.fork() == 0:
                door.close()
                _fork(caller, files, *said.decode().split("\0"))
            for file in files:
                os.close(file)
            caller.close()


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _fork(caller: socket.socket, files: list[int], folder: str, *words: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, (name, file) in enumerate(zip(("stdin", "stdout", "stderr"), files, strict=True)):
        os.dup2(file, number)
        os.close(file)
        stream = os.fdopen(number, "w" if number else "r", closefd=False)
        vars(sys).update({name: stream, f"__{name}__": stream})
    os.chdir(folder)
    caller.sendall(b"%d " % os.getpid())
    threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
    try:
        if words:
            from treino.cli import command

            sys.argv = ["treino", *words]
            command()
        else:
            from treino_agents.tool_call import main

            main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    caller.sendall(b"%d" % status)
    os._exit(status)


def _end_with(caller: socket.socket) -> None:
    """A fork that nobody waits for is killed."""
    caller.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _listen(sys.argv[1])
