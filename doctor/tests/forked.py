"""Run scripts to the real end of an interpreter, fast: one process imports torch and the command line, and
each script gets a fork of it, which then ends as Python ends: atexit, threads, ``__del__`` and all."""

import atexit
import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import PIPE
from typing import Any

HANG = 600.0  # seconds: what takes so long never comes

USUAL = (
    *("torch._dynamo", "torch.utils.data", "torch.distributed", "torch.nn.parallel"),
    *("treino_doctor.command", "treino_doctor.rules", "treino_doctor.process.run_script"),
)
START = "import forked; exec(forked.serve(), globals())"
PLAIN = """
import sys
sys.argv[:] = argv
__file__ = argv[0]
sys.path.insert(0, folder)
for name in ("argv", "folder", "forked", "name"):
    globals().pop(name, None)
with open(__file__, "rb") as file:
    code = compile(file.read(), __file__, "exec", dont_inherit=True)
del file, sys
exec(code)
"""
MODULE = """
import sys, runpy
sys.path.insert(0, folder)
sys.argv[:] = argv
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
WATCHED = """
import sys
sys.argv[:] = argv
from treino_doctor.command import program
sys.exit(program())
"""


@dataclass(frozen=True)
class Ended:
    """status: negative for a signal. err: without the doctor's report; report: from its first word on."""

    status: int
    out: str
    err: str
    report: str = ""


@cache
def _server() -> subprocess.Popen[str]:
    command, here = [sys.executable, "-W", "default", "-c", START], Path(__file__).parent
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=here, env=alone)
    atexit.register(server.kill)
    return server


def plain(path: Path, *args: str, stdin: str = "") -> Ended:
    """The script as Python runs it."""
    found = _forked(PLAIN, [str(path), *args], path.parent, stdin)
    lines = [line for line in found.err.splitlines() if not line.startswith('  File "<string>"')]
    if "SyntaxError" in found.err:
        lines = [line for line in lines if not line.startswith("Traceback")]
    return Ended(found.status, found.out, "\n".join(lines).strip())


def watched(path: Path, *flags: str, stdin: str = "") -> Ended:
    """The script under ``treino-doctor FLAGS SCRIPT``."""
    found = _forked(WATCHED, ["treino-doctor", *flags, str(path)], path.parent, stdin)
    err, _, report = found.err.partition("doctor: ")
    return Ended(found.status, found.out, err.strip(), report)


def modules(name: str, *args: str, folder: Path) -> tuple[Ended, Ended]:
    """A module of a folder as Python runs it, and under ``treino-doctor -m NAME -- ARGS``."""
    words = ["treino-doctor", "-m", name, "--", *args]
    return _forked(MODULE, [name, *args], folder, ""), _forked(WATCHED, words, folder, "")


def _forked(code: str, argv: list[str], folder: Path, stdin: str) -> Ended:
    if _server().poll() is not None:  # Ctrl-C has ended it, too
        _server.cache_clear()
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as of_ours:
        paths = [str(Path(of_ours) / name) for name in ("in", "out", "err")]
        Path(paths[0]).write_text(stdin)
        job = {"code": code, "argv": argv, "folder": str(folder), "paths": paths}
        try:
            server.stdin.write(json.dumps(job) + "\n")
            server.stdin.flush()
            status = int(server.stdout.readline())
        except BaseException:  # its answer is still to come, and would be taken for that of the next job
            server.kill()
            server.wait()
            raise
        return Ended(status, *(Path(p).read_text(errors="replace") for p in paths[1:]))


def serve() -> str:
    """Fork for each job; in the child: the code that is to be run at the top of ``__main__``."""
    import torch

    import __main__

    for name in USUAL:
        with suppress(ImportError):  # torch 1.13 has no torch._dynamo
            import_module(name)
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1).step()  # what it imports at its first use
    gc.freeze()  # so that a fork ends quickly
    for line in iter(sys.stdin.readline, ""):
        job: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            for number, (path, how) in enumerate(zip(job["paths"], ("r", "w", "w"), strict=True)):
                with open(path, how) as file:
                    os.dup2(file.fileno(), number)
            sys.stdin = os.fdopen(0, closefd=False)
            os.chdir(job["folder"])
            __main__.__dict__.update(argv=job["argv"], folder=job["folder"])
            torch.set_num_threads(1)
            threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]  # names of threads
            return str(job["code"])
        print(_status(child), flush=True)
    raise SystemExit


def _status(child: int) -> int:
    """How a child ended; one that never does is killed."""
    last = threading.Timer(HANG, os.kill, (child, signal.SIGKILL))
    last.start()
    _child, status = os.waitpid(child, 0)
    last.cancel()
    return os.waitstatus_to_exitcode(status)
