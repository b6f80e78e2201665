"""What raises in the doctor itself costs its own part of the report; the script keeps its status."""

import dataclasses
import json
import pkgutil
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from treino_doctor import output
from treino_doctor import rules as registry
from treino_doctor.command import main
from treino_doctor.ipython import Doctor
from treino_doctor.process.run_script import run_script
from treino_doctor.record.hooks import Hooks
from treino_doctor.record.observer import Observer
from treino_doctor.rules import rules
from written import FAULT

SCRIPT = (
    FAULT
    + """
from torch.nn import functional as F
net, x = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Softmax(1)), torch.randn(60, 3)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(6):
    opt.zero_grad()
    F.cross_entropy(net(x), x.argmax(1)).backward()
    opt.step()
print("mine")
raise SystemExit(5)
"""
)
FOUND = {"missing_zero_grad", "softmax_before_cross_entropy"}
ASKED = ["train.py", "--json", "--fix", "a.patch", "--sarif", "a.sarif", "--junit", "a.xml"]
ERROR = "ZeroDivisionError: of ours"

# one that was imported first while another's function is replaced would keep what replaces it
for _module in pkgutil.iter_modules(output.__path__, "treino_doctor.output."):
    import_module(_module.name)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def raises(*_args, **_fields):
    raise ZeroDivisionError("of ours")


def ended(capfd, *more: str) -> tuple[dict, str]:
    """The document and what stderr says of a run that keeps the script's own status and output."""
    assert main([*ASKED, *more]) == 5
    out, err = capfd.readouterr()
    assert "mine" in err.split()
    assert "Traceback" not in err
    return json.loads(out), err


@pytest.mark.sampled(9)
@pytest.mark.parametrize("part", ["decide", "place", "note"])
@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_rule_that_raises_costs_its_own_findings_and_is_named(folder, capfd, monkeypatch, rule, part):
    whole = registry._in_file
    evidence = [registry.rule.Evidence(None)]

    def broken(name: str):
        known = whole(name)
        if known is None or known.id != rule:
            return known
        if part == "decide":
            return dataclasses.replace(known, decide=raises)
        return dataclasses.replace(known, decide=lambda log: evidence, **{part: raises})

    monkeypatch.setattr(registry, "_in_file", broken)
    document, err = ended(capfd)
    assert {f["rule"] for f in document["findings"]} == FOUND - {rule}
    assert document["defects"]
    assert all(said.startswith(f"{rule}: ") for said in document["defects"])
    assert rule in document["looked_at"]["not_judged"]
    assert all(err.count(said) == 1 for said in document["defects"])
    (run,) = json.loads(Path("a.sarif").read_text())["runs"]
    assert {r["ruleId"] for r in run["results"]} == FOUND - {rule}
    notifications = run["invocations"][0]["toolExecutionNotifications"]
    assert document["defects"][0] in notifications[0]["message"]["text"]
    (case,) = (c for c in ET.parse("a.xml").getroot().iter("testcase") if c.find("error") is not None)
    assert case.get("name") == rule
    assert case.find("error").get("message") in document["defects"]


OBSERVERS = ("backward", "step", "forward", "module", "linear", "cross_entropy", "__init__", "batch", "rows")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("observer", OBSERVERS)
def test_an_observer_that_raises_leaves_the_script_as_it_is(folder, capfd, monkeypatch, observer):
    whole, called = Hooks.quietly, []

    def broken(self, name, observe, *arguments):
        called.append(name)
        return whole(self, name, raises if name == observer else observe, *arguments)

    monkeypatch.setattr(Hooks, "quietly", broken)
    document, _err = ended(capfd)
    assert document["steps"] == document["looked_at"]["backwards"] == 12
    said = [d for d in document["defects"] if d.startswith(f"{observer}: {ERROR}")]
    assert len(said) == int(observer in called)


def test_every_part_of_the_record_may_raise_at_the_end(folder, capfd, monkeypatch):
    parts = [part for part in Observer.__subclasses__() if "finish" in vars(part)]
    assert len(parts) > 3
    for part in parts:
        monkeypatch.setattr(part, "finish", raises)
    document, _err = ended(capfd)
    said = {defect.partition(": ")[0] for defect in document["defects"]}
    assert {part.__name__ for part in parts} <= said | {"Losses"}
    assert {f["rule"] for f in document["findings"]} <= FOUND


# a step after the rules -> the keys of the document that are lost with it
STEPS = {
    "rules.findings_to_report": (),
    "record.rows.tell": (),
    "record.hooks.Hooks.undo": (),
    "output.coverage.evaluation": (),
    "output.coverage.by_heart": (),
    "output.coverage.training": (),
    "output.coverage.notes": (),
    "output.report.text": (),
    "output.report.one": (),
    "output.report.idle_comments": (),
    "output.report.comments_as_json": (),
    "output.report.document": ("findings",),
    "output.known.KnownFindings.compared": ("known",),
    "output.fix.patch": ("patch",),
    "output.fix._unfit": ("patch",),
    "output.sarif.sarif": (),
    "output.junit.junit": (),
    "output.prove.proof": (),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_report_that_raises_costs_its_own_part(folder, capfd, monkeypatch, step):
    undo = Hooks.undo

    def undo_and_raise(hooks):
        undo(hooks)  # else the hooks of this examination would watch the tests after it
        raises()

    with monkeypatch.context() as patched:
        patched.setattr(f"treino_doctor.{step}", undo_and_raise if step.endswith(".undo") else raises)
        prove = ["--prove", "--seeds", "1"] if step.endswith("proof") else []
        document, err = ended(capfd, "--known", "known.json", *prove)
    assert {"findings", "known", "patch"} - document.keys() == {*STEPS[step]}
    assert {f["rule"] for f in document.get("findings", ())} in (FOUND, set())
    assert [f"{rule}  " in err for rule in FOUND] == [True, True]
    assert document["defects"]
    assert all(ERROR in defect and err.count(defect) == 1 for defect in document["defects"])


def test_a_live_finding_that_can_not_be_told_leaves_the_script_alone(folder, capfd, monkeypatch):
    monkeypatch.setattr("treino_doctor.exam.LIVE_EVERY", 0)
    monkeypatch.setattr("treino_doctor.output.report.one", raises)
    document, _err = ended(capfd, "--live")
    assert any(defect.startswith(f"live: {ERROR}") for defect in document["defects"])


def test_a_notebook_shows_the_findings_and_what_could_not_be_shown(folder, capsys, monkeypatch):
    pytest.importorskip("IPython", reason="needs ipython: pip install ipython")
    exam = run_script("train.py").exam
    monkeypatch.setattr("treino_doctor.ipython.findings_html", raises)
    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=lambda name: None))
    Doctor(shell)._show(exam, {})
    out = capsys.readouterr().out
    assert all(f"{rule}  " in out for rule in FOUND)
    assert ERROR in out
