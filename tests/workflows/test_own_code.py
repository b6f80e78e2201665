"""A loss, metric, optimizer and schedule of one's own, from a file or from Python, through every door."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.base import own_objects
from treino.base.own_objects import keep
from treino.engine import LOSSES, METRICS, OPTIMIZERS, SCHEDULES
from treino.training.futures import FutureEnd, futures
from treino.training.loop import JobStart

FILE = """
from functools import partial

import torch

print("the file runs", flush=True)


def focal(output, target):
    entropy = torch.nn.functional.cross_entropy(output, target, reduction="none")
    return (1 - torch.exp(-entropy)) ** 2 * entropy


def half_right(truth, prediction):
    return float((truth == prediction).mean()) / 2


rms = partial(torch.optim.RMSprop, alpha=0.9)


def fall(step, steps):
    return 1 - step / steps
"""
OWN = [
    "--loss=own.py:focal",
    "--metric=own.py:half_right",
    "--optimizer=own.py:rms",
    "--schedule=own.py:fall",
]


def alone(*words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that has none of the objects."""
    return subprocess.run(
        [sys.executable, "-m", "treino", *words], capture_output=True, text=True, check=False
    )


@pytest.fixture
def own_run(treino: Treino) -> Path:
    """A run with all four from one file, which is gone afterwards."""
    Path("own.py").write_text(FILE)
    said = treino("train", "wine", *OWN, "--epochs", 4, "--name", "first")
    assert said.status == 0, said.err
    Path("own.py").unlink()
    return Path("runs/first")


@pytest.mark.slow
def test_the_folder_keeps_the_file_and_runs_it_for_who_trusts_it(own_run: Path) -> None:
    run = tr.open("first")
    assert sorted(Path(name).name.partition("-")[0] for name in run.folder.names("own")) == [
        "fall",
        "focal",
        "half_right",
        "rms",
    ]
    strange = alone("verify", "first")
    assert strange.returncode == 2
    assert "--trust" in strange.stderr
    assert "the file runs" not in strange.stdout + strange.stderr
    trusted = alone("verify", "first", "--trust")
    assert trusted.returncode == 0, trusted.stderr
    shown = alone("predict", "first", "wine")
    assert shown.returncode == 0, shown.stderr
    assert "the file runs" not in shown.stdout + shown.stderr


@pytest.mark.slow
def test_an_interrupted_run_goes_on_bit_for_bit(treino: Treino, own_run: Path) -> None:
    text = treino("show", "first", "--as", "toml").out
    Path("again.toml").write_text(text)
    stops = (
        "from treino.training import train\n"
        "train.CHUNK_SECONDS = train.CHECKPOINT_SECONDS = 0.0\n"
        "def stop(event):\n"
        "    if getattr(getattr(event, 'tick', None), 'step', 0) >= 7: raise KeyboardInterrupt\n"
        "import treino as tr\n"
        "own = {n: f'runs/first/own/{p}:{n}' for n, p in ("
        "(p.rpartition('-')[0], p) for p in __import__('os').listdir('runs/first/own'))}\n"
        "tr.fit('wine', loss=own['focal'], metric=own['half_right'], optimizer=own['rms'],"
        " schedule=own['fall'], epochs=4, name='again', watch=stop)\n"
    )
    broken = subprocess.run([sys.executable, "-c", stops], capture_output=True, text=True, check=False)
    assert broken.returncode != 0
    assert tr.open("again").status == "interrupted", broken.stderr
    resumed = alone("resume", "again", "--trust")
    assert resumed.returncode == 0, resumed.stderr
    first, again = tr.open("first"), tr.open("again")
    assert [*first.losses] == [*again.losses]
    assert all(torch.equal(first.state[name], again.state[name]) for name in first.state)


@pytest.mark.slow
def test_rewind_branch_and_configuration_file_have_it_too(treino: Treino, own_run: Path) -> None:
    assert treino("train", "--rewind", "first:8", "--lr", 0.02, "--trust").status == 0
    assert treino("train", "--branch", "first:8", "--loss", "cross_entropy", "--trust").status == 0
    Path("again.toml").write_text(treino("show", "first", "--as", "toml").out)
    assert "own/focal-" in Path("again.toml").read_text()
    assert treino("train", "--config", "again.toml", "--name", "again").status == 0
    Path("own.py").write_text(FILE)
    branch = treino("train", "--branch", "again:4", "--loss", "own.py:focal", "--name", "other")
    assert branch.status == 0, branch.err


