"""Mends: the patch mends the script, keeps its comments, and the user's file stays as it is."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from treino_doctor.command import main
from treino_doctor.finding import Finding, Site
from treino_doctor.output import prove
from treino_doctor.output.fix import Mended, patch
from treino_doctor.output.mends import MENDS
from treino_doctor.output.prove import Row, interval, last_figure, proof, student, table
from treino_doctor.places.source import refresh
from treino_doctor.process.run_script import run_script
from treino_doctor.rules import rules
from treino_doctor.rules.rule import PRELUDE
from written import parts
from zygote import examined


@pytest.mark.parametrize("rule", MENDS)
def test_the_mended_example_is_silent(rule, tmp_path):
    path = tmp_path / "script.py"
    text = PRELUDE + rules()[rule].wrong + "# the end\n"
    path.write_text(text)
    findings = run_script(str(path)).exam.findings
    mended = patch(findings)
    assert rule in mended.rules
    assert path.read_text() == text
    assert mended.sources[str(path)].endswith("# the end\n")
    assert mended.diff.startswith("--- ")
    _as_it_may_be_written(findings, text, tmp_path)
    path.write_text(mended.sources[str(path)])
    assert rule not in {r for r, _, _ in examined(path)["findings"]}


@pytest.mark.slow
def test_a_patch_mends_all_places_of_each_kind_at_once(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(PRELUDE + parts("many_places.txt")["script"])
    findings = run_script(str(path)).exam.findings
    told = {"missing_zero_grad", "graph_kept_alive", "target_broadcast", "missing_eval", "missing_no_grad"}
    assert {f.rule for f in findings} == told
    path.write_text(patch(findings).sources[str(path)])
    assert examined(path)["findings"] == []


def _as_it_may_be_written(findings, text, folder):
    """Tabs, Windows' line ends and a last line without one: the patch applies, and the file compiles."""
    forms = {"tabs.py": text.replace("    ", "\t"), "windows.py": text.replace("\n", "\r\n")}
    for name, form in (forms | {"endless.py": text.rstrip("\n")}).items():
        file = folder / name
        file.write_bytes(form.encode())
        moved = [replace(f, file=str(file), seen=replace(f.seen, file=str(file))) for f in findings]
        mended = patch(moved)
        assert mended.rules == patch(findings).rules
        _applies(mended, file)


def _applies(mended, file):
    """The patch makes of a file what the mended program says."""
    diff = file.with_suffix(".patch")
    diff.write_bytes(mended.data)
    subprocess.run(["patch", str(file), str(diff)], check=True, capture_output=True)
    with file.open(newline="") as opened:
        assert opened.read() == mended.sources[str(file)]
    compile(file.read_text(), str(file), "exec")


def finding(rule, path, line):
    """A finding of this rule on a line."""
    site = Site(str(path), line)
    words = dict.fromkeys(("message", "why", "fix"), "")
    return Finding(
        rule=rule, severity="wrong", certain=True, file=site.file, line=line, seen=site, evidence={}, **words
    )


def test_a_loop_that_learns_from_test_rows_is_not_made_to_learn_better(tmp_path):
    path = tmp_path / "script.py"
    text = "def test(net, loss, optimizer, rows):\n    x, y = rows\n    loss(net(x), y).backward()\n"
    path.write_text(text + "    optimizer.step()\n")
    assert patch([finding("missing_zero_grad", path, 3)]).sources == {}
    path.write_text(path.read_text().replace("test", "train"))
    refresh()
    assert patch([finding("missing_zero_grad", path, 3)]).rules == ("missing_zero_grad",)


def test_intervals_are_students():
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert math.isclose(high - mean, 4.303 / math.sqrt(3), rel_tol=1e-3)  # t(0.975, 2) · s / √n, by table
    assert math.isclose(mean - low, high - mean)
    assert interval([float("nan")]) is None
    accuracy = [0.99, 1.0, 0.9]
    plain, bounded = interval(accuracy), interval(accuracy, "accuracy")
    assert plain is not None
    assert bounded is not None
    assert plain[2] > 1 == bounded[2]
    assert bounded[:2] == plain[:2]
    percent = interval([99.0, 100.0, 90.0], "test acc")
    assert percent is not None
    assert percent[2] == 100


