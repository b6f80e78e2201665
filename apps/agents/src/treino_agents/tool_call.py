"""The process of one tool's call: ``python -P -m treino_agents.tool_call`` runs the command that stdin names.

The first line of stdin is a JSON list of the command's words; the document goes to stdout, progress to stderr
(lines that begin with `calls.MARK`). The end of stdin is Ctrl-C: the call was cancelled, or the server is
gone. The imports, torch among them, are done before the line comes.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from treino.base.words import interface
from treino.cli import command
from treino.cli.app import run as run_verb
from treino.cli.doctor import doctor
from treino.cli.screen import Screen
from treino.folders import fenced
from treino_agents.calls import MARK
from treino_agents.steering import steer

SPACING = 0.2  # minimum seconds between two lines of progress


def run(tokens: Sequence[str], screen: Screen) -> int:
    """Run a command for an agent: one of treino's, or ``steer``, which exists only as a tool."""
    last = -SPACING

    def report(done: float, total: float, text: str) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= SPACING:
            last = now
            screen.errors.write(MARK + json.dumps([done, total, text]) + "\n")

    screen.report = report
    with interface("keyword"), fenced(Path.cwd()):  # an agent writes settings as Python does
        if tokens[0] == "steer":
            screen.document(steer(json.loads(tokens[-1]), report))
            return 0
        if tokens[0] == "doctor":
            return doctor(tokens[1:], screen)
        return run_verb(tokens, screen)


def _watch(descriptor: int) -> None:
    """Send Ctrl-C to this process at the end of the file."""
    while os.read(descriptor, 1024):
        pass
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


def main() -> None:
    """Wait for the command, and run it."""
    private = os.dup(0)  # a script that the doctor runs must not read what is the server's
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := os.read(private, 4096)):
            return
        line += byte
    threading.Thread(target=_watch, args=(private,), daemon=True).start()
    sys.argv = ["treino", *json.loads(line)]
    command(run)


if __name__ == "__main__":
    main()
