"""``treino verify``: words, one document, exit statuses, and what it refuses; the report that tells of it."""

import json
import os
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Treino
from tests.forging import reseal
from tests.training.test_verification import change_loss, change_tensor, content_of, put
from treino import fit
from treino.api import open as open_result
from treino.folders.documents.verification import NAME
from treino.plots.report.html import html
from treino.plots.report.run import run_sections
from treino.reports.run_report import run_report_of
from treino.training.stored_results import open_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("trained") / "runs"
    fit("wine", epochs=10, every=5, name="r", parent=runs)
    return runs


@pytest.fixture
def run(treino: Treino, trained: Path) -> Path:
    """``runs/r``, a copy of the run that all tests here share."""
    return Path(shutil.copytree(trained, "runs")) / "r"


def test_words_and_a_document_that_stands_beside_a_paper(treino: Treino, run: Path) -> None:
    before = content_of(run)
    said = treino("verify", "r", "--to", "paper.json")
    assert said.status == 0
    assert said.out.startswith("r: equal: every bit")
    assert "40 of 40 losses of steps are equal" in said.out
    assert "Again: treino verify r" in said.out
    assert content_of(run) == before
    written = json.loads(Path("paper.json").read_text())
    shown = treino("verify", "--json").document
    assert shown.pop("replaced") == []
    assert (shown.pop("path"), written["verdict"]) == (None, "equal")
    assert {k: v for k, v in shown.items() if k != "now"} == {k: v for k, v in written.items() if k != "now"}
    manifest = json.loads((run / "manifest.json").read_text())
    assert written["manifest_sha256"] == manifest["sha256"]
    assert written["spec_sha256"] == manifest["files"]["spec.json"]
    assert written["then"]["engine"] == written["now"]["engine"]
    assert written["then"]["machine"] == written["now"]["machine"]
    assert written["compared"]["losses"] == {"compared": 40, "equal": 40, "largest": 0.0}
    again = treino("verify", "r", "--to", "paper.json", "--json")
    assert (again.status, again.document["error"]["rule"]) == (2, "file_exists")
    inside = treino("verify", "r", "--to", "runs/r/exports/paper.json", "--json")
    assert inside.document["error"]["rule"] == "to_run"


def test_a_difference_is_said_and_is_no_success(treino: Treino, run: Path) -> None:
    change_tensor(run / "model.safetensors", "0.weight", 3, bit=20)
    reseal(run)
    said = treino("verify", "r")
    assert said.status == 1
    assert said.out.startswith("r: different.")
    assert "It parts first at step 40: 0.weight of the kept weights is " in said.out
    assert "1 of 832 numbers differ" in said.out
    assert "changed after it was written" in said.out
    document = treino("verify", "r", "--json")
    assert (document.status, document.document["verdict"]) == (1, "different")


# ---- the report


def report(treino: Treino) -> str:
    said = treino("report", "r", "--markdown", "--to", "r.md", "--replace")
    assert said.status == 0, said.err
    return Path("r.md").read_text()


@pytest.mark.slow
def test_the_report_tells_of_a_verification_of_exactly_these_files(treino: Treino, run: Path) -> None:
    assert "erified" not in report(treino)
    before = content_of(run)
    assert treino("verify", "r", "--keep").status == 0
    assert {k: v for k, v in content_of(run).items() if k != NAME} == before
    told = report(treino)
    assert "Verified: trained again, it was equal bit by bit" in told
    assert "40 of 40 steps were trained again" in told
    assert "not signed" in told
    assert "treino verify r" in told

    kept = (run / NAME).read_text()
    treino("verify", "r", "--keep")
    change_loss(open_result("r"), 7)
    reseal(run)  # other files: what is kept speaks of others
    told = report(treino)
    assert "Verified" not in told
    assert "speaks of other files" in told
    assert treino("verify", "r", "--keep").status == 1
    told = report(treino)
    assert "Trained again, it was different" in told
    assert "It parted first at step 7: losses." in told
    assert kept != (run / NAME).read_text()


@pytest.mark.slow
def test_a_forged_document_is_not_believed(treino: Treino, run: Path) -> None:
    treino("verify", "r", "--keep")
    document = json.loads((run / NAME).read_text())
    for key, value in (
        ("verdict", "perfect"),
        ("verdict", "different"),
        ("compared", {}),
        ("compared", {"losses": {"compared": 40, "equal": 39, "largest": 0.1}}),
        ("manifest_sha256", "0" * 64),
        ("command", "treino verify r; rm -rf ~"),
        ("command", "treino runs"),
        ("now", None),
        ("steps", {"recorded": 1, "trained": 40}),
        (None, "[[" * 60),
        (None, "\x00"),
    ):
        (run / NAME).write_text(str(value) if key is None else json.dumps(put(document, value, key)))
        told = report(treino)
        assert ("erified:" in told, "Verification: " in told) == (False, True), (key, value)


