"""What ends a command from outside: Ctrl-C amid its imports, and memory that runs out."""

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.conftest import Treino
from treino.base.errors import TreinoError

# ---- Ctrl-C

PROGRAM = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from {package} import {command}
{command}()
"""
TRAIN = "train iris --epochs 2 --name a --json"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "module", "words"),
    [
        ("treino", "typing", "--version"),
        ("treino", "treino_doctor.base.words", TRAIN),
        ("treino", "cyclopts", TRAIN),
        ("treino", "pydantic", TRAIN),
        ("treino", "numpy", TRAIN),
        ("treino", "torch", "--lang pt_BR " + TRAIN),
        ("treino", "treino.training.loop", TRAIN),
        ("treino", "treino_lessons.katas.verb", "kata"),
        ("treino-doctor", "argparse", "script.py"),
        ("treino-doctor", "torch", "script.py --json"),
    ],
)
@pytest.mark.sampled(2)
def test_ctrl_c_amid_an_import_is_one_sentence(tmp_path: Path, program: str, module: str, words: str) -> None:
    """Also a second one: nothing is made, and the process ends, though an import may swallow exceptions."""
    names = {"package": "treino.cli", "command": "command"}
    if program == "treino-doctor":
        names = {"package": "treino_doctor.command", "command": "program"}
    (tmp_path / program).write_text(PROGRAM.format(module=module, **names))
    (tmp_path / "script.py").write_text("import torch\n")
    line = [sys.executable, program, *words.split()]
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    sentence = "Parado." if "pt_BR" in words else "Stopped."
    assert (said.returncode, said.stderr) == (130, f"{sentence}\n")
    if "--json" in words:
        error = {"rule": "interrupted", "message": sentence, "hint": ""}
        assert json.loads(said.stdout) == {"error": error}
    assert not (tmp_path / "runs").exists()


def test_a_library_that_makes_another_error_of_ctrl_c_is_no_defect(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino_doctor.base.program_start.interrupted", True)
    monkeypatch.setattr("treino.folders.documents.listing.listing", Mock(side_effect=SystemError("x")))
    said = treino("runs")
    assert (said.status, said.err) == (130, "Stopped.\n")


def test_a_process_that_merely_imports_treino_keeps_python_s_ctrl_c() -> None:
    code = (
        "import signal, treino.cli as _; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    line = [sys.executable, "-c", code, "treino"]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "True\n"


# ---- memory


def refused_by(library: str) -> BaseException:
    """The exception with which this library says that there is no memory."""
    try:
        if library == "numpy":
            np.empty(1 << 60, np.uint8)
        if library == "arrow":
            pa.allocate_buffer(1 << 60)
        if library == "torch":
            torch.empty(1 << 60, dtype=torch.uint8)
        if library == "python":
            bytearray(1 << 60)
    except (MemoryError, RuntimeError) as error:
        return error
    return {
        "threads": RuntimeError("can't start new thread"),
        "system": OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        "gpu": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        "imports": ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    }[library]


@pytest.mark.parametrize(
    "library", ["python", "numpy", "arrow", "torch", "threads", "system", "gpu", "imports"]
)
def test_memory_that_runs_out_is_a_sentence_with_a_way_on(
    treino: Treino, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    reason = refused_by(library)
    outer = ValueError("another sentence")
    outer.__cause__ = reason
    for error in (reason, outer):
        monkeypatch.setattr("treino.folders.documents.listing.listing", Mock(side_effect=error))
        said = treino("runs", "--json")
        assert (said.status, said.document["error"]["rule"]) == (1, "memory")
        assert said.err.startswith("error: There is not enough memory: ")
        assert "--max-memory" in said.err
        assert not {"Traceback", "defect"} & {*said.err.replace(".", " ").split()}


def test_what_is_no_lack_of_memory_stays_what_it_is(treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {
        ValueError("out of memory"): ("defect", 1),  # no library says it so
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"): ("defect", 1),
        OSError(errno.EIO, "Input/output error"): ("machine", 1),
        TreinoError("x", "out of memory"): ("x", 2),
    }
    for error, (rule, status) in others.items():
        monkeypatch.setattr("treino.folders.documents.listing.listing", Mock(side_effect=error))
        said = treino("runs", "--json")
        assert (said.status, said.document["error"]["rule"]) == (status, rule)


@pytest.mark.release
def test_a_command_with_too_little_memory_says_so(tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1000 << 20, 1000 << 20))

    (tmp_path / "treino").write_text("from treino.cli import command\ncommand()\n")
    line = [sys.executable, "treino", "train", "iris", "--hidden", "9000,9000", "--epochs", "1", "--json"]
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limited)
    assert (said.returncode, json.loads(said.stdout)["error"]["rule"]) == (1, "memory"), said.stderr
    assert "Traceback" not in said.stderr


def test_a_working_directory_that_is_gone_is_named(tmp_path: Path) -> None:
    """Libraries that ask for it would end the process, or call it a defect."""
    here = tmp_path / "here"
    here.mkdir()
    line = f"rmdir {here}; exec {sys.executable} -P -m treino runs --json"
    done = subprocess.run(["sh", "-c", line], cwd=here, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["error"]["rule"] == "working_directory_gone"
    assert "Traceback" not in done.stderr
