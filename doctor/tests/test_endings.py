"""Whatever a script does, it does the same with and without the doctor: output, errors, status, order."""

import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from forked import HANG, modules, plain, watched
from written import FAULT, parts

PATCH = """
import torch
counted = 0
first, step, entropy = torch.Tensor.backward, torch.optim.SGD.step, torch.nn.functional.cross_entropy
def mine(self, *a, **k):
    global counted
    counted += 1
    return first(self, *a, **k)
torch.Tensor.backward = mine
torch.optim.SGD.step = lambda self, *a, **k: step(self, *a, **k)
torch.nn.functional.cross_entropy = lambda *a, **k: entropy(*a, **k) * 1.0
"""
WORDS = {"TRAIN": FAULT, "PATCH": PATCH}


def _scripts() -> dict[str, tuple[str, int]]:
    """The scripts of endings.txt: what -> (text, exit status)."""
    found = {}
    for head, body in parts("endings.txt").items():
        what, ways, status = re.fullmatch(r"(.*?)(?: \((.*)\))?: (-?\d+)", head).groups()
        body = re.sub(r"(?m)^( *)(TRAIN|PATCH)$", lambda m: textwrap.indent(WORDS[m[2]], m[1]), body)
        for way in (ways or "").split(", "):
            found[what.replace("WAY", way)] = (body.replace("WAY", way), int(status))
    return found


SCRIPTS = _scripts()


DEAR = {"workers by spawn": pytest.mark.release, "compiled by aot_eager": pytest.mark.release}
OTHERS = pytest.mark.slow, pytest.mark.release
MARKS = {what: DEAR.get(what, [OTHERS[k % 2]] * (k % 6 != 0)) for k, what in enumerate(SCRIPTS)}


@pytest.mark.parametrize("what", [pytest.param(what, marks=marks) for what, marks in MARKS.items()])
def test_a_script_ends_as_it_does_without_the_doctor(what, tmp_path):
    text, status = SCRIPTS[what]
    path, stdin = tmp_path / "train_it.py", "one\ntwo\nthree\n"
    path.write_text(text)
    without = plain(path, stdin=stdin)
    path.write_text(text)  # one of them removes it
    found = watched(path, stdin=stdin)
    print(without, found)
    assert without.status == status
    assert (found.out, found.status) == (without.out, 130 if status == -2 else status)
    if what != "descriptors closed":  # of which nobody can be told
        assert found.err == without.err
        trains = what not in ("a syntax error", "it never trains")
        assert ("missing_zero_grad" if trains else "no backward seen") in found.report
        assert "defect" not in found.report


