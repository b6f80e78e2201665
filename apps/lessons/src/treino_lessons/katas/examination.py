"""Runs a learner's script under the doctor in a process of its own, and returns what was observed.

The network is judged by rows that the script never saw: the process draws them by the kata's own task and
asks the script's function ``answers``. So a figure that is only printed convinces nobody.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import IO, Any

from treino_lessons.katas.kata import Kata

LIMIT = 60.0  # seconds that a script may take; a kata takes up to 5
STARTING = 60.0  # seconds until torch is imported, on a slow machine
KEPT = 1 << 16  # number of last bytes of output that are kept


@dataclass(frozen=True)
class Ended:
    """How a process ended. status: negative for a signal. late: it was killed at its time limit."""

    output: str
    status: int
    late: bool = False


@dataclass(frozen=True)
class Examination:
    """How a script ended, and what was observed.

    status: its exit status, or its process's, negative for a signal that ended it. stopped: "max_time" or "".
    error: the exception that ended it. output: the end of what it printed. backwards: backward passes.
    restarts: how often an optimizer without a memory took over weights that had been stepped before.
    findings: the doctor's, as in its JSON. measured: accuracy or R² on fresh rows; None, and trouble says
    why. printed: the figure that it printed, also nan or infinite.
    """

    status: int
    stopped: str
    error: str
    output: str
    seconds: float
    backwards: int
    restarts: int
    findings: list[dict[str, Any]]
    measured: float | None
    trouble: str
    printed: float | None

    @property
    def ended(self) -> bool:
        """Whether it ran to its end."""
        return self.status == 0 and not self.stopped and not self.error

    @property
    def rules(self) -> set[str]:
        """The rules of its findings."""
        return {finding["rule"] for finding in self.findings}


def examine(kata: Kata, path: Path) -> Examination:
    """Run the script at ``path`` under the doctor, as an attempt at this kata."""
    with tempfile.TemporaryDirectory() as folder:
        job, answer = Path(folder) / "job.json", Path(folder) / "answer.json"
        asked = {"script": str(path), "task": kata.task, "limit": LIMIT, "answer": str(answer)}
        job.write_text(json.dumps(asked), encoding="utf-8")
        started = perf_counter()
        ended = run_apart([sys.executable, "-m", "treino_lessons.katas.child", str(job)])
        seconds = round(perf_counter() - started, 3)
        try:
            seen = json.loads(answer.read_text(encoding="utf-8"))
        except FileNotFoundError:  # it crashed, or was killed
            seen = {"status": ended.status, "stopped": "", "error": "", "seconds": seconds, "backwards": 0}
            seen |= {"restarts": 0, "findings": [], "measured": None, "trouble": ""}
    if ended.late:
        seen |= {"stopped": "max_time", "seconds": seconds}
    seen["status"] = seen["status"] or ended.status  # os._exit(3) and os.abort() leave after the report
    return Examination(**seen, output=ended.output, printed=kata.printed_figure(ended.output))


def examine_original(kata: Kata) -> Examination:
    """Run the script as it was given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"kata-{kata.name}.py"
        path.write_text(kata.text(), encoding="utf-8")
        return examine(kata, path)


def run_apart(command: list[str], seconds: float = LIMIT + STARTING) -> Ended:
    """Run a command without input, and keep the end of its output. Kill it when its time is over,
    and kill whatever it leaves running."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",  # the same bits everywhere
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",  # what is printed stands before the error that ends it
    }
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    kept = bytearray()
    reader = threading.Thread(target=_keep, args=(process.stdout, kept), daemon=True)
    reader.start()
    late = False
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        late = True
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        reader.join()
    return Ended(kept.decode(errors="replace"), status, late)


def _keep(stream: IO[bytes], kept: bytearray) -> None:
    """Read a stream to its end, and keep the last bytes of it."""
    with stream:
        while part := os.read(stream.fileno(), KEPT):
            kept += part
            del kept[:-KEPT]
