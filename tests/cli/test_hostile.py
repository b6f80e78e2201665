"""Odd names, printing networks, closed streams and full disks: each has one clear message."""

import itertools
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import treino as tr
from tests.conftest import Treino
from tests.waiting import HANG
from treino.base.apps import installed
from treino.cli.app import VERBS


def table(path: Path, *names: str) -> None:
    rows = "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
    path.write_text(",".join(names) + "\n" + rows)


def test_names_that_look_like_markup(treino: Treino, tmp_path: Path) -> None:
    table(tmp_path / "m.csv", "[bold]a", "[/b]c", "y[/]")
    assert "[/b]c" in treino("data", "m.csv").out
    said = treino("train", "m.csv", "--target", "y[/]", "--steps", 3)
    assert said.status == 0
    assert "y[/]" in said.out
    assert treino("data", "m.csv", "--json").document["columns"][0]["name"] == "[bold]a"


def test_what_to_type_next_can_be_typed(treino: Treino, tmp_path: Path) -> None:
    said = treino("train", "wine", "--steps", 2, "--name", "sp ace")
    assert "treino predict 'sp ace' FILE.csv" in said.out
    said = treino("train", "wine", "--steps", 2, "--out", "else where/x")
    assert "treino predict 'else where/x' FILE.csv" in said.out
    assert treino("predict", "else where/x", "wine").status == 0


@pytest.mark.parametrize("flag", ["--out", "--net", "--fault", "--features", "--lr"])
def test_empty_values_are_refused(treino: Treino, flag: str) -> None:
    said = treino("train", "wine", flag, "", "--json")
    assert said.status == 2
    assert "is empty" in said.document["error"]["message"]


def test_the_version_in_json(treino: Treino) -> None:
    assert treino("--version", "--json").document == {"version": tr.__version__}


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = command.replace("treino", f"{sys.executable} -m treino")
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=HANG,
    )


STDOUT = {"closed": "Bad file descriptor", "full": "No space left on device"}
PRINTING = """

--help
--version
runs
data iris
show r
compare r q --on iris
doctor r
doctor
predict r iris
plot r --what curves
resume --help
verify r
export r
schema run/spec.json
report r
train iris --steps 2
study iris --epochs 1
sweep iris --members 2 --epochs 1 --fresh 0 --space lr=0.1|0.01
"""[1:-1].split("\n")
OF_APPS = (
    "explain cross-entropy r",
    "judge trials.csv",
    "kata",
    "playground --no-browser",
    "rows iris --networks 8",
)
PRINTING += [words for words in OF_APPS if installed(words.split()[0])]


@pytest.mark.slow
def test_every_verb_says_in_one_line_that_stdout_takes_nothing(
    treino: Treino, monkeypatch: pytest.MonkeyPatch, thorough: bool
) -> None:
    """It is closed for each second verb, and full for the others; in a thorough run both for each."""
    tr.fit("iris", steps=2, name="r")
    tr.fit("iris", steps=3, name="q")
    Path("trials.csv").write_text("acc\n0.5\n0.6\n")
    assert {words.split(" ")[0] for words in PRINTING} >= set(VERBS) - {"studio", "mcp"}
    cases = list(itertools.product(STDOUT, PRINTING))
    for stdout, words in cases if thorough else [*cases[: len(PRINTING) : 2], *cases[len(PRINTING) + 1 :: 2]]:
        with monkeypatch.context() as patch, open("/dev/full", "w") as full:
            patch.setattr(sys, "stdout", None if stdout == "closed" else full)
            said = treino(*words.split())
            with suppress(OSError):
                full.close()
        assert (said.status, said.out) == (1, ""), words
        last = said.err.splitlines()[-1]
        assert last == f"error: Nothing can be written to stdout: {STDOUT[stdout]}.", words
        assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("command", "status", "out", "err"),
    [
        ("treino runs >&-", 1, 0, 1),
        ("treino runs --json >/dev/full", 1, 0, 1),
        ("treino nosuch 2>/dev/full", 2, 0, 0),
        pytest.param("treino runs --json <&- 2>&-", 0, 1, 0, marks=pytest.mark.slow),
        pytest.param("treino nosuch >&-", 2, 0, 2, marks=pytest.mark.slow),
        pytest.param("treino studio --no-browser --port 0 >&-", 1, 0, 1, marks=pytest.mark.slow),
        pytest.param("treino doctor quiet.py >&-", 0, 0, 1, marks=pytest.mark.slow),
        pytest.param("treino runs --json >&-", 1, 0, 1, marks=pytest.mark.release),
        pytest.param("treino runs >/dev/full", 1, 0, 1, marks=pytest.mark.release),
        pytest.param("treino runs 2>&-", 0, 1, 0, marks=pytest.mark.release),
        pytest.param("treino nosuch 2>&-", 2, 0, 0, marks=pytest.mark.release),
        pytest.param("treino runs <&- >&- 2>&-", 1, 0, 0, marks=pytest.mark.release),
    ],
)
def test_a_process_whose_streams_are_closed_or_full(
    tmp_path: Path, command: str, status: int, out: int, err: int
) -> None:
    """As Unix's own tools: what can't be said on stderr is lost; on stdout it is the command's failure."""
    (tmp_path / "quiet.py").write_text("print('nowhere')")  # which Python takes for no error
    said = shell(command, tmp_path, PYTHONUNBUFFERED="")  # else Python keeps nothing for its end
    assert (said.returncode, said.stdout.count("\n"), said.stderr.count("\n")) == (status, out, err), said


@pytest.mark.release
def test_streams_that_are_narrow_or_cut(tmp_path: Path) -> None:
    narrow = shell("treino train wine --steps 2", tmp_path, PYTHONIOENCODING="ascii")
    assert narrow.returncode == 0, narrow.stderr
    cut = shell("treino data wine | head -1; exit ${PIPESTATUS[0]}", tmp_path)
    assert "Traceback" not in cut.stderr


@pytest.mark.parametrize("module", ["treino.cli.app", "treino", "torch", "treino.training.train"])
@pytest.mark.sampled(4)
def test_ctrl_c_before_anything_is_trained(tmp_path: Path, module: str) -> None:
    """At the moment at which this module has been imported."""
    command = [sys.executable, "-X", "importtime", "-m", "treino", "train", "digits", "--epochs", "100000"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(line.rpartition("|")[2].strip() == module for line in process.stderr)
            process.send_signal(signal.SIGINT)
            _out, err = process.communicate(timeout=HANG)
        finally:
            process.kill()
    # Python itself may not have reached treino's first line
    assert process.returncode in (130, -signal.SIGINT)
    if process.returncode == 130:
        assert "Traceback" not in err
