"""Code of a folder runs only with the user's permission, and with --trust only the sealed copy.

The folders are forged: JSON is edited and every digest made anew, so that no digest stands in the way.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

import treino as tr
from tests.conftest import Treino
from tests.forging import forge, reseal
from tests.many_networks import study_events, sweep_events
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.base.errors import TreinoError
from treino.folders.network_source import UserFiles, network_files
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress, JobStart
from treino.training.train import train_events

LINEAR = "from torch import nn\n\n\ndef Net():\n    return nn.Linear(4, 3)\n"
DEEP = LINEAR.replace("nn.Linear(4, 3)", "nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))")


def marking(marker: Path, net: str = LINEAR) -> str:
    """The same network's file, which leaves a mark where it is run."""
    return f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n{net}"


# ---- the folders: each kind whole and broken off, with networks of the user's own and with treino's


def _broken_off(events: Iterator[Any], last: type) -> None:
    while not isinstance(next(events), last):
        pass
    events.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder ``runs`` of them all."""
    place = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr("treino.training.sweeps.study.CHECKPOINT_SECONDS", 0.0)
        Path("linear.py").write_text(LINEAR)
        Path("deep.py").write_text(DEEP)
        one, own = {"epochs": 2}, {"epochs": 2, "net": "linear.py:Net"}
        rates, nets = {"lr": [0.1, 0.01]}, {"net": ["linear.py:Net", "deep.py:Net"]}
        few: dict[str, Any] = {"members": 2, "fresh": 0}
        tr.fit("iris", name="run-plain", **one)
        tr.fit("iris", "linear.py:Net", name="run", epochs=2, every=2).rewind(3, lr=0.1)
        tr.sweep("iris", rates, name="sweep-plain", **few, **one)
        tr.sweep("iris", rates, name="sweep", **few, **own)
        tr.sweep("iris", nets, name="sweep-varied", **few, epochs=2)
        tr.study("iris", "linear.py:Net", name="study", cells=["lr=0.1"], epochs=2)
        for asked, name in ((own, "own"), (one, "plain")):
            long: dict[str, Any] = {**asked, "epochs": 3}
            files = UserFiles()
            read = read_settings({**long, "name": f"run-torn-{name}"})
            _broken_off(train_events("iris", read, networks=network_files(files, [read.net])), JobStart)
            shared: dict[str, Any] = {"settings": long, "networks": files}
            sweep = sweep_events("iris", rates, name=f"sweep-torn-{name}", **shared, **few)
            study = study_events("iris", cells=["lr=0.1"], name=f"study-torn-{name}", **shared)
            _broken_off(sweep, JobProgress)
            _broken_off(study, JobProgress)
    return place / "runs"


@pytest.fixture
def runs(made: Path, treino: Treino) -> Path:
    """A copy of them in the working directory, which ``treino`` makes an empty one."""
    shutil.copytree(made, "runs")
    return Path("runs")


# ---- where a folder can name a network


def _set(*path: Any) -> Callable[[Any, str], Any]:
    """Put the word at this place of a JSON value; ``*`` stands for all items of a list."""

    def put(value: Any, word: str, path: tuple[Any, ...] = path) -> Any:
        if not path:
            return word
        if path[0] == "*":
            return [put(item, word, path[1:]) for item in value]
        if isinstance(value, list):
            return [put(v, word, path[1:]) if n == path[0] else v for n, v in enumerate(value)]
        return {**value, path[0]: put(value.get(path[0], {}), word, path[1:])}

    return lambda value, word: put(value, word)


def _both(one: Callable[[Any, str], Any], other: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    return lambda value, word: other(one(value, word), word)


NET = _set("asked", "net")
AS_FILE, AS_MLP = (lambda v, _w: v | {"net": "file"}), (lambda v, _w: v | {"net": "mlp"})
OLD_SEGMENT = _set("segments", 0, "asked", "net")
SPACE = lambda v, w: v | {"space": {"net": {"values": [w]}}}  # noqa: E731

FIELDS: dict[str, tuple[str, str, Callable[[Any, str], Any]]] = {
    "run asked": ("run", "spec.json", NET),
    "run asked by an old segment": ("run", "spec.json", OLD_SEGMENT),
    "run result": ("run", "result.json", _set("settings", "net")),
    "run of an mlp": ("run-plain", "spec.json", NET),
    "torn run": ("run-torn-own", "spec.json", NET),
    "torn run of an mlp, said to be a file": ("run-torn-plain", "spec.json", _both(NET, AS_FILE)),
    "sweep base": ("sweep", "spec.json", _set("base", "net")),
    "sweep asked": ("sweep", "spec.json", NET),
    "sweep best": ("sweep/best", "spec.json", NET),
    "sweep result": ("sweep", "result.json", _set("best", "params", "net")),
    "sweep member": ("sweep-plain", "asked.json", _set("configs", 0, "net")),
    "sweep base of mlps": ("sweep-plain", "spec.json", _set("base", "net")),
    "varied sweep space": ("sweep-varied", "spec.json", SPACE),
    "varied sweep member": ("sweep-varied", "asked.json", _set("configs", 1, "net")),
    "torn sweep base": ("sweep-torn-own", "spec.json", _set("base", "net")),
    "torn sweep member": ("sweep-torn-plain", "asked.json", _set("configs", 0, "net")),
    "torn sweep space": ("sweep-torn-plain", "spec.json", SPACE),
    "study base": ("study", "spec.json", _set("study", "base", "net")),
    "torn study base": ("study-torn-own", "spec.json", _set("study", "base", "net")),
    "torn study row": ("study-torn-own", "spec.json", _set("study", "cells", 0, "own", "net")),
    "torn study asked": ("study-torn-plain", "spec.json", NET),
}

VERBS: tuple[tuple[str, ...], ...] = (
    ("show", "{run}"),
    ("show", "{run}", "run-plain"),
    ("runs",),
    ("doctor", "{run}"),
    ("predict", "{run}", "iris", "{trust}"),
    ("predict", "{run}", "iris", "--top", "2", "{trust}"),
    ("report", "{run}", "--markdown", "--to", "r.md", "{trust}"),
    ("plot", "{run}", "--what", "boundary", "--to", "pictures", "{trust}"),
    ("plot", "{run}", "--what", "boundaries", "--to", "pictures", "{trust}"),
    ("plot", "{run}", "--untrained", "2", "--to", "pictures", "{trust}"),
    ("plot", "{run}", "--film", "--every", "9", "--to", "pictures", "{trust}"),
    ("explain", "adam", "{run}", "{trust}"),
    ("export", "{run}", "{trust}"),
    ("export", "{run}", "--format", "safetensors", "{trust}"),
    ("train", "--like", "{run}", "{trust}"),
    ("train", "--like", "{run}", "--seeds", "2", "{trust}"),
    ("train", "--like", "{run}", "--lr", "auto", "{trust}"),
    ("train", "iris", "--weights", "{run}"),
    ("train", "--branch", "{run}:2", "--lr", "0.1", "{trust}"),
    ("train", "--rewind", "{run}:2", "--lr", "0.1", "{trust}"),
    ("resume", "{run}", "{trust}"),
)


def _commands(folder: str, trust: str) -> Iterator[list[str]]:
    """Every verb with every name under which the folder's networks are reached.

    A sweep's own name stands for its best network, which is a run: trainings from there are those of a run.
    """
    name = "runs/" + folder
    members = folder.startswith("sweep") and "/" not in folder
    for verb in VERBS:
        if not members or (verb[0] != "train" and "--film" not in verb):
            yield [word.format(run=name, trust=trust) for word in verb]
        if members:
            yield [word.format(run=f"{name}:0", trust=trust) for word in verb]


CALLS: dict[type, tuple[Callable[[Any], Any], ...]] = {
    tr.Run: (
        lambda run: run.module,
        lambda run: run.predict("iris"),
        lambda run: run.at(1),
        lambda run: run.at(1).branch(lr=0.1),
        lambda run: run.rewind(1, lr=0.1),
        lambda run: run.resume(),
        lambda run: run.document,
        lambda run: run._repr_html_(),
    ),
    tr.Sweep: (
        lambda sweep: sweep.best.module,
        lambda sweep: sweep.member(0).module,
        lambda sweep: sweep.predict("iris"),
        lambda sweep: sweep.predict("iris", top=2),
        lambda sweep: sweep._repr_html_(),
    ),
    tr.Study: (
        lambda study: study.resume(),
        lambda study: study.document,
        lambda study: study._repr_html_(),
    ),
}


def _python(name: str, trust: bool) -> Iterator[Callable[[], Any]]:
    """Every way to the folder's networks in Python."""
    kind = type(tr.open(name))
    for call in CALLS[kind]:
        yield lambda call=call: call(tr.open(name, trust=trust))


