"""The report: what comes first, what is said once, and what stands above a net that learned nothing."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from examination import examined
from treino_doctor import doctor
from treino_doctor.finding import Finding, Site
from treino_doctor.output.coverage import coverage, summary
from treino_doctor.output.report import each, nothing
from treino_doctor.rules import findings_to_report, rules
from treino_doctor.rules.rule import PRELUDE


def finding(rule: str, line: int, message: str = "", **evidence: object) -> Finding:
    known = rules([rule])[rule]
    at = {"file": "/a.py", "line": line, "seen": Site("/a.py", line)}
    return Finding(
        rule=rule,
        severity=known.severity,
        certain=known.certain,
        message=message,
        why="",
        evidence=evidence,
        fix="",
        **at,
    )


def test_what_decides_the_outcome_comes_first():
    rare = ("missing_no_grad", "scaler_leakage", "missing_eval", "unscaled_inputs", "vanishing_gradient")
    found = findings_to_report([finding(rule, n) for n, rule in enumerate((*rare, "target_broadcast"), 1)])
    assert [f.rule for f in found] == [
        *("target_broadcast", "unscaled_inputs", "missing_eval", "scaler_leakage", "missing_no_grad")
    ]


def test_entries_that_say_the_same_are_one():
    words = ("1 of 1 call", *(f"{n} of {n} calls" for n in range(2, 12)))
    alike = [finding("missing_no_grad", n, w, calls=n, shape=f"[{n}, 1]") for n, w in enumerate(words, 1)]
    other = finding("missing_no_grad", 20, "something else", what="something else")
    texts = each([*alike, other], [])
    assert len(texts) == 2
    assert texts[0].startswith("missing_no_grad  (waste, certain)  /a.py:1\n")
    assert texts[0].endswith("    also at " + ", ".join(f"line {n}" for n in range(2, 12)))
    assert "also at" not in texts[1]


@pytest.mark.parametrize("learns", [True, False])
def test_nothing_found_never_stands_above_a_net_that_a_constant_beats(learns):
    torch.manual_seed(0)
    x = torch.randn(200, 4)
    y = (x[:, 0] > 0).long() if learns else torch.arange(200) % 2
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    with doctor() as exam:
        for _ in range(30):
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
    assert exam.findings == []
    covered = coverage(exam)
    said = nothing(exam, poor=covered.poor)
    assert said.startswith("doctor: nothing found" if learns else "doctor: no fault that is known")
    assert covered.poor == (not learns)


SPLIT = """
x_train, y_train, x_test, y_test = x[:120], y[:120], x[120:] {prepared}, y[120:]
net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(30):
    for some in torch.randperm(120).split(20):
        STEP: F.cross_entropy(net(x_train[some]), y_train[some])
    with torch.no_grad():
        print((net(x_test).argmax(1) == y_test).float().mean().item())
"""


def test_rows_are_not_called_known_by_heart_where_others_are_prepared_otherwise(tmp_path):
    _findings, log = examined(PRELUDE + SPLIT.format(prepared="* -30 + 90"), tmp_path)
    (said,) = (s for s in summary(log) if "new rows" in s)
    assert "prepared or judged otherwise" in said
    assert "knows the training rows" not in said


@pytest.mark.parametrize("steps", [5, 90])
def test_backwards_inside_a_backward_are_not_counted(steps):
    layers = [torch.nn.Linear(4, 4) for _ in range(3)]
    optimizer = torch.optim.SGD([p for layer in layers for p in layer.parameters()], lr=0.01)
    with doctor() as exam:
        for _ in range(steps):
            h = torch.randn(8, 4, requires_grad=True)
            for layer in layers:
                h = checkpoint(lambda v, own=layer: own(v).tanh(), h, use_reentrant=True)
            optimizer.zero_grad()
            h.pow(2).mean().backward()
            optimizer.step()
    assert exam.backwards == exam.steps == steps
    assert exam.findings == []
    assert exam.defects == []
