"""Runs a pupil's file in a process of its own, and ends that process with all that it started."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import IO, Any

STARTING = 60.0  # seconds until torch is imported, on a slow machine
KEPT = 1 << 16  # number of last bytes of output that are kept


@dataclass(frozen=True)
class Ended:
    """How a process ended. status: negative for a signal. late: it was killed at its time limit.

    seen: what it observed of the file; None if it wrote nothing. seconds: its duration.
    """

    output: str
    status: int
    late: bool = False
    seen: dict[str, Any] | None = None
    seconds: float = 0.0


def observed(kind: str, name: str, path: Path, seconds: float) -> Ended:
    """Run a file as an attempt at this task. seconds: the most that the file may take."""
    with tempfile.TemporaryDirectory() as folder:
        answer, started = Path(folder) / "answer.json", perf_counter()
        words = kind, name, str(path), str(seconds), str(answer)
        ended = run_apart([sys.executable, "-m", __package__, *words], seconds + STARTING)
        seen = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else None
        return replace(ended, seen=seen, seconds=round(perf_counter() - started, 3))


def run_apart(command: list[str], seconds: float) -> Ended:
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
