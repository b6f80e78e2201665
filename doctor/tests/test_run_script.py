"""Scripts run as Python runs them: status, output, exceptions; the report comes whatever they do."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from forked import HANG, plain, watched
from treino_doctor import rules as decisions
from treino_doctor.output.coverage import coverage
from treino_doctor.output.report import document, text
from treino_doctor.process.run_script import run_script
from written import FAULT, script

TIME_FLIES = """
import signal
left, _ = signal.setitimer(signal.ITIMER_REAL, 1e-6)
assert left > 0
signal.pause()
"""
MENDED = FAULT.replace("    opt.step()", "    opt.step(); opt.zero_grad()")


def rules(outcome) -> list[str]:
    return [f.rule for f in outcome.exam.findings]


def test_arguments_name_and_folder_are_as_python_sets_them(tmp_path, capfd):
    (tmp_path / "beside.py").write_text("WORD = 'found'\n")
    path = script(tmp_path, "import sys, beside\nprint(__name__, sys.argv[1:], beside.WORD, __file__)")
    outcome = run_script(path, ["--epochs", "3"])
    assert outcome.status == 0
    assert not outcome.trained
    assert capfd.readouterr().out == f"__main__ ['--epochs', '3'] found {path}\n"


@pytest.mark.parametrize(
    ("last", "error"),
    [("1 / 0", "ZeroDivisionError"), ("raise KeyboardInterrupt", "KeyboardInterrupt"), ("", "")],
)
def test_nothing_found_is_not_said_of_a_script_that_broke_off_without_a_word_of_it(tmp_path, last, error):
    outcome = run_script(script(tmp_path, MENDED + last))
    covered = coverage(outcome.exam)
    assert document(outcome, outcome.status, covered)["error"] == (error or None)
    assert ("ended early" in text(outcome, covered)) == bool(error)
    assert error in text(outcome, covered)


@pytest.mark.parametrize("compile_it", ["@torch.jit.script", "@partial(torch.jit.script, _frames_up=0)"])
@pytest.mark.filterwarnings("ignore:.*jit.script.* is deprecated:DeprecationWarning")
def test_what_is_compiled_by_torchscript_finds_its_names(tmp_path, compile_it):
    compiled = f"""
    from functools import partial
    import torch
    def make():
        def shift(x: float) -> float:
            return x + 1.0
        {compile_it}
        class Settings:
            def __init__(self, lr: float):
                self.lr = shift(lr)
        return Settings
    print(make()(0.5).lr)
    """
    path = script(tmp_path, compiled)
    assert plain(Path(path)).out == "1.5\n"
    assert run_script(path).error == ""


def test_a_limit_of_steps_ends_the_script(tmp_path):
    endless = FAULT.replace("range(6)", "iter(int, 1)")
    outcome = run_script(script(tmp_path, endless), max_steps=4)
    assert (outcome.stopped, outcome.status, outcome.exam.steps) == ("max_steps", 0, 4)


def test_a_time_limit_is_the_script_s_and_not_that_of_the_findings(tmp_path, monkeypatch):
    """They may take long on a busy machine, and nobody ends the process meanwhile."""
    waiting = []

    def decide(log, **how):
        waiting.extend(t for t in threading.enumerate() if isinstance(t, threading.Timer))
        return original(log, **how)

    original = decisions.decide
    monkeypatch.setattr(decisions, "decide", decide)
    outcome = run_script(script(tmp_path, FAULT + TIME_FLIES), max_time=HANG)
    assert (outcome.stopped, rules(outcome)) == ("max_time", ["missing_zero_grad"])
    assert all(timer.finished.is_set() for timer in waiting)


@pytest.mark.parametrize(("last", "status"), [("", 0), ("os._exit(4)", 4), ("os.kill(os.getpid(), 9)", -9)])
def test_json_is_one_document_whatever_the_script_does(tmp_path, last, status):
    path = script(tmp_path, "import os\n" + FAULT + "print('mine')\nos.system('echo child')\n" + last)
    ended = watched(Path(path), "--json")
    document = json.loads(ended.out)
    assert ended.status == status
    assert {"subject", "steps", "findings", "overhead", "exit"} <= set(document)
    finding = document["findings"][0]
    keys = "rule severity certain message why file line seen evidence fix"
    assert set(finding) == set(keys.split())
    assert (finding["rule"], finding["line"], finding["file"]) == ("missing_zero_grad", 7, path)
    assert {"mine", "child"} <= set(ended.err.split())


@pytest.mark.slow
def test_the_garbage_collector_is_as_python_starts_it(tmp_path):
    path = script(
        tmp_path,
        "import gc\nprint(gc.get_threshold(), gc.isenabled())\n"
        "class Ring:\n"
        "    def __init__(self, name): self.name, self.me = name, self\n"
        "    def __del__(self): print('gone:', self.name)\n"
        "lost, kept = Ring('lost'), Ring('kept')\ndel lost\nprint('collected')\ngc.collect()\nprint('end')\n",
    )
    commands = ([sys.executable, *words, path] for words in ((), ("-m", "treino_doctor")))
    said = [subprocess.run(c, capture_output=True, text=True, check=True).stdout for c in commands]
    assert said[0].endswith("collected\ngone: lost\nend\ngone: kept\n")
    assert said[0] == said[1]