# --- limits and interruptions -------------------------------------------------------------------------
ENDLESS = FAULT.replace("range(6)", "iter(int, 1)")
CATCH = """
import time
while True:
    try:
        {what}
    except BaseException as error:
        print(type(error))
"""
LIMITS = {
    "endless steps": (ENDLESS, "--max-time"),
    "one long call that lets go of the interpreter": (
        FAULT + "import ctypes\nctypes.CDLL(None).sleep(50)\nprint('not reached')\n",
        "--max-time",
    ),
    "it catches everything": (FAULT + CATCH.format(what="time.sleep(50)"), "--max-time"),
    "it catches everything, step after step": (
        FAULT + CATCH.format(what="opt.step()") + "    opt.step()\n",
        "--max-steps",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", LIMITS)
def test_limits_end_a_script_that_does_not_want_to_end(what, tmp_path):
    text, flag = LIMITS[what]
    path = tmp_path / "train_it.py"
    path.write_text(text)
    found = watched(path, flag, "8" if flag == "--max-steps" else "1")
    assert (found.status, found.err) == (0, "")
    assert found.report.startswith(f"stopped the script at {flag}")
    if flag == "--max-steps":  # how far it comes in a second is the machine's affair
        assert "missing_zero_grad" in found.report
    assert "not reached" not in found.out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_from_outside_ends_the_script_with_its_report(number, tmp_path):
    endless = ENDLESS.replace("opt.step()", "opt.step()\n    print(i, flush=True)")
    (tmp_path / "train_it.py").write_text(endless)
    with program("train_it.py", cwd=tmp_path) as process:
        for _ in range(5):
            process.stdout.readline()
        process.send_signal(number)
        _out, err = process.communicate(timeout=HANG)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGTERM)
    assert "missing_zero_grad" in err
    assert ("KeyboardInterrupt" in err) == (number == signal.SIGINT)


FORKS = """
import ctypes, functools, multiprocessing, signal, time
library, number = ctypes.CDLL(None), ctypes.c_int(0)
early = ctypes.CFUNCTYPE(None)(functools.partial(library["raise"], number))
library.__register_atfork(None, None, early, None)  # in a child, before Python runs there
def end(sent, seconds):
    number.value = sent
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(seconds,))
    child.start()
    if not sent:
        child.terminate()
    child.join()
    print(child.exitcode)
end(signal.SIGTERM, 0)
end(0, 600)  # one long call
"""


def test_a_signal_to_a_forked_child_is_the_childs_alone(tmp_path):
    """However early it comes: Python forgets one before which it has not run there, and may hear it late."""
    path = tmp_path / "train_it.py"
    path.write_text(FAULT + FORKS)
    found = watched(path)
    assert (found.status, found.out) == (0, "-15\n-15\n")
    assert found.report.count("missing_zero_grad  (") == 1


# --- much output --------------------------------------------------------------------------------------
PRINTS = (
    FAULT
    + """
import resource, sys
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
line = "x" * 1023 + "\\n"
for i in range(2**18):
    sys.stdout.write(line)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print("grown", grown, file=sys.stderr)
"""
)


def program(*arguments, cwd, program=("-m", "treino_doctor")) -> subprocess.Popen[str]:
    command = [sys.executable, *program, *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_much_output_passes_through_without_being_kept(tmp_path):
    (tmp_path / "train_it.py").write_text(PRINTS)
    with program("train_it.py", cwd=tmp_path) as process:
        size = 0
        while chunk := os.read(process.stdout.fileno(), 2**20):
            size += len(chunk)
        err = process.stderr.read()
    assert (process.returncode, size) == (0, 2**28)
    assert int(err.split("grown ")[1].split()[0]) < 20_000  # kilobytes
    assert "missing_zero_grad" in err


@pytest.mark.slow
def test_a_reader_that_goes_away_is_the_scripts_own_matter(tmp_path):
    (tmp_path / "train_it.py").write_text(PRINTS.replace(FAULT, "") + "import torch\n")
    found = {}
    for how, first in (("plain", ()), ("watched", ("-m", "treino_doctor"))):
        with program("train_it.py", cwd=tmp_path, program=first) as process:
            os.read(process.stdout.fileno(), 1000)
            process.stdout.close()
            err = process.stderr.read()
        found[how] = process.returncode, "BrokenPipeError: [Errno 32]" in err.partition("doctor: ")[0]
    assert found["plain"][1]
    assert found["plain"] == found["watched"]


# --- modules and launchers ----------------------------------------------------------------------------
@pytest.fixture
def package(tmp_path):
    """package/train.py with a relative import, package/__main__.py that calls it."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("NAME = 'the package'\n")
    (folder / "beside.py").write_text(
        "import torch\ndef loss(net):\n    return net(torch.ones(4, 3)).pow(2).mean()\n"
    )
    text = FAULT.replace("net(torch.ones(4, 3)).pow(2).mean()", "loss(net)")
    (folder / "train.py").write_text(
        "import sys\nfrom . import NAME\nfrom .beside import loss\n"
        "print(NAME, __name__, __package__, sys.argv[1:])\n" + text
    )
    (folder / "__main__.py").write_text("from . import train\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["package.train", "package"])
def test_a_module_runs_as_python_dash_m_runs_it(name, package):
    alone, found = modules(name, "--epochs", "3", folder=package)
    assert (found.status, found.out) == (0, alone.out)
    assert os.path.join("package", "train.py:10") in found.err


@pytest.mark.release
def test_a_launcher_of_processes_and_what_it_launches(tmp_path):
    """torch.distributed.run starts the doctor as its worker, and is itself started by a script."""
    (tmp_path / "group.py").write_text(SCRIPTS["a process group of its own"][0])
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "1")
    with program("-m", "treino_doctor", "group.py", cwd=tmp_path, program=launch) as process:
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 0, err
    assert "missing_zero_grad" in err
    path = tmp_path / "start.py"
    command = f"[sys.executable, *{launch}, 'group.py']"
    path.write_text(f"import subprocess, sys\nsys.exit(subprocess.run({command}).returncode)\n")
    found = watched(path)
    assert (found.status, found.out) == (0, out)
    assert "no backward seen" in found.report