@pytest.mark.slow
def test_a_sweep_tries_own_and_usual_losses_side_by_side(treino: Treino) -> None:
    Path("own.py").write_text(FILE)
    said = treino(
        *("sweep", "wine", "--space", "loss=cross_entropy|own.py:focal", "--space", "lr=1e-3..1e-1:log"),
        *("--members", 6, "--epochs", 2, "--fresh", 0, "--optimizer", "own.py:rms", "--json"),
    )
    assert said.status == 0, said.err
    losses = {row["params"]["loss"].partition("@")[0] for row in said.document["leaderboard"]}
    assert losses == {"cross_entropy", "focal"}
    Path("own.py").unlink()
    assert alone("resume", "last", "--more", "2", "--trust").returncode == 0


def test_a_file_may_run_only_for_who_names_it(treino: Treino) -> None:
    Path("own.py").write_text("open('ran', 'w').close()\n")
    for word, rule in (("nowhere.py:focal", "net_file_missing"), ("own.py:", "net_form")):
        assert treino("train", "wine", "--loss", word, "--json").document["error"]["rule"] == rule
    Path("treino.toml").write_text('[train]\nloss = "own.py:focal"\n')
    assert treino("train", "wine", "--json").document["error"]["rule"] == "config_unnamed"
    assert not Path("ran").exists()


