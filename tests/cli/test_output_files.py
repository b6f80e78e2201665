"""What ``--to`` and ``--fix`` may write: new files, and what is there where ``--replace`` says so; never a
source, a script, a table of another kind, a link, or anything in the folder of a run."""

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

import treino as tr
from tests.conftest import Said, Treino
from treino.base.apps import installed
from treino.reports import report
from treino.reports.run_report import run_report_of

ROWS = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{'uv'[i % 2]}\n" for i in range(60))
SCRIPT = """import os, pathlib, torch
pathlib.Path("ran").touch()
os.makedirs("elsewhere", exist_ok=True)
os.chdir("elsewhere")
net = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(64, 3), torch.randint(0, 2, (64,))
for _step in range(12):
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
"""

# verb -> its words, the flag, an ending that fits, and what it works with: that must not be reached
VERBS: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "predict": (("predict", "m", "rows.csv"), "--to", ".csv", "treino.folders.prediction.predict"),
    "report": (("report", "m"), "--to", ".html", "treino.reports.report._told"),
    "data": (("data", "rows.csv"), "--to", ".html", "treino.data.describe"),
    "doctor": (("doctor", "train.py"), "--fix", ".patch", "treino_doctor.process.run_script.run_script"),
}
if installed("explain"):
    VERBS["explain"] = ("explain", "adam", "m"), "--to", ".htm", "treino_microscope.from_python.explain"


def unreachable(*_a: object, **_k: object) -> None:
    raise AssertionError("it was worked for a place that is refused")


def tree(folder: Path) -> dict[str, Any]:
    """Every name with what it is and holds."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        held: Any = os.readlink(path) if stat.S_ISLNK(mode) else None
        found[str(path.relative_to(folder))] = mode, path.read_bytes() if stat.S_ISREG(mode) else held
    return found


@pytest.fixture
def command(treino: Treino, tmp_path: Path) -> Treino:
    """``treino`` in its folder, wherever a script went before."""

    def call(*argv: object) -> Said:
        os.chdir(tmp_path)
        return treino(*argv)

    return call


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ``rows.csv`` that nobody changes."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "rows.csv").write_text(ROWS)
    tr.fit(folder / "rows.csv", target="y", recipe="plain", steps=3, parent=folder / "runs", name="m")
    return folder


@pytest.fixture
def house(trained: Path, tmp_path: Path) -> Path:
    """A run, its table, and what people keep beside them."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "notes.ipynb").write_text("{}")
    (tmp_path / "net").write_text("#!/usr/bin/env python3\n")
    (tmp_path / "trees.parquet").write_bytes(b"PAR1")
    (tmp_path / "trees.tsv").write_text("a\tb\n1\t2\n")
    (tmp_path / "into").symlink_to("runs/m")
    (tmp_path / "runs/half").mkdir()
    (tmp_path / "runs/half/run.sqlite").touch()  # killed in its first moments
    return tmp_path


