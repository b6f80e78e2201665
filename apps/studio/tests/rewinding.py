"""Run a script under the studio, rewind it once from a step in its middle, and say what was at the fork.

A program of its own, in a fork of a process that has imported torch: see ``doctor/tests/forked.py``.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.waiting import HANG

from treino_studio.script.json_socket import VARIABLE


def view(folder: str = ".") -> dict[str, str]:
    """What is in a folder: the content of each file, "folder" of a folder."""
    seen = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.endswith(".branches")]
        seen |= {os.path.relpath(os.path.join(where, each), folder): "folder" for each in folders}
        for each in names:
            path = os.path.join(where, each)
            content = os.readlink(path) if os.path.islink(path) else repr(Path(path).read_bytes())
            seen[os.path.relpath(path, folder)] = content
    return seen


class Started:
    """A child of this process, as ``subprocess.Popen`` gives one."""

    def __init__(self, pid: int) -> None:
        self.pid, self.code = pid, None

    def poll(self) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self, timeout: float = HANG) -> int:
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("script", timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def main(script: str, step: int) -> None:
    """Print a JSON object: the sizes of ``../out`` and ``../err`` at the fork, the files, and the exits."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "pandas" in Path(script).read_text():  # whose threads don't come along into the fork
        import pandas  # noqa: F401
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        ours.close()
        for number, name in ((1, "../out"), (2, "../err")):
            with open(name, "wb") as file:
                os.dup2(file.fileno(), number)
        os.environ[VARIABLE] = str(theirs.fileno())
        theirs.detach()
        from treino_studio.script.run import run

        sys.exit(run(script, []))
    theirs.close()
    from treino_studio.script import process as processes

    processes.ENDING = HANG  # a process that is ending is not to be interrupted
    process = processes.ScriptProcess(Started(pid), ours, Path(script).absolute().with_suffix(""))  # type: ignore[arg-type]
    todo = [
        ("paused", {"do": "step", "count": step}),
        ("paused", {"do": "checkpoint"}),
        ("checkpoint", {"do": "play"}),
        ("end", {"do": "rewind"}),
        ("branch", None),
    ]
    process.send({"do": "pause"})
    said = {}
    for message in process.messages():
        if message.get("checkpoints", {}).get("why") or "error" in message:
            sys.exit(str(message))
        events = {"paused"} if message.get("paused") else set()
        if "checkpoints" in message and message["checkpoints"]["list"]:
            events.add("checkpoint")
            number = message["checkpoints"]["list"][0]["number"]
        if "end" in message:
            events.add("end")
            said["exit"] = message["end"]["status"]
        for branch in message.get("branches", ()):
            if branch["number"] == 1 and branch["status"] == "ended" and branch["exit"] is not None:
                events.add("branch")
                said |= {"branch_exit": branch["exit"], "folder": branch["folder"]}
        if todo[0][0] in events:
            event, command = todo.pop(0)
            if command is None:
                break
            if event == "checkpoint":
                said |= {"sizes": [os.path.getsize(name) for name in ("../out", "../err")], "files": view()}
            process.send({**command, "checkpoint": number} if event == "end" else command)
    process.close()
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
