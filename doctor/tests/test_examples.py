"""Every rule: its wrong example is found, its right one is silent, and a log read back decides alike; its
words fill in."""

import ast
import dataclasses
import pickle
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from examination import examined
from treino_doctor.output.rules_page import page
from treino_doctor.record.log import Log
from treino_doctor.rules import decide, rules
from treino_doctor.rules.rule import PRELUDE

ROOT = Path(__file__).parent
CONTRACT = """
    missing_zero_grad grad_cleared_before_step no_step params_not_in_optimizer detached_loss
    detached_graph clip_too_small vanishing_gradient non_finite_loss softmax_before_cross_entropy
    sigmoid_before_bce_with_logits nll_without_log_softmax target_broadcast
    bad_label_values missing_eval train_mode_never_restored missing_no_grad
    graph_kept_alive batchnorm_batch_of_one nan_inputs unshuffled_sorted sorted_split unscaled_inputs
    scaler_leakage duplicate_leakage test_in_train label_misaligned augment_on_test class_imbalance
    lr_too_high lr_too_low weight_decay_too_high symmetric_init
    dead_relu metric_wrong_axis selection_on_test missing_activation layer_never_used uninitialised_tensor
    best_state_not_copied activation_before_cross_entropy metric_wrong_mean
    threshold_on_logits new_optimizer_each_step mse_of_softmax
    targets_out_of_reach loss_arguments_swapped clip_after_step frozen_weights_move
    batchnorm_without_statistics attention_mask_wrong axes_mixed unscaled_targets test_scaled_otherwise
    best_never_updated
""".split()  # noqa: SIM905


def test_the_ids_are_the_contract():
    assert sorted(rules()) == sorted(CONTRACT)


def test_each_text_that_is_mended_occurs_once():
    assert {text for rule in rules().values() for text in rule.mend if rule.wrong.count(text) != 1} == set()


@pytest.mark.parametrize("rule", sorted(rules()))
def test_the_wrong_example_is_found_and_the_right_one_is_silent(rule, tmp_path):
    found, log = examined(PRELUDE + rules()[rule].wrong, tmp_path)
    assert rule in {f.rule for f in found}
    assert is_plain(log.events)
    again, _ = decide(Log(pickle.loads(pickle.dumps(log.events))))
    assert [f.as_json() for f in again] == [f.as_json() for f in found]
    assert rules()[rule].right != rules()[rule].wrong
    silent, _ = examined(PRELUDE + rules()[rule].right, tmp_path)
    assert [f.rule for f in silent] == []


def is_plain(value):
    """Whether it is of numbers, words, lists, tables and records of these."""
    if dataclasses.is_dataclass(value):
        return all(is_plain(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(map(is_plain, [*value, *value.values()]))
    return value is None or type(value) in (bool, int, float, str)


def test_a_rule_sees_nothing_where_nothing_was_seen():
    assert {name: found for name, rule in rules().items() if (found := list(rule.decide(Log())))} == {}


def names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


@cache
def defined(module: str) -> tuple[dict[str, ast.stmt], dict[str, tuple[str, str]]]:
    """The functions and classes of a module, and where its other names are from."""
    tree = ast.parse(Path(import_module(module).__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {a.asname or a.name: (node.module, a.name) for node in imports for a in node.names}
    return {n.name: n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}, imported


def asked(module: str, name: str, known: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All of the doctor that a function may call, itself and by what it calls: (module, name)."""
    if (module, name) in known or not module.startswith("treino_doctor"):
        return known
    known.add((module, name))
    if module.startswith("treino_doctor.rules."):
        own, imported = defined(module)
        for used in names(own[name]) if name in own else ():
            asked(*((module, used) if used in own else imported.get(used, ("", ""))), known)
    return known


def test_a_decision_never_reads_source():
    called = {rule: asked(f"treino_doctor.rules.{rule}", "decide", set()) for rule in rules()}
    reads = {r for r, some in called.items() if any(m.startswith("treino_doctor.places") for m, _ in some)}
    by_names = {"augment_on_test", "duplicate_leakage", "sorted_split", "test_in_train"}  # of evaluations
    by_numbers = {"metric_wrong_mean"}  # that the line which prints divides by
    assert reads == {"best_never_updated", "selection_on_test", *by_names, *by_numbers}


@pytest.mark.slow
def test_a_kept_log_is_decided_in_another_process(tmp_path):
    found, log = examined(PRELUDE + rules()["test_in_train"].wrong, tmp_path)
    (tmp_path / "log").write_bytes(pickle.dumps(log.events))
    code = (
        "import pickle, sys\n"
        "from treino_doctor.record.log import Log\n"
        "log = Log(pickle.load(open(sys.argv[1], 'rb')))\n"
        "from treino_doctor.rules import decide; print(*[f.rule for f in decide(log)[0]])"
    )
    command = [sys.executable, "-c", code, tmp_path / "log"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.stdout.split(), ended.stderr) == ([f.rule for f in found], "")


def test_the_page_of_rules_is_the_registry_s():
    stored = (ROOT.parent / "docs" / "doctor-rules.md").read_text()
    assert stored == page(), "run: python -m treino_doctor.output.rules_page > doctor/docs/doctor-rules.md"
