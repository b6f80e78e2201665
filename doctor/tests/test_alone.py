"""The doctor needs torch alone, and little of torch is wrapped."""

import importlib
import json
import subprocess
import sys
import textwrap

import pytest

from treino_doctor.record.recorder import Recorder
from treino_doctor.record.sklearn_hooks import FRAMES, KINDS, MODELS, SCORES, TABLES

UPPER = ("data", "engine", "training", "search", "studio", "store", "cli", "inspection", "plots", "records")
FOREIGN = [
    *("pandas", "sklearn", "scipy", "matplotlib", "PIL", "IPython", "rich"),
    *(f"treino.{floor}" for floor in UPPER),
]
MOST_WRAPPED = 115
SCRIPT = """
import torch
from torch import nn

x = torch.randn(60, 4)
y = (x[:, 0] > 0).long()
net = nn.Linear(4, 3)
for step in range(20):
    nn.functional.cross_entropy(net(x[:40]), y[:40]).backward()
    with torch.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
print((net(x[40:]).argmax(1) == y[40:]).float().mean().item())
"""
ALONE = f"""
import sys


for name in {FOREIGN}:
    sys.modules[name] = None  # as if it were not installed
from treino_doctor.output.coverage import coverage
from treino_doctor.output.report import text
from treino_doctor.process.run_script import run_script

outcome = run_script(sys.argv[1])
text(outcome, coverage(outcome.exam))
assert outcome.exam.defects == [], outcome.exam.defects
print([finding.rule for finding in outcome.exam.findings])
"""


@pytest.mark.slow
def test_a_script_is_examined_without_other_packages(tmp_path):
    script, alone = tmp_path / "script.py", tmp_path / "alone.py"
    script.write_text(SCRIPT)
    alone.write_text(textwrap.dedent(ALONE))
    ended = subprocess.run([sys.executable, alone, script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "['missing_zero_grad']"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "print('of the folder')") for name in ("cuda", "statistics", "shutil")),
        ("cuda", "raise RuntimeError('of the folder')"),
    ],
)
def test_torch_finds_what_lies_beside_the_script_as_in_python(tmp_path, name, text):
    """Newer torch looks for ``cuda``, which its wheels for processors lack."""
    (tmp_path / "script.py").write_text((name != "cuda") * f"import {name}\n" + SCRIPT)
    (tmp_path / f"{name}.py").write_text(text)
    commands = [[sys.executable, *words, "script.py"] for words in (["-m", "treino_doctor"], [])]
    how = {"cwd": tmp_path, "capture_output": True, "text": True, "check": False}
    ours, plain = (subprocess.run(command, **how) for command in commands)
    assert ours.returncode == (2 if plain.returncode else 0)
    assert ("of the folder" in ours.stdout + ours.stderr) == ("of the folder" in plain.stdout + plain.stderr)
    assert "Traceback" not in ours.stderr


def test_few_attributes_are_wrapped_and_all_are_put_back():
    for name in (FRAMES, MODELS, SCORES, TABLES, *KINDS):  # whichever other tests imported
        importlib.import_module(name)
    recorder = Recorder()
    recorder.install()
    wrapped = [(owner, name, old) for owner, name, old, _new in recorder.hooks._undo]
    recorder.stop()
    assert 0 < len(wrapped) <= MOST_WRAPPED
    for owner, name, old in wrapped:
        assert (vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name)) is old


WITHOUT_NUMPY = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(100, 4)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(dim=1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
"""


@pytest.mark.slow
def test_all_but_rows_is_seen_where_numpy_is_not_installed(tmp_path):
    (tmp_path / "train.py").write_text(WITHOUT_NUMPY)
    code = (
        "import runpy, sys\n"
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "absent = lambda name, *where: None if name.partition('.')[0] == 'numpy' else find(name, *where)\n"
        "PathFinder.find_spec = staticmethod(absent)\n"
        "sys.argv = ['treino-doctor', 'train.py', '--json']\n"
        "runpy.run_module('treino_doctor', run_name='__main__')\n"
    )
    line = [sys.executable, "-W", "ignore", "-c", code]
    ended = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=False)
    document = json.loads(ended.stdout)
    assert {f["rule"] for f in document["findings"]} == {"missing_zero_grad", "softmax_before_cross_entropy"}
    assert document["defects"] == []