@pytest.mark.slow
@pytest.mark.sampled(18)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("trust", [False, True])
def test_a_forged_folder_runs_nothing_but_its_sealed_copies_and_these_if_trusted(
    field: str, trust: bool, runs: Path, treino: Treino, tmp_path: Path
) -> None:
    folder, file, edit = FIELDS[field]
    marker, evil = tmp_path / "marker", runs / folder / "evil.py"
    evil.write_text(marking(marker))
    if not trust:  # not even the copies may run
        for copy in (*runs.rglob("net.py"), *runs.rglob("nets/*.py")):
            copy.write_text(marking(marker))
        for manifest in runs.rglob("manifest.json"):
            reseal(manifest.parent)
    forge(runs / folder, file, lambda value: edit(value, f"{evil.resolve()}:Net"))
    for words in _commands(folder, "--trust" if trust else "--json"):
        assert treino(*words).status in (0, 1, 2), words
        assert not marker.exists(), words
    for made in _python(f"runs/{folder}", trust=trust):
        with suppress(TreinoError):  # anything else is a defect
            made()
        assert not marker.exists(), made


# ---- the copies of sweeps and studies


def _of_two_files(kind: str, name: str) -> Iterator[Any]:
    """The events of a sweep or study of two networks' files."""
    for file, text in (("a/net.py", LINEAR), ("b/net.py", DEEP)):
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(text)
    a, b = (f"{Path(file).resolve()}:Net" for file in ("a/net.py", "b/net.py"))
    own: dict[str, Any] = {"networks": UserFiles(), "name": name}
    if kind == "study":
        return study_events("iris", cells=["lr=0.1", {"net": b}], settings={"epochs": 3, "net": a}, **own)
    space = {"net": [a, b], "lr": [0.1, 0.01]}
    return sweep_events("iris", space, settings={"epochs": 3}, members=4, fresh=0, sampler="grid", **own)


