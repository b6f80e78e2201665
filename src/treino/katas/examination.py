"""A learner's script, run under the doctor in a process of its own, and what was seen of it.

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
from typing import IO, Any

from treino.katas.kata import Kata

LIMIT = 60.0  # seconds that a script may take; a kata takes up to 5
STARTING = 60.0  # seconds until torch is imported, on a slow machine
KEPT = 1 << 16  # bytes of output that are kept, the last ones


@dataclass(frozen=True)
class Examination:
    """How a script ended, and what was seen.

    status: its exit status. stopped: "max_time" or "". error: the exception that ended it. output: the end of
    what it printed. backwards: backward passes. findings: the doctor's, as in its JSON. measured: accuracy or
    R² on fresh rows; None, and trouble says why. printed: the figure that it printed.
    """

    status: int
    stopped: str
    error: str
    output: str
    seconds: float
    backwards: int
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
        output = _run([sys.executable, "-m", "treino.katas.child", str(job)])
        try:
            seen = json.loads(answer.read_text(encoding="utf-8"))
        except FileNotFoundError:  # killed
            seen = {"status": 1, "stopped": "max_time", "error": "", "seconds": LIMIT, "backwards": 0}
            seen |= {"findings": [], "measured": None, "trouble": ""}
    return Examination(**seen, output=output, printed=kata.printed_figure(output))


def examine_original(kata: Kata) -> Examination:
    """Run the script as it was given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"kata-{kata.name}.py"
        path.write_text(kata.text(), encoding="utf-8")
        return examine(kata, path)


def _run(command: list[str]) -> str:
    """Run a command without input; return the end of its output. What it leaves running, or its time over, is
    killed."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8",
    }  # the same bits everywhere
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
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LIMIT + STARTING)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join()
    return kept.decode(errors="replace")


def _keep(stream: IO[bytes], kept: bytearray) -> None:
    """Read a stream to its end, and keep the last bytes of it."""
    with stream:
        while part := os.read(stream.fileno(), KEPT):
            kept += part
            del kept[:-KEPT]
