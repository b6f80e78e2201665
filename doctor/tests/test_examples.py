"""Every rule: its wrong example is found, its right one is silent, and a log read back decides alike."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from examination import examined
from log_json import read, written
from treino_doctor.record.log import Log
from treino_doctor.rules import decide, rules
from treino_doctor.rules.examples import PRELUDE

ROOT = Path(__file__).parent


@pytest.mark.parametrize("rule", sorted(rules()))
def test_the_wrong_example_is_found_and_the_right_one_is_silent(rule, tmp_path):
    found, log = examined(PRELUDE + rules()[rule].wrong, tmp_path)
    assert rule in {f.rule for f in found}
    again, _ = decide(read(written(log)))
    assert [f.as_json() for f in again] == [f.as_json() for f in found]
    silent, _ = examined(PRELUDE + rules()[rule].right, tmp_path)
    assert [f.rule for f in silent] == []


@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_rule_sees_nothing_where_nothing_was_seen(rule):
    assert list(rules()[rule].decide(Log())) == []


def names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def asked(module: str, name: str, known: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All of the doctor that a function may call, itself and by what it calls: (module, name)."""
    if (module, name) in known or not module.startswith("treino_doctor"):
        return known
    known.add((module, name))
    if module.startswith("treino_doctor.rules."):
        tree = ast.parse(Path(import_module(module).__file__).read_text())
        own = {n.name: n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for used in names(own[name]) if name in own else ():
            asked(*((module, used) if used in own else imported.get(used, ("", ""))), known)
    return known


@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_decision_never_reads_source(rule):
    called = asked(f"treino_doctor.rules.{rule}", "decide", set())
    of_source = {each for each in called if each[0].startswith("treino_doctor.places")}
    of_places = ("metric_overwritten", "selection_on_test", "test_in_train")
    assert bool(of_source) == (rule in of_places), of_source


def test_a_kept_log_is_decided_in_another_process(tmp_path):
    found, log = examined(PRELUDE + rules()["test_in_train"].wrong, tmp_path)
    (tmp_path / "log.json").write_text(written(log))
    code = (
        "import sys; from log_json import read\n"
        "log = read(open(sys.argv[1]).read())\n"
        "from treino_doctor.rules import decide; print(*[f.rule for f in decide(log)[0]])"
    )
    command = [sys.executable, "-c", code, tmp_path / "log.json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.stdout.split(), ended.stderr) == ([f.rule for f in found], "")
