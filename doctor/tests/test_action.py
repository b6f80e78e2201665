"""The action for GitHub: its steps run here in bash, with the inputs as environment, as GitHub runs them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from written import FAULT

yaml = pytest.importorskip("yaml", reason="needs yaml: pip install pyyaml")
ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PAGE = (ROOT / "docs/doctor-in-your-tools.md").read_text()
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}


def run(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """A step as GitHub runs it: ``bash -eo pipefail``, the expressions of its environment filled in."""
    values = {key: each.get("default", "") for key, each in ACTION["inputs"].items()} | inputs
    step = STEPS[name]
    environment = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: values[m[1]], text)
        for key, text in step["env"].items()
    }
    script = folder / "step.sh"
    script.write_text(step["run"])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "GITHUB_OUTPUT": str(folder / "output")} | environment
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    return subprocess.run(bash, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "my train.py").write_text("import sys\nprint(sys.argv[1:])" + FAULT)
    return tmp_path


@pytest.mark.slow
def test_the_step_examines_with_the_inputs_and_tells_where_its_sarif_is(folder):
    done = run("Examine", folder, script="my train.py", arguments="--name\ntwo words\n", **{"max-steps": "4"})
    assert (done.returncode, done.stdout) == (3, "['--name', 'two words']\n")
    assert "stopped the script at --max-steps" in done.stderr
    sarif = folder / "treino-doctor.sarif"
    assert (folder / "output").read_text() == f"sarif={sarif}\n"
    assert [r["ruleId"] for r in json.loads(sarif.read_text())["runs"][0]["results"]] == ["missing_zero_grad"]


@pytest.mark.release
def test_known_findings_and_none_that_fail_let_the_job_pass(folder):
    assert run("Examine", folder, script="my train.py", **{"fail-on": ""}).returncode == 0
    for _ in range(2):
        assert run("Examine", folder, script="my train.py", known="known.json").returncode == 0


@pytest.mark.slow
def test_what_can_not_be_run_fails_and_leaves_nothing_to_upload(folder):
    done = run("Examine", folder, script="none.py")
    assert done.returncode == 2
    assert "none.py can't be read" in done.stderr
    assert not (folder / "output").exists()


def test_the_install_step_hands_its_words_to_pip(folder, monkeypatch):
    stub = folder / "bin"
    stub.mkdir()
    (stub / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > said\n')
    (stub / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stub / "python"))
    assert run("Install", folder, install="treino-doctor torch==2.9").returncode == 0
    said = (folder / "said").read_text().split("\n")
    assert said == ["-m", "pip", "install", "--quiet", "treino-doctor", "torch==2.9", ""]
    monkeypatch.setenv("GITHUB_ACTION_PATH", "/where actions/lie")
    assert run("Install", folder).returncode == 0
    assert (folder / "said").read_text().split("\n")[4:] == ["/where actions/lie", ""]


def test_each_input_is_used_and_none_is_pasted_into_a_shell():
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")
        assert ("run" in step) == ("shell" in step)


def test_the_example_workflow_gives_only_inputs_that_there_are():
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    steps = yaml.safe_load(block)["jobs"]["doctor"]["steps"]
    (ours,) = [step for step in steps if step.get("uses", "").endswith("/treino/doctor@main")]
    assert set(ours["with"]) <= set(ACTION["inputs"])
    needed = {name for name, each in ACTION["inputs"].items() if each.get("required")}
    assert needed <= set(ours["with"])


def test_the_page_names_only_flags_that_there_are():
    from treino_doctor.command import help_page

    flags = set(re.findall(r"treino-doctor [^\n]*?(--[a-z-]+)", PAGE.replace("-- --epochs", "")))
    assert flags
    assert all(flag in help_page() for flag in flags)
