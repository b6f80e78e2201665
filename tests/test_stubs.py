"""What editors and type checkers know: each setting, its values and its sentence, from the table."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import stubs

import treino as tr
from treino.base.apps import installed
from treino.engine import registries
from treino.settings.spec import Settings

ROOT = Path(__file__).parent.parent
RIGHT = """
from pathlib import Path

import numpy as np
import torch
from torch import nn

import treino as tr

x, y = np.zeros((90, 4), np.float32), np.arange(90) % 2
run = tr.fit("wine", hidden=[64, 32], lr="auto", epochs=5, parent=Path("runs"), watch=True, clip=None)
known: float | None = run.at(10).branch(lr=1e-2, epochs=20, name="later").rewind(5, lr=1e-3).at(6).loss
own = tr.fit((x, y), nn.Linear(4, 2), optimizer="sgd", momentum=0.9, device=torch.device("cpu"), test=(x, y))
print(own.predict(x), tr.fit("wine", tr.mlp(16), seeds=5, until=("accuracy", 0.9)).figures)
print(tr.fit("wine", folds=5, batch_size="full", kinds={"hue": "category"}).best.predict("wine.csv"))
swept = tr.sweep("wine", {"lr": "1e-4..1e-1:log"}, members=8, metric="accuracy", net=tr.mlp(8), augment=None)
study = tr.study("wine", batch_sizes=[100, 20], optimizer=["adam", "sgd"], epochs=2)
data = tr.load("wine", validation=0.2, split_group=["hue", "ash"], header=True, image_size=(8, 8))
for tick in tr.train(data, tr.mlp(8), seeds=[1, 2], lr=[1e-3, 1e-2], betas=(0.9, 0.99)):
    print(tick.loss_S)
model = tr.Classifier([16], lr=1e-2, random_state=None, class_weights="balanced").fit(x, y)
print(model.predict(x), tr.Regressor(hidden=(8,), time_limit="1m").fit(x, y).predict_interval(x))
print(tr.rows("wine", target="class"), study.name, swept.best.name, known)
"""
WRONG = {  # a line, and what pyright's and mypy's messages name
    'tr.fit("wine", lrr=0.1)': ("lrr", "fit"),
    'tr.fit("wine", lr="fast")': ("lr", "fit"),
    'tr.fit("wine", seeds=3, epoch=5)': ("epoch", "fit"),
    'tr.fit("wine", seeds=3).loss': ("loss", "loss"),
    'tr.fit("wine").rewind(5, lrr=1e-3)': ("lrr", "lrr"),
    'tr.fit("wine").at(5).branch(epochs="five")': ("epochs", "epochs"),
    'tr.sweep("wine", "lr=1|2", metrics="accuracy")': ("metrics", "metric"),
    'tr.sweep("wine", "lr=1|2", keep="bets")': ("keep", "keep"),
    'tr.study("wine", shuffle=["eech"])': ("shuffle", "eech"),
    "tr.train(([[1.0]], [0]), momentun=0.9)": ("momentun", "momentum"),
    'tr.load("wine", valdation=0.2)': ("valdation", "validation"),
    'tr.rows("wine", lr=0.1)': ("lr", "lr"),
    'tr.Classifier(hidden="64x32")': ("hidden", "hidden"),
    "tr.Regressor(hiden=[64])": ("hiden", "hidden"),
}


@pytest.mark.skipif(not installed("rows"), reason="of rows it has the types")
def test_the_stub_is_what_the_table_of_settings_says() -> None:
    assert stubs.FILE.read_text() == stubs.stubs(), "run: make docs"


def test_a_new_name_in_a_registry_is_a_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every registry's names are in the types of its setting, and every setting has its sentence."""
    for name, registry in registries.REGISTRIES.items():
        assert all(repr(each) in stubs.KEYWORDS[name].type for each in registry), name
    text = stubs.FILE.read_text()
    assert all(f"    {name}: {keyword.about}\n" in text for name, keyword in stubs.KEYWORDS.items())


def test_python_shows_the_same_names_as_the_stub() -> None:
    """``inspect.signature``, from which IPython and help() take them."""
    for function in (tr.fit, tr.sweep, tr.study):
        assert set(Settings.model_fields) <= set(inspect.signature(function).parameters)
    assert not installed("rows") or "lr" not in inspect.signature(tr.rows).parameters
    assert "    lr: learning rate; default: 3e-3 for tables" in str(tr.fit.__doc__)


@pytest.mark.slow
def test_jedi_completes_the_settings_in_a_notebook_and_in_a_script() -> None:
    """As IPython asks it, with the objects of the session; and for a file that is not run."""
    jedi = pytest.importorskip("jedi")
    asked = 'tr.fit("wine", weig'
    session = jedi.Interpreter(asked, [{"tr": tr}]).complete()
    file = jedi.Script(f"import treino as tr\n{asked}").complete()
    assert [each.name for each in session] == [each.name for each in file] == ["weight_decay="]


def checked(folder: Path, *checker: str | Path) -> dict[str, list[str]]:
    """The messages of a type checker on both scripts of a user, by the line that they are of."""
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text("\n".join(["import treino as tr", *WRONG]) + "\n")
    done = subprocess.run([*checker, "right.py", "wrong.py"], cwd=folder, capture_output=True, text=True)
    said: dict[str, list[str]] = {line: [] for line in WRONG}
    for file, line, message in re.findall(r"(right|wrong)\.py:(\d+):(.*(?:\n    .*)*)", done.stdout):
        if " note:" not in message.split("\n")[0]:
            assert file == "wrong", message
            said[list(WRONG)[int(line) - 2]].append(message)
    return said


@pytest.mark.release
def test_mypy_finds_each_wrong_setting_of_a_script_and_no_right_one(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    said = checked(tmp_path, sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache")
    for line, (_of_pyright, named) in WRONG.items():
        assert any(named in message for message in said[line]), (line, said[line])


@pytest.mark.release
def test_pyright_finds_each_wrong_setting_of_a_script_and_no_right_one(tmp_path: Path) -> None:
    """It is what VS Code's Pylance runs."""
    program = shutil.which("pyright", path=ROOT / "node_modules/.bin") or shutil.which("pyright")
    if program is None:
        pytest.skip("needs pyright: npm ci")
    said = checked(tmp_path, program, "--pythonpath", sys.executable)
    for line, (named, _of_mypy) in WRONG.items():
        assert any(f'"{named}"' in message for message in said[line]), (line, said[line])