def test_a_link_or_markup_in_its_place(treino: Treino, run: Path) -> None:
    treino("verify", "r", "--keep")
    document = json.loads((run / NAME).read_text())
    document["now"]["machine"]["processor"] = "<script>alert(1)</script>"
    (run / NAME).write_text(json.dumps(document))
    facts = run_report_of(open_run("r"), pictures=False)
    page = html(facts.run.name, "", run_sections(facts))
    assert "alert(1)" in page
    assert "<script>alert(1)" not in page
    shutil.move(run / NAME, "elsewhere.json")
    (run / NAME).symlink_to(Path("elsewhere.json").resolve())
    assert "Verified" not in report(treino)
    assert treino("verify", "r", "--keep").status == 2
    assert json.loads(Path("elsewhere.json").read_text()) == document


# ---- what it refuses


@pytest.mark.slow
def test_rows_that_moved_or_changed(treino: Treino) -> None:
    frame = pd.DataFrame({"a": range(60), "y": ["p", "q", "q"] * 20})
    frame.to_csv("t.csv", index=False)
    assert treino("train", "t.csv", "--target", "y", "--epochs", 3, "--name", "r").status == 0
    assert treino("verify", "r").status == 0
    shutil.move("t.csv", "moved.csv")
    said = treino("verify", "r", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "data_gone")
    assert "--data" in said.document["error"]["hint"]
    said = treino("verify", "r", "--data", "moved.csv", "--json")
    assert (said.status, said.document["command"]) == (0, "treino verify r --data moved.csv")
    frame.assign(a=1).to_csv("t.csv", index=False)
    said = treino("verify", "r", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "data_changed")


def test_folders_that_are_damaged_studies_or_not_there(treino: Treino, run: Path) -> None:
    assert treino("verify", "nowhere", "--json").document["error"]["rule"] == "run_missing"
    assert treino("verify", "r", "--engine", "lane", "--json").document["error"]["rule"] == "engine_unknown"
    content = bytearray((run / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (run / "model.safetensors").write_bytes(content)
    said = treino("verify", "r", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "run_damaged")
    assert treino("study", "wine", "--epochs", 1, "--name", "s").status == 0
    said = treino("verify", "s", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "study_is_no_run")


@pytest.mark.slow
def test_a_network_of_ones_own_runs_only_if_trusted(treino: Treino) -> None:
    Path("mine.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Linear(13, 5), nn.Tanh(), nn.Linear(5, 3))\n"
    )
    words = ("--net", "mine.py:Net", "--epochs", 4, "--every", 5, "--name", "r")
    assert treino("train", "wine", *words).status == 0
    said = treino("verify", "r", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "net_not_trusted")
    assert treino("verify", "r", "--trust").status == 0
    assert treino("verify", "r", "--net", "mine.py:Net").status == 0
    Path("mine.py").write_text(Path("mine.py").read_text().replace("Tanh", "ReLU"))
    assert treino("verify", "r", "--net", "mine.py:Net", "--json").document["error"]["rule"] == "net_answers"


def test_a_sweep_is_its_winner_or_a_network_of_it(treino: Treino) -> None:
    words = ("--space", "lr=0.01|0.1", "--epochs", 3, "--fresh", 0, "--name", "s")
    assert treino("sweep", "iris", *words).status == 0
    assert treino("verify", "s").status == 0
    said = treino("verify", "s:1", "--json")
    assert (said.status, said.document["verdict"], said.document["run"]) == (0, "equal", "s-1")
    assert said.document["command"] == "treino verify s:1"
    assert "losses" not in treino("verify", "s:1").out.partition("\n")[0]  # a sweep doesn't record them
    assert treino("verify", "s:1", "--keep", "--json").document["error"]["rule"] == "keep_of_member"
    assert treino("verify", "s:7", "--json").document["error"]["rule"] == "member_range"


def test_ctrl_c_ends_it_cleanly(treino: Treino, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real signal, in the midst of the steps."""
    told: list[str] = []

    def update(_bar: object, _task: object, *, completed: float, count: str) -> None:
        told.append(count)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("treino.cli.verify.Progress.update", update)
    before = content_of(run)
    said = treino("verify", "r", "--to", "paper.json", "--json")
    assert said.status == 130
    assert [count.split(" of ")[0] for count in told] == ["step 5"]
    assert "Traceback" not in said.err
    assert not Path("paper.json").exists()
    assert content_of(run) == before