@pytest.mark.slow
def test_objects_given_in_python_are_given_again(treino: Treino) -> None:
    def smooth(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(output, target, label_smoothing=0.1)

    run = tr.fit("iris", loss=smooth, epochs=2, name="first")
    script = "import treino as tr\nr = tr.open('first')\nr.predict('iris')\nr.verify()\n"
    strange = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "own=[...]" in strange.stderr
    assert tr.open("first", own=[smooth]).verify()["verdict"] == "equal"
    assert run.loss_function.name.startswith("smooth@")


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [{"seeds": 2}, {"folds": 2}, {"members": 4}], ids=lambda more: next(iter(more))
)
def test_sweeps_and_repeats_take_objects_given_in_python(more: dict[str, int]) -> None:
    def smooth(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(output, target, label_smoothing=0.1)

    def half_right(truth: Any, prediction: Any) -> float:
        return float((truth == prediction).mean()) / 2

    given: dict[str, Any] = {
        "loss": smooth,
        "metric": half_right,
        "epochs": 2,
        "optimizer": torch.optim.NAdam,
    }
    given["schedule"] = lambda step, steps: 1 - step / steps
    if "members" in more:
        result: Any = tr.sweep("iris", {"lr": "1e-3..1e-1:log"}, fresh=0, **more, **given)
    else:
        result = tr.fit("iris", **more, **given)
    spec = json.loads((result.folder.path / "spec.json").read_text())
    assert spec["asked"]["loss"] == spec["base"]["loss"]
    assert spec["base"]["loss"].startswith("smooth@")
    assert spec["metric"].startswith("half_right@")


@pytest.mark.slow
def test_what_treino_cannot_write_or_work_out_is_said(treino: Treino) -> None:
    run = tr.fit("iris", optimizer="RMSprop", loss=torch.nn.CrossEntropyLoss(), epochs=2, name="first")
    assert "treino export first --format pt2" in treino("show", "first").out
    script = treino("export", "first", "--format", "script", "--json").document["error"]
    assert script["rule"] == "export_foreign"
    assert "RMSprop" in script["message"]
    assert treino("explain", "backprop", "first", "--json").document["error"]["rule"] == "explain_foreign"
    assert treino("export", "first", "--format", "pt2").status == 0
    assert run.settings["lr"] == 0.01


def test_the_hints_name_what_would_do() -> None:
    for name, words in {
        "loss": "function of (output, target)",
        "metric": "function of (truth, prediction)",
        "optimizer": "torch.optim",
        "schedule": "function of (step, steps)",
    }.items():
        refusal = refusal_of(tr.fit, "iris", **{name: 3})
        assert words in refusal.hint
        assert "FILE.py:NAME" in refusal.hint


@pytest.mark.release
def test_a_package_brings_entries_as_the_docs_show_it(treino: Treino, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/own.md").read_text(encoding="utf-8")
    project = page.partition("```toml\n")[2].partition("```")[0]
    module = page.partition("installs the package:\n")[2].partition("\n- ")[0]
    (tmp_path / "package").mkdir()
    (tmp_path / "package/pyproject.toml").write_text(project)
    (tmp_path / "package/treino_focal.py").write_text(textwrap.dedent(module))
    install = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", "site"]
    subprocess.run([sys.executable, "-m", *install, "./package"], check=True, cwd=tmp_path)
    env = os.environ | {"PYTHONPATH": str(tmp_path / "site")}

    def there(words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "treino", *words.split()]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    names = "--loss focal --metric half_right --optimizer slow --schedule fall --activation bent"
    said = there(f"train bowl {names} --epochs 2 --name first --json")
    assert said.returncode == 0, said.stderr
    document = json.loads(said.stdout)
    assert document["settings"]["lr"] == 0.001
    assert document["metrics"]["test"]["half_right"] == document["metrics"]["test"]["accuracy"] / 2
    assert "bowl: of the package treino-focal" in there("data").stdout
    assert "these packages bring: treino-focal 1.0" in there("show first").stdout
    for words in (
        "data bowl",
        "verify first",
        "plot first --what ranks",
        "predict first bowl",
        "export first --format pt2",
        "sweep bowl --space activation=bent|relu --members 4 --epochs 1 --fresh 0",
        "train bowl --folds 2 --epochs 1",
        "train bowl --activation bent --engine module --epochs 1",
    ):
        assert there(words).returncode == 0, words
    assert Path("runs/first/pictures/ranks.png").stat().st_size > 1000
    assert treino("train", "wine", "--loss", "focal").status == 2
    gone = treino("show", "first", "--json").document["error"]  # where the package isn't installed
    assert gone["rule"] == "entry_absent"
    assert gone["hint"].startswith("Install treino-focal 1.0.")
    assert "activation" in gone["message"]
    assert "bent" in gone["message"]


@pytest.mark.slow
def test_a_branch_takes_another_optimizer_or_other_layers(treino: Treino) -> None:
    run = tr.fit("wine", optimizer="NAdam", hidden=[6], epochs=4, name="first")
    for changes in ({"optimizer": "RMSprop"}, {"hidden": [9]}, {"hidden": [6, 4]}, {"optimizer": "sgd"}):
        branch = run.at(8).branch(epochs=6, **changes)
        assert branch.status == "finished", changes
        assert branch.verify()["verdict"] == "equal", changes
    back = (
        tr.fit("wine", optimizer="adam", hidden=[6], epochs=4).at(8).branch(optimizer="NAdam", hidden=[8, 3])
    )
    assert back.verify()["verdict"] == "equal"


@pytest.mark.slow
def test_a_number_of_the_optimizer_changes_in_every_way_on_the_record(treino: Treino) -> None:
    def groups(net: torch.nn.Module) -> torch.optim.Optimizer:
        first, *rest = net.parameters()
        return torch.optim.RMSprop([{"params": [first], "alpha": 0.8}, {"params": rest}], lr=1e-3, alpha=0.95)

    def send(event: Any) -> None:
        if isinstance(event, JobStart):
            running = tr.open("first")
            running.set("alpha", 0.5, 5)
            running.set("alpha", -3.0, 6)
            assert refusal_of(running.set, "rho", 0.5).hint == (
                "What can: lr, weight_decay, momentum, eps, clip, alpha."
            )

    run = tr.fit("wine", optimizer=groups, epochs=4, name="first", watch=send)
    assert [(change.step, change.settings) for change in run.changes] == [(5, {"alpha": 0.5})]
    (refused,) = [event for event in run.folder.database.events() if event.kind == "refused"]
    assert "Invalid alpha value: -3.0" in refused.facts["message"]
    assert [run.at(step).hp["alpha"] for step in (4, 6)] == [0.8, 0.5]  # of the first group
    branch = run.at(7).branch(alpha=0.25)
    assert branch.at(9).hp["alpha"] == 0.25
    (unchanged, told) = [
        event for event in futures(run.at(7), [{}, {"alpha": 0.25}], 4) if isinstance(event, FutureEnd)
    ]
    assert all(
        torch.equal(a, b) for a, b in zip(told.net.parameters(), branch.at(11).net.parameters(), strict=True)
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip(unchanged.net.parameters(), run.at(11).net.parameters(), strict=True)
    )
    assert run.verify()["verdict"] == "equal"
    again = run.rewind(7, alpha=0.6)
    ensemble = tr.fit("wine", optimizer="RMSprop", epochs=9, ensemble=2, alerts=["epoch > 1: alpha*0.5"])
    assert ensemble.changes[0].settings == {"alpha": 0.495}
    for each in (branch, again, ensemble, ensemble.at(9).branch(optimizer="NAdam", momentum_decay=0.1)):
        assert each.verify()["verdict"] == "equal"
    assert refusal_of(run.rewind, 7, rho=0.5).rule == "not_steerable"


def test_steps_to_a_figure_of_an_own_metric_are_counted(treino: Treino) -> None:
    def half(truth: Any, prediction: Any) -> float:
        return float((truth == prediction).mean()) / 2

    for until in ("half=0.1", {"half": 0.1}, ("half", 0.1)):
        seeds = tr.fit("wine", metric=half, epochs=2, seeds=2, until=until)
        assert seeds.document["reached"]["metric"] == keep(half)
        assert seeds.document["reached"]["never"] == 0
    study = tr.study("wine", metric=half, patience=2, epochs=2, batch_sizes=[32], until="half=0.1")
    assert study.document["rows"][0][f"epochs_to_{keep(half)}"] >= 1
    unknown = refusal_of(tr.fit, "wine", metric=half, epochs=2, seeds=2, until="haff=0.1")
    assert (unknown.rule, unknown.hint) == ("until_metric", "Did you mean 'half'?")


def fails(truth: Any, prediction: Any) -> float:
    raise ValueError("boom")


def only_few(truth: Any, prediction: Any) -> float:
    return 1.0 if len(truth) < 9 else fails(truth, prediction)


def several(truth: Any, prediction: Any) -> Any:
    return truth == prediction


def nowhere(truth: Any, prediction: Any) -> float:
    return float("nan")


def without_gradient(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(output.detach(), target)


def nan_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return output.sum() * float("nan")


def trained_alone(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """It fails where the loss is measured, in float64."""
    if output.dtype == torch.float64:
        raise ValueError("double")
    return F.cross_entropy(output, target)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("metric", fails, "own_metric_fails"),
        ("metric", only_few, "own_metric_fails"),
        ("metric", several, "own_metric_result"),
        ("metric", nowhere, "own_metric_nan"),
        ("loss", without_gradient, "own_loss_gradient"),
        ("loss", nan_loss, "own_loss_nan"),
        ("loss", trained_alone, "own_loss_fails"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_fails_is_tried_before_anything_is_written(
    name: str, value: Any, rule: str, tmp_path: Path
) -> None:
    how: dict[str, Any] = {name: value, "epochs": 2, "parent": tmp_path / "runs"}
    doors: list[Any] = [
        lambda: tr.fit("iris", **how),
        lambda: tr.fit("iris", seeds=2, **how),
        lambda: tr.fit("iris", folds=2, **how),
        lambda: tr.sweep("iris", {"lr": [0.01, 0.1]}, fresh=0, **how),
    ]
    if rule != "own_loss_fails" and name == "loss":  # a study measures no loss on validation rows
        doors.append(lambda: tr.study("iris", batch_sizes=[20, 50], **how))
    for door in doors:
        assert refusal_of(door).rule == rule
    assert not (tmp_path / "runs").exists()


ABSENT, FOREIGN, SCRIPT = "own_absent", "explain_foreign", "export_foreign"
READS = {  # verbs, and the rule by which they refuse without the code; "": they need none
    "show first": "",
    "show first second": "",
    "show sw": "",
    "show sw:1": "",
    "show st": "",
    "runs": "",
    "predict first wine": "",
    "predict sw wine": "",
    "rows first": "",
    "report first": "",
    "report sw": "",
    "plot first": "",
    "plot st": "",
    "doctor first": "",
    "export first --format safetensors": "",
    "export first --format onnx": "",
    "export first --format pt2": "",
    "export sw --format pt2": "",
    "export first --format script": SCRIPT,
    "explain backprop first": FOREIGN,
    "predict sw:1 wine": ABSENT,
    "plot sw": ABSENT,
    "plot first --what confusion": ABSENT,
    "verify first": ABSENT,
    "verify sw:1": ABSENT,
    "resume sw --more 1": ABSENT,
    "train --branch first:4 --lr 1e-3 --name branch": ABSENT,
    "train --rewind first:4 --lr 1e-3": ABSENT,
    "train --like second --name alike": ABSENT,
    "train --like sw:1 --name alike2": ABSENT,
}


@pytest.mark.release
def test_each_verb_reads_without_the_code_or_says_how_it_may_run(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``--trust`` nothing of the file runs; with it every refusal of an absent object is gone."""
    Path("own.py").write_text(FILE)
    how = [*OWN, "--epochs", 3]
    made = [treino("train", "wine", *how, "--name", name) for name in ("first", "second")]
    made += [
        treino("sweep", "wine", "--space", "lr=0.01..0.1", "--members", 3, "--fresh", 0, *how, "--name", "sw")
    ]
    of_study = [word for word in how if "metric" not in str(word)]
    made += [treino("study", "wine", "--batch-sizes", "20,50", *of_study, "--name", "st")]
    assert [each.status for each in made] == [0, 0, 0, 0], made
    Path("own.py").unlink()
    wrong = []
    for words, rule in READS.items():
        monkeypatch.setattr(own_objects, "_objects", {})
        for registry in (LOSSES, METRICS, OPTIMIZERS, SCHEDULES):
            monkeypatch.setattr(registry, "_further", {})
        said = treino(*words.split(), *(["--json"] if rule else []))
        found = said.document["error"]["rule"] if said.status and rule else said.err * bool(said.status)
        trusts = rule != ABSENT or "--trust" in said.document["error"]["hint"]
        if found != rule or not trusts or "the file runs" in said.out + said.err:
            wrong.append((words, rule, found, said.out[-300:], said.err))
        if rule == ABSENT and (again := treino(*words.split(), "--trust")).status:
            wrong.append((words, "--trust", again.err))
    assert not wrong, "\n".join(map(repr, wrong))
