"""In people's frameworks right scripts are silent, and common faults are told on their lines."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

import treino_doctor
from forked import plain, watched
from frameworks.environment import has, interpreter
from frameworks.with_faults import NEAR, SCRIPTS, faults, right, table
from zygote import examined

PYTHON = interpreter()
NEEDS = {  # packages, and what is imported once for all their scripts
    "accelerate_loop": ("accelerate",),
    "lightning_trainer": ("lightning",),
    "torchvision_reference": ("torchvision",),
    "transformers_trainer": ("transformers", "transformers.trainer", "transformers.models.bert"),
}
LEAST = (2, 3)  # torch: GradScaler("cpu")
SOURCE = str(Path(treino_doctor.__file__).parents[1])
PAGE = Path(__file__).parents[2] / "docs" / "doctor-frameworks.md"
QUICK = "accumulated", "mixed_precision", "compiled_net"
CASES = [
    pytest.param(
        script,
        fault,
        id=f"{script.stem}-{fault.case}",
        marks=pytest.mark.release if number % 4 or script.stem not in QUICK else pytest.mark.slow,
    )
    for script in SCRIPTS
    for number, fault in enumerate(faults(script))
]
TIMES = re.compile(r"'\w+_(runtime|per_second)': '[^']*'")  # in the figures that transformers prints
TORCHRUN = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv-backend", "c10d")
TORCHRUN += ("--rdzv-endpoint", "127.0.0.1:0")


@cache
def torch_version() -> tuple[int, ...]:
    code = "import torch; print(torch.__version__)"
    said = subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in said.split(".")[:2])


def need(script: Path) -> tuple[str, ...]:
    """What to import for a script; the test is skipped where it isn't there."""
    modules = NEEDS.get(script.stem, ())
    if torch_version() < LEAST:
        pytest.skip(f"needs torch>={LEAST[0]}.{LEAST[1]}")
    if modules and not has(modules[0]):
        pytest.skip(f"needs {modules[0]}: `make frameworks` installs people's frameworks")
    return modules


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((SOURCE, os.environ.get("PYTHONPATH", "")))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [PYTHON, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.release
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_a_right_script_is_silent_and_its_output_is_its_own(script, tmp_path):
    need(script)
    (tmp_path / "train.py").write_text(right(script))
    alone = run("train.py", cwd=tmp_path)
    found = run("-m", "treino_doctor", "train.py", cwd=tmp_path)
    assert found.returncode == alone.returncode == 0
    assert TIMES.sub("", found.stdout) == TIMES.sub("", alone.stdout)
    assert "nothing found" in found.stderr
    assert "defect" not in found.stderr


@pytest.mark.parametrize(("script", "fault"), CASES)
def test_a_fault_is_told_on_its_line_and_nothing_else(script, fault, tmp_path):
    path = tmp_path / "train.py"
    path.write_text(fault.text)
    seen = examined(path, python=PYTHON, modules=need(script))
    assert seen["defects"] == []
    assert {rule for rule, *_ in seen["findings"]} <= {fault.rule}
    told = any(line and abs(line - fault.line) <= NEAR for _, line, _ in seen["findings"])
    assert told == (fault.seen and fault.rule != "right"), seen["findings"]


@pytest.mark.release
@pytest.mark.parametrize(
    "command",
    [
        ("-m", "treino_doctor", "-m", "torch.distributed.run", "--", *TORCHRUN[2:], "train.py"),
        (*TORCHRUN, "-m", "treino_doctor", "train.py"),
        (*TORCHRUN, "--no-python", PYTHON, "-m", "treino_doctor", "train.py"),
    ],
    ids=["doctor_of_torchrun", "doctor_as_module", "doctor_as_program"],
)
def test_the_ranks_of_torchrun_are_told_of_once(command, tmp_path):
    script = next(s for s in SCRIPTS if s.stem == "ddp_processes")
    need(script)
    fault = next(f for f in faults(script) if f.rule == "missing_zero_grad")
    (tmp_path / "train.py").write_text(fault.text)
    found, alone = run(*command, cwd=tmp_path), run(*TORCHRUN, "train.py", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, alone.stdout)
    assert found.stderr.count("missing_zero_grad  (wrong, certain)  train.py:") == 1
    assert "never trained" not in found.stderr


WORKERS = """\
import torch
import torch.multiprocessing as mp
from torch.utils.data import DataLoader, TensorDataset


def work(rank, answers):
    torch.manual_seed(rank)
    x = torch.randn(64, 4)
    net = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for epoch in range(2):
        for rows, in DataLoader(TensorDataset(x), batch_size=16, num_workers=1):
            loss = (net(rows) - rows[:, :1]).pow(2).mean()
            loss.backward()
            optimizer.step()
    answers.put((rank, loss.item()))


if __name__ == "__main__":
    mp.set_start_method("{method}")
    answers = mp.Queue()
    some = [mp.Process(target=work, args=(rank, answers)) for rank in range(2)]
    for one in some:
        one.start()
    print(sorted(answers.get() for _ in some))
    for one in some:
        one.join()
    print([one.exitcode for one in some])
"""


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("fork", marks=pytest.mark.slow),
        pytest.param("spawn", marks=pytest.mark.release),
        pytest.param("forkserver", marks=pytest.mark.release),
    ],
)
def test_one_of_several_processes_that_do_the_same_is_examined(method, tmp_path):
    path = tmp_path / "train.py"
    path.write_text(WORKERS.format(method=method))
    found = watched(path)
    assert (found.status, found.out) == (0, plain(path).out)
    assert found.report.count("missing_zero_grad  (wrong, certain)  train.py:14") == 1
    assert "8 steps" in found.report  # of one process


@pytest.mark.slow
def test_a_process_that_is_not_followed_is_said(tmp_path):
    (tmp_path / "train.py").write_text("import torch; torch.ones(1, requires_grad=True).sum().backward()")
    path = tmp_path / "launch.py"
    path.write_text("import subprocess, sys; subprocess.run([sys.executable, 'train.py'], check=True)")
    found = watched(path)
    assert found.status == 0
    assert "The script started other processes (1)" in found.report


def test_the_page_has_the_table_of_faults():
    assert table() in PAGE.read_text()
