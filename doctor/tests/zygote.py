"""Run many scripts fast: one process imports torch and forks for each script; what it saw comes back
by a pipe."""

import atexit
import gc
import os
import pickle
import pkgutil
import subprocess
import sys
import tempfile
import traceback
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import PIPE
from typing import Any

import treino_doctor
from treino_doctor.rules.rule import PRELUDE
from written import program

OURS = [m.name for m in pkgutil.walk_packages(treino_doctor.__path__, "treino_doctor.")]
USUAL = (
    *("sklearn.datasets", "sklearn.metrics", "sklearn.model_selection", "sklearn.preprocessing"),
    *("torch._dynamo", "torch.distributions", "torch.optim.lr_scheduler", "torch.utils.data", "pandas"),
    *(name for name in OURS if "__main__" not in name),
)


def warm() -> None:
    """Import once, in the parent, what nearly every script imports."""
    import torch

    for name in (*USUAL, *sys.argv[1:]):
        with suppress(ImportError):
            import_module(name)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step()  # what it imports at its first use
    gc.freeze()  # so that a fork leaves these pages alone


@cache
def _server(python: str, modules: tuple[str, ...]) -> subprocess.Popen[bytes]:
    command = [python, "-m", "zygote", *modules]
    root = Path(__file__).parent
    source = os.path.dirname(os.path.dirname(treino_doctor.__file__))
    paths = os.pathsep.join((source, os.environ.get("PYTHONPATH", "")))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    server = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, cwd=root, env=environment)
    atexit.register(server.kill)
    return server


def examined(
    path: Path, *, watched: bool = True, python: str = sys.executable, modules: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Run a script under the doctor, or without: ``output``, ``status``, ``findings``, ``defects``.

    python: the interpreter. modules: what it imports once, beside the usual.
    """
    server = _server(python, modules)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(f"{int(watched)} {path}\n".encode())
    server.stdin.flush()
    return dict(pickle.load(server.stdout))


def serve() -> None:
    """Answer each line ``watched path`` with one pickled dictionary."""
    warm()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            watched, path = line.rstrip("\n").split(" ", 1)
            break
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        died = {"status": -1, "output": "", "findings": [], "defects": ["died"]}
        pickle.dump(dict(pickle.loads(answer)) if answer else died, answers)
        answers.flush()
    else:
        return
    _in_child(Path(path), watched == "1", writer)  # outside of the loop, which would be in the script's stack


def _in_child(path: Path, watched: bool, writer: int) -> None:
    import torch

    from treino_doctor.process.run_script import run_script

    torch.set_num_threads(1)
    warnings.resetwarnings()  # the tests' own filters are none of the script's
    answer: dict[str, Any] = {"findings": [], "defects": []}
    with tempfile.TemporaryFile("w+") as out:
        os.dup2(out.fileno(), 1)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        try:
            if watched:
                outcome = run_script(str(path))
                findings = [(f.rule, f.line, f.certain) for f in outcome.exam.findings]
                answer = {"findings": findings, "defects": outcome.exam.defects, "status": outcome.status}
            else:
                answer["status"] = _plain(path)
        except BaseException:
            answer |= {"status": -1, "defects": [traceback.format_exc()]}
        sys.stdout.flush()
        out.seek(0)
        answer["output"] = out.read()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(pickle.dumps(answer))
    os._exit(0)


def _plain(path: Path) -> int:
    import runpy

    sys.argv = [str(path)]
    sys.path[0] = str(path.parent)
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    return 0


def marked(tmp_path: Path) -> int:
    """The line of the script of ``findings_in`` that bears the mark ``# here``."""
    lines = (tmp_path / "script.py").read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if "# here" in line)


def findings_in(text: str, tmp_path: Path) -> list[tuple[str, int]]:
    """What the doctor says of these lines, after those that every example begins with: rule and line."""
    path = tmp_path / "script.py"
    path.write_text(PRELUDE + program(text))
    seen = examined(path)
    assert seen["defects"] == []
    assert seen["status"] in (0, None)
    return [(rule, line) for rule, line, _ in seen["findings"]]


def told(text: str, tmp_path: Path, near: int = 0) -> str:
    """The one rule that is told of these lines, on that with the mark or so near; "" where nothing is."""
    findings = findings_in(text, tmp_path)
    if not findings:
        return ""
    assert len(findings) == 1, findings
    assert abs(findings[0][1] - marked(tmp_path)) <= near, findings
    return findings[0][0]


if __name__ == "__main__":
    serve()
