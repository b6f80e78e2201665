"""``--json``: one document on stdout and the documented exit status, whatever a user's code does."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK_END
from tests.conftest import Treino

NET = """
import atexit, ctypes, os, subprocess, sys, threading, time
import torch

def leave(place):
    if place == PLACE:
        CALL

class Slope(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, slope):
        leave("gradient")
        return slope

leave("import")

class Net(torch.nn.Linear):
    calls = 0

    def __init__(self):
        super().__init__(13, 3)
        leave("init")

    def __deepcopy__(self, memo):
        leave("copy")
        copied = Net.__new__(Net)
        copied.__dict__.update(__import__("copy").deepcopy(self.__dict__, memo))
        return copied

    def forward(self, x):
        leave("forward")
        Net.calls += 1
        if Net.calls > 5:
            leave("training" if self.training else "evaluation")
        return Slope.apply(super().forward(x))
"""


def net(folder: Path, place: str, call: str) -> str:
    (folder / "net.py").write_text(NET.replace("PLACE", repr(place)).replace("CALL", call))
    return "net.py:Net"


PLACES = "import", "init", "copy", "forward", "gradient", "training", "evaluation"


@pytest.mark.parametrize("place", PLACES)
def test_a_network_that_leaves_is_an_error_with_its_line(treino: Treino, tmp_path: Path, place: str) -> None:
    name = net(tmp_path, place, "sys.exit(3)")
    said = treino("train", "wine", "--net", name, "--steps", 60, "--json")
    assert said.status == 2
    error = said.document["error"]
    assert re.search(r"net\.py:7\b|net\.py .* line 7\b", error["message"])
    assert error["hint"]
    assert "Traceback" not in said.err
    plainly = treino("train", "wine", "--net", name, "--steps", 60)
    assert plainly.status == 2
    assert "net.py" in plainly.err


@pytest.mark.parametrize("place", ["init", "training", "evaluation"])
def test_whatever_a_network_raises_there_is_one_document(treino: Treino, tmp_path: Path, place: str) -> None:
    name = net(tmp_path, place, "raise type('Quit', (BaseException,), {})('bye')")
    said = treino("train", "wine", "--net", name, "--steps", 60, "--json")
    assert said.status == 2
    assert "Quit: bye" in said.document["error"]["message"]


WRITES = "; ".join(
    [
        "os.write(1, b'by number')",
        "subprocess.run(['echo', 'by a process'])",
        "os.system('echo by a shell')",
        "ctypes.CDLL(None).puts(b'by C')",
        "ctypes.CDLL(None).fflush(None)",
        "sys.__stdout__.write('by name')",
        "print('by Python')",
    ]
)
LATER = "; ".join(
    [
        "atexit.register(os.write, 1, b'at the end')",
        "atexit.register(print, 'at the very end')",
        "atexit.register(sys.__stdout__.write, 'at last')",
        "threading.Thread(target=lambda: [print('beside') or time.sleep(0.1) for _ in range(9)]).start()",
        "ctypes.CDLL(None).puts(b'left in the buffer of C')",
    ]
)


@pytest.mark.slow
def test_what_a_network_writes_is_no_part_of_the_document(treino: Treino, tmp_path: Path) -> None:
    name = net(tmp_path, "forward", WRITES)
    trained = treino("train", "wine", "--net", name, "--steps", 2, "--json")
    assert trained.document["status"] == "finished"
    for way in ("number", "a process", "a shell", "C", "name", "Python"):
        assert f"by {way}" in trained.err
    for argv in (
        ("predict", "last", "wine", "--net", name),
        ("plot", "last", "--what", "confusion", "--net", name),
    ):
        said = treino(*argv, "--json")
        assert said.status == 0, said
        assert said.document
        assert "by C" in said.err


@pytest.mark.release
@pytest.mark.parametrize("call", [LATER, "sys.exit(3)"])
def test_a_process_ends_with_the_document(tmp_path: Path, call: str) -> None:
    name = net(tmp_path, "import", f"{LATER}; {call}")
    argv = [sys.executable, "-c", QUICK_END, "train", "wine", "--net", name, "--steps", "2", "--json"]
    ended = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == (2 if "exit(3)" in call else 0), ended
    assert ended.stdout.count("\n") == 1
    assert json.loads(ended.stdout).keys() & {"run", "error"}
    for said in ("at the end", "at the very end", "at last", "beside", "left in the buffer of C"):
        assert said in ended.stderr