def refused_places(house: Path, ending: str) -> dict[str, str]:
    """Each place that this ending fits, or doesn't, where nothing may be written whatever is said -> why."""
    for source in ("rows.csv", "train.py"):
        (house / f"hard-{source}{ending}").hardlink_to(house / source)
        (house / f"soft-{source}{ending}").symlink_to(source)
    (house / f"dangling{ending}").symlink_to("nowhere")
    (house / f"folder{ending}").mkdir()
    os.mkfifo(house / f"pipe{ending}")
    foreign = "train.py ./train.py runs/../train.py notes.ipynb net trees.parquet trees.tsv new.txt new"
    of_runs = "m/spec.json m/model.safetensors m/manifest.json m/new{0} m/exports/new{0} half/new{0}"
    places = dict.fromkeys([*foreign.split(), str(house / "train.py"), f"new{ending}.gz"], "to_ending")
    places |= {f"runs/{name}": "to_run" for name in of_runs.format(ending).split()}
    places[f"into/new{ending}"] = "to_run"
    places |= dict.fromkeys(
        (f"soft-rows.csv{ending}", f"soft-train.py{ending}", f"dangling{ending}", "/dev/stdout"), "to_link"
    )
    places |= {f"pipe{ending}": "to_special", f"folder{ending}": "to_place", ".": "to_place"}
    return places | {"": "to_place", f"rows.csv/new{ending}": "not_a_folder"}


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_that_somebody_needs_is_written_over(
    verb: str, house: Path, command: Treino, monkeypatch: pytest.MonkeyPatch, thorough: bool
) -> None:
    """Though ``--replace`` is said; in a thorough run without it, too."""
    words, flag, ending, work = VERBS[verb]
    places = refused_places(house, ending)
    source = "train.py" if verb == "doctor" else "rows.csv"
    places[f"hard-{source}{ending}"] = "to_source"
    if verb in ("predict", "doctor"):
        places |= dict.fromkeys(
            (source, f"./{source}", f"runs/../{source}", str(house / source)), "to_source"
        )
    (house / f"mine{ending}").write_text("mine")
    before = tree(house)
    monkeypatch.setattr(work, unreachable)
    own = {f"mine{ending}": "file_exists"}
    for word, tried in (((), places | own if thorough else own), (("--replace",), places)):
        for place, rule in tried.items():
            said = command(*words, flag, place, *word, "--json")
            assert (said.status, said.document["error"]["rule"]) == (2, rule), (place, word, said.err)
            named = "rows.csv" if rule == "not_a_folder" else place.removeprefix("./")
            assert named in said.document["error"]["message"]
            assert said.document["error"]["hint"]
    assert tree(house) == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_is_replaced_where_the_word_is_given_and_that_is_said(
    verb: str, house: Path, command: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report's pictures, which are the most of its work, are left out."""
    monkeypatch.setattr(report, "run_report_of", lambda run, **_: run_report_of(run, pictures=False))
    words, flag, ending, _work = VERBS[verb]
    new = f"new{ending}"
    said = command(*words, flag, new, "--json")
    assert (said.status, said.document["path"], said.document["replaced"]) == (0, new, [])
    content = (house / new).read_bytes()
    assert not list(house.glob(".*.tmp"))
    again = command(*words, flag, new)
    assert (again.status, "--replace" in again.err) == (2, True)
    (house / new).write_text("mine")
    said = command(*words, flag, new, "--replace")
    assert (said.status, f"{new} existed already and is replaced." in said.out + said.err) == (0, True)
    if verb != "doctor":  # whose script draws random numbers
        assert (house / new).read_bytes() == content
    assert command(*words, flag, new, "--replace", "--json").document["replaced"] == [new]
    assert command(*words, flag, os.devnull).status == 0
    assert stat.S_ISCHR(os.lstat(os.devnull).st_mode)
    alone = command(*words, "--replace", "--json")
    assert (alone.status, alone.document["error"]["rule"]) == (2, "replace_what")


def test_a_patch_goes_where_it_was_said_before_the_script_ran(house: Path, command: Treino) -> None:
    """The script changes the working directory, and another one writes a file of that name meanwhile."""
    assert command("doctor", "train.py", "--fix", "mend.patch").status == 0
    assert "zero_grad" in (house / "mend.patch").read_text()
    (house / "greedy.py").write_text(SCRIPT + 'pathlib.Path("../other.patch").write_text("mine")\n')
    said = command("doctor", "greedy.py", "--fix", "other.patch", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "file_exists")
    assert (house / "other.patch").read_text() == "mine"


def test_rows_of_a_pattern_and_rows_that_were_trained_on_are_kept(house: Path, command: Treino) -> None:
    (house / "part-1.csv").write_text(ROWS)
    (house / "part-2.csv").write_text(ROWS)
    (house / "other.csv").write_text(ROWS)
    before = tree(house)
    for source, to in (("part-*.csv", "part-2.csv"), ("other.csv", "rows.csv")):
        said = command("predict", "m", source, "--to", to, "--replace", "--json")
        assert (said.status, said.document["error"]["rule"]) == (2, "to_source"), to
    assert tree(house) == before


@pytest.mark.slow
def test_pictures_replace_nothing_unsaid(
    house: Path, command: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    (house / "mine").mkdir()
    (house / "mine/curves.png").write_text("mine")
    (house / "film").mkdir()
    (house / "film/film").mkdir()
    (house / "film/film/frame-holiday.png").write_text("mine")
    (house / "link").mkdir()
    (house / "link/confusion.png").symlink_to("../rows.csv")
    (house / "led").mkdir()
    (house / "led/film").symlink_to("../mine")
    (house / "deep").mkdir()
    (house / "deep/curves.png").mkdir()
    before = tree(house)
    places = {
        ("curves", "rows.csv"): "not_a_folder",
        ("curves", "runs/m"): "to_run",
        ("curves", "runs/m/pictures"): "to_run",
        ("curves", "into"): "to_run",
        ("confusion,curves", "link"): "to_link",
        ("curves", "deep"): "to_place",
        ("film", "led"): "not_a_folder",
    }
    needing = {("confusion,curves", "mine"): "file_exists", ("film", "film"): "file_exists"}
    monkeypatch.setattr("treino.reports.report.draw", unreachable)
    for word in ((), ("--replace",)):
        for (what, to), rule in (places | ({} if word else needing)).items():
            said = command("plot", "m", "--what", what, "--to", to, *word, "--json")
            assert (said.status, said.document["error"]["rule"]) == (2, rule), (to, said.err)
    assert tree(house) == before
    monkeypatch.undo()
    said = command("plot", "m", "--what", "curves,confusion,curves", "--to", "mine", "--replace", "--json")
    assert (said.status, said.document["replaced"]) == (0, ["mine/curves.png"]), said.err
    assert (house / "mine/curves.png").read_bytes()[:4] == b"\x89PNG"


def test_optunas_trials_stay_out_of_a_run(house: Path, command: Treino) -> None:
    before = tree(house)
    for address in ("sqlite:///runs/m/run.sqlite", "sqlite+pysqlite:///file:into/new.db?uri=true"):
        said = command(
            "sweep", "wine", "--space", "lr=1e-3..1e-1", "--sampler", "tpe", "--storage", address, "--json"
        )
        assert (said.status, said.document["error"]["rule"]) == (2, "to_run")
    assert tree(house) == before
