"""A setting is declared in one place and acts in another: every door has it then."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
DECLARATION = (
    "treino/spec.py",
    '    momentum: Float = _f(0.0, "Loss and optimizer"',
    '    lr_factor: Float = _f(1.0, "Loss and optimizer", "factor of the learning rate", gt=0, le=100)\n',
)
EFFECT = (
    "treino/engine/train_config.py",
    "        return {name: hp[name] for name in HP}",
    '        hp["lr"] = hp["lr"] * self.shared.lr_factor\n',
)
PROGRAM = """
import json
import sys
import numpy as np
import treino as tr
from treino.cli import main
from treino.inspection import baselines
from treino.reports.pictures import picture_files

baselines.TREES, picture_files.illustrate = 4, lambda _run: None

def losses(**settings):
    training = tr.train(tr.load("iris"), tr.mlp(4), steps=5, **settings)
    return [float(loss) for tick in training for loss in tick.loss_S]

x, y = np.arange(40.0)[:, None], np.arange(40) % 2
estimator = tr.Classifier(epochs=1, lr_factor=2.0).fit(x, y)
try:
    tr.fit("iris", lr_factor=0)
except tr.TreinoError as error:
    refused = error.rule
typed = "train iris --epochs 2".split()
assert main([*typed, "--lr", "0.25", "--lr-factor", "2", "--name", "a"]) == 0
assert main([*typed, "--lr", "0.5", "--name", "b"]) == 0
assert main(["train", "--help"]) == 0
json.dump({
    "scaled": losses(lr=0.25, lr_factor=2.0), "plain": losses(lr=0.5),
    "estimator": estimator.get_params()["lr_factor"], "kept": tr.open("a").document["settings"]["lr_factor"],
    "refused": refused, "by_factor": tr.open("a").document["loss"], "by_rate": tr.open("b").document["loss"],
}, sys.stderr)
"""


@pytest.mark.release
def test_a_new_setting_touches_two_files(tmp_path: Path) -> None:
    source = tmp_path / "src"
    shutil.copytree(SOURCE, source, copy_function=os.symlink, ignore=shutil.ignore_patterns("*.egg-info"))
    for name, place, line in (DECLARATION, EFFECT):
        text = (SOURCE / name).read_text()
        assert text.count(place) == 1
        (source / name).unlink()
        (source / name).write_text(text.replace(place, line + place))

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.splitlines()[-1])
    assert found["scaled"] == found["plain"]
    assert found["estimator"] == found["kept"] == 2.0
    assert found["refused"] == "lr_factor_range"
    assert found["by_factor"] == found["by_rate"]
    assert "factor of the learning rate" in done.stdout