@given(st.integers(1, 500))
def test_student_s_t_is_that_of_scipy(freedom):
    assert student(freedom) == pytest.approx(stdtrit(freedom, 0.975), rel=1e-3)


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("Epoca 3, test, Loss: 0.3120 +/- 0.0631\n-----\n", ("loss", 0.312)),
        ("epoch 9 loss 0.2 acc=97.5%\nsaved to run-3\n", ("acc", 97.5)),
        ("test accuracy: -1.5e-3", ("accuracy", -0.0015)),
        ("val_loss 0.5, val_f1 0.25\n", ("f1", 0.25)),
        ("done in 3 steps\n0.84\n", ("", 0.84)),
        ("lossy 3\n", ("", 3.0)),
        ("nothing\n", None),
    ],
)
def test_the_figure_is_the_last_that_is_named(text, figure):
    assert last_figure(text) == figure


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("raise RuntimeError('first\\nsecond')", "it ended with status 1: RuntimeError: first"),
        ("sys.exit('no data')", "it ended with status 1: no data"),
        ("os.kill(os.getpid(), 9)", "signal 9 ended it (Killed)"),
        ("time.sleep(99)", "it took longer than 9 seconds"),
    ],
)
def test_the_table_says_what_failed(tmp_path, end, why):
    after = "atexit.register(print, 'leaked', file=sys.stderr)\n" if "raise" in end else ""
    (tmp_path / "script.py").write_text(f"import atexit, os, sys, time\n{after}{end}\n")
    job = {"target": "script.py", "module": False, "folder": str(tmp_path), "arguments": [], "rate": 1.0}
    job |= {"sources": {}, "max_steps": None, "max_time": None}
    row = prove._row("fixed", job, 1, 9 if "sleep" in end else 99, False)
    said = table([Row("as it is", (1.0, 2.0), (), 0), row], Mended({}, "", ()))
    assert "failed runs: 1" in said
    assert said.splitlines()[3] == f"fixed: {why}"


def test_a_program_that_is_worse_at_the_old_rate_is_told_why(monkeypatch):
    losses = iter((0.5, 0.9, 0.4, 0.3))
    rest = {"figure": None, "found": ["no_step"]}
    monkeypatch.setattr(prove, "_run", lambda job, timeout: {"loss": next(losses)} | rest)
    mended = Mended({"script.py": "pass"}, "", ("missing_zero_grad",))
    rows = proof({}, mended, seeds=1)
    assert [row.variant for row in rows] == ["as it is", "fixed", "fixed, lr × 10", "fixed, lr × 100"]
    said = table(rows, mended)
    assert "the gradients of all steps were summed" in said
    assert "still finds in the fixed program: no_step" in said
    assert "summed" not in table([rows[1], rows[0]], mended)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A fault in a file that is imported; run as a script and as a module."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "steps.py").write_text(
        "def step(net, x, optimizer):\n    loss = (net(x) - 1).pow(2).mean()  # café\n    loss.backward()\n"
        "    optimizer.step()\n    return loss\n"
    )
    (folder / "train.py").write_text(
        PRELUDE + "from package.steps import step\nnet = nn.Linear(8, 1)\n"
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.05)\nfor _ in range(40):\n"
        "    loss = step(net, x, optimizer)\nprint('loss', loss.item())\n"
    )
    (tmp_path / "start.py").write_text("import package.train\n")
    yield tmp_path
    for name in [n for n in sys.modules if n.split(".")[0] == "package"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(["-m", "package.train"], id="a module", marks=pytest.mark.proof),
        pytest.param(["start.py"], id="a script", marks=pytest.mark.release),
    ],
)
def test_a_fault_in_an_imported_file_is_mended_and_proven(target, package, capfd):
    before = {p: p.read_bytes() for p in package.rglob("*.py")}
    assert main([*target, "--prove", "--seeds", "1", "--fix", "mend.patch", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert [f["rule"] for f in said["findings"]] == said["mended"] == ["missing_zero_grad"]
    assert [row["failed"] for row in said["proof"]] == [0, 0, 0, 0]
    plain, better = said["proof"][:2]
    assert better["losses"] != plain["losses"]
    assert better["name"] == "loss"
    assert {p: p.read_bytes() for p in package.rglob("*.py")} == before
    subprocess.run(["patch", "-p0", "-i", "mend.patch"], check=True, capture_output=True)
    text = (package / "package" / "steps.py").read_text()
    assert "    optimizer.zero_grad()\n    loss.backward()\n" in text