@pytest.mark.parametrize("kind", ["sweep", "study"])
def test_a_sweep_or_study_keeps_a_copy_of_each_file(kind: str, treino: Treino) -> None:
    whole = list(_of_two_files(kind, "whole"))[-1].document
    _broken_off(_of_two_files(kind, "torn"), JobProgress)
    for file in ("a/net.py", "b/net.py"):
        Path(file).write_text("raise SystemExit('another version')")
    path = Path("runs/torn")
    assert {p.name: p.read_text() for p in (path / "nets").iterdir()} == {"net.py": LINEAR, "net-2.py": DEEP}
    for document in path.glob("*.json"):  # it can be moved and mailed, and names nothing of this machine
        assert str(Path.cwd()) not in document.read_text(), document
    said = treino("resume", path, "--json").document["error"]
    assert (said["rule"], "--trust" in said["hint"]) == ("net_not_trusted", True)
    said = treino("resume", path, "--net", "a/net.py:Net", "--json").document["error"]
    assert (said["rule"], "--trust" in said["hint"]) == ("net_of_several", True)
    shutil.move(path, "runs/moved")
    d = treino("resume", "moved", "--trust", "--json").document
    assert d["status"] == "finished"
    if kind == "study":
        assert [row["loss"] for row in d["rows"]] == [row["loss"] for row in whole["rows"]]
        assert [row["parameters"] for row in d["rows"]] == [15, 43]
        return
    assert d["judge"]["certificate"]["same_bits"]
    assert d["leaderboard"] == whole["leaderboard"]
    assert {entry["parameters"] for entry in d["leaderboard"]} == {15, 43}


@pytest.mark.slow
def test_each_network_of_a_sweep_by_its_copy(runs: Path, treino: Treino) -> None:
    shutil.copytree(runs / "sweep-varied/nets", "files")
    for member, net in enumerate(entry["net"] for entry in _configs(runs / "sweep-varied")):
        name, file = f"sweep-varied:{member}", net.replace("nets/", "files/")
        shown = treino("show", name, "--json").document  # which runs nothing
        assert shown["params"]["net"] == shown["settings"]["net"] == net
        assert treino("show", name, f"sweep-varied:{1 - member}", "--json").document["differences"]
        assert treino("predict", name, "iris", "--json").document["error"]["rule"] == "net_not_trusted"
        trusted = treino("predict", name, "iris", "--trust", "--json").document
        assert trusted == treino("predict", name, "iris", "--net", file, "--json").document
        script = Path(treino("export", name, "--trust", "--json").document["path"])
        module = script.with_name(f"{script.stem.replace('-', '_')}_net.py")
        assert module.read_text() == Path(file.rpartition(":")[0]).read_text()
        assert treino("train", "--like", name, "--trust", "--name", f"like-{member}").status == 0
        mine, kept = tr.open(f"like-{member}").tensors, tr.open(name).tensors
        assert all(torch.equal(mine[n], kept[n]) for n in kept)
    sweep = tr.open("sweep-varied", trust=True)
    best, x_ND = sweep.member(sweep.document["best"]["member"]), torch.ones(2, 4)
    assert torch.equal(sweep.best.module(x_ND), best.module(x_ND))
    assert treino("plot", "sweep-varied", "--what", "boundaries", "--trust").status == 0


def _configs(path: Path) -> list[dict[str, Any]]:
    configs: list[dict[str, Any]] = json.loads((path / "asked.json").read_text())["configs"]
    return configs
