"""Bad input on the command line: one message with a hint, exit 2, a JSON error, no traceback, no files."""

import re
from pathlib import Path
from typing import get_args

import pytest

import treino as tr
from tests.conftest import Said, Treino
from treino.base.errors import TreinoError
from treino.cli.app import make_app
from treino.settings.setting_types import LARGEST_DECAY, LARGEST_LR

SETTINGS = [
    # flag, value, rule, a word of the message, a word of the hint
    ("--lr", "1-3", "lr_type", "1-3", "1e-3"),
    ("--betas", "-.5,0.9", "betas_range", "at least 0", "0.9,0.999"),
    ("--features", "-alcool,hue", "feature", "'-alcool'", "alcohol"),
    ("--nesterov", "aaa", "usage", "--nesterov takes no value, and 'aaa' follows", "--no-nesterov"),
    ("--lrr", "1", "usage", "--lrr", "--lr"),
]


def check(said: Said, rule: str, message: str, hint: str) -> None:
    """One error, in words on stderr and as the one document on stdout."""
    assert said.status == 2, said
    error = said.document["error"]
    assert set(error) == {"rule", "message", "hint"}
    assert rule in error["rule"]
    assert message in error["message"]
    assert hint in error["hint"]
    assert "Traceback" not in said.err + said.out
    assert error["message"].split()[0] in said.err


def nothing_written(folder: Path) -> None:
    assert not list(folder.glob("runs/*"))


@pytest.mark.parametrize(("flag", "value", "rule", "message", "hint"), SETTINGS)
def test_a_bad_setting(
    treino: Treino, tmp_path: Path, flag: str, value: str, rule: str, message: str, hint: str
) -> None:
    check(treino("train", "wine", flag, value, "--json"), rule, message, hint)
    nothing_written(tmp_path)


@pytest.mark.parametrize("name", ["lr", "weight_decay"])
def test_a_setting_ends_at_one_number_at_every_door(treino: Treino, name: str) -> None:
    """The command line, the run's folder and the engine."""
    largest, flag = {"lr": LARGEST_LR, "weight_decay": LARGEST_DECAY}[name], "--" + name.replace("_", "-")
    assert treino("train", "iris", "--steps", 1, "--optimizer", "sgd", flag, largest).status == 0
    assert tr.open("last").settings[name] == largest
    check(treino("train", "iris", flag, 2 * largest, "--json"), f"{name}_range", str(2 * largest), "")
    with pytest.raises(TreinoError, match=re.escape(str(largest))) as caught:
        tr.train(tr.load("iris"), tr.mlp(4, 3), optimizer="sgd", **{name: 2 * largest})
    assert caught.value.rule == f"{name}_range"


@pytest.mark.parametrize("verb", ["train", "predict", "show"])
def test_usage_errors(treino: Treino, verb: str) -> None:
    said = treino(verb, "--no-such-flag", "--json")
    assert said.status == 2
    assert said.document["error"]["rule"] == "usage"
    assert "--no-such-flag" in said.document["error"]["message"]


@pytest.mark.parametrize("verb", ["train", "predict", "plot", "explain"])
def test_a_whole_number_is_not_rounded(treino: Treino, verb: str) -> None:
    """But for the settings, which the table reads."""
    arguments = make_app([verb])[verb].assemble_argument_collection()
    flags = [a.name for a in arguments if int in (a.hint, *get_args(a.hint))]
    assert flags
    places = ("wine", "wine") if verb == "predict" else ("wine",)
    for flag in flags:
        check(treino(verb, *places, flag, "2.5", "--json"), "usage", "a whole number", "--help")


@pytest.mark.parametrize(
    "flags", [("--fix", "mend.patch"), ("--prove",), ("--seeds", 3), ("--live",), ("--", "--epochs", "3")]
)
def test_the_doctor_refuses_what_it_can_do_with_a_script_only(
    treino: Treino, tmp_path: Path, flags: tuple[object, ...]
) -> None:
    treino("train", "wine", "--epochs", 1, "--hidden", 2, "--name", "run")
    asked = " ".join(map(str, flags[1:] if flags[0] == "--" else flags[:1]))
    check(treino("doctor", "run", "--json", *flags), "doctor_of_script", f"{asked} is for scripts", "run")
    if flags[0] != "--":
        check(treino("doctor", "--json", *flags), "doctor_of_script", f"{asked} is for scripts", "SCRIPT.py")
    assert not (tmp_path / "mend.patch").exists()


def test_a_misspelt_verb_and_too_many_words(treino: Treino) -> None:
    check(treino("tran", "wine", "--json"), "usage", "tran", "train")
    check(treino("train", "wine", "iris", "--json"), "usage", "iris", "train")


def test_json_is_recognised_before_anything_else_but_not_after_the_dashes(
    treino: Treino,
) -> None:
    assert treino("--json", "tran").document["error"]["rule"] == "usage"
    said = treino("tran", "--", "--json")
    assert said.status == 2
    assert said.out == ""


def test_no_such_device(treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    check(treino("train", "wine", "--device", "cuda", "--json"), "device_missing", "cuda", "cpu")
    nothing_written(tmp_path)


NETS = {
    "fails": ("raise RuntimeError('not today')", "net_import", "not today"),
    "bare": (
        "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x): return x[:, :3]",
        "parameters",
        "parameters",
    ),
    "sizes": (
        "from torch.nn import *\ndef Net(): return Sequential(Linear(13, 8), ReLU(), Linear(9, 3))",
        "size",
        "8",
    ),
    "exits": ("import sys\nsys.exit(0)", "net_import", "SystemExit"),
}


@pytest.mark.parametrize("case", NETS)
def test_a_net_file_that_can_not_be_used(treino: Treino, tmp_path: Path, case: str) -> None:
    text, rule, word = NETS[case]
    (tmp_path / "net.py").write_text(text)
    said = treino("train", "wine", "--net", "net.py:Net", "--json")
    assert said.status == 2, said
    error = said.document["error"]
    assert rule in error["rule"]
    assert word in error["message"] + error["hint"]
    assert "Traceback" not in said.err
    nothing_written(tmp_path)


@pytest.mark.parametrize("verb", ["show", "resume", "predict"])
def test_no_such_run(treino: Treino, verb: str) -> None:
    more = ("wine",) if verb == "predict" else ()
    assert treino(verb, "wine-1", *more, "--json").status == 2
    assert treino("train", "wine", "--steps", 2).status == 0
    said = treino(verb, "wine-2", *more, "--json")
    assert said.status == 2
    assert "wine-1" in said.document["error"]["hint"]


def test_places_where_a_run_can_not_go(treino: Treino, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    Path("loop").symlink_to("loop")  # a link to itself
    assert "loop is a link to nothing" in treino("train", "wine", "--out", "loop").err
    said = treino("train", "wine", "--out", "full", "--json")
    assert said.status == 2
    assert "full" in said.document["error"]["message"]
    assert (tmp_path / "full/file").read_text() == "mine"
    assert treino("train", "wine", "--steps", 2, "--name", "a").status == 0
    said = treino("train", "wine", "--steps", 2, "--name", "a", "--json")
    assert said.status == 2
    assert "a" in said.document["error"]["message"]


def test_what_can_not_be_done_with_a_run_that_is_finished(treino: Treino) -> None:
    assert treino("train", "wine", "--steps", 2).status == 0
    for to in ("no/such/folder.csv", "."):
        check(treino("predict", "last", "wine", "--to", to, "--json"), "to_place", "", "")
    check(treino("plot", "last", "--what", "boundry", "--json"), "picture_unknown", "boundry", "boundary")
    check(treino("export", "last", "--format", "scrip", "--json"), "format", "scrip", "script")
    check(treino("resume", "last", "--json"), "nothing_to_resume", "finished", "epochs")


GOOD = b"p,q,y\n" + b"".join(b"%d,%d,%c\n" % (i % 7, i % 5, b"ab"[i % 2]) for i in range(40))


def test_a_table_that_can_not_be_learnt_from(treino: Treino, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(GOOD + b"seven,2,a\n")
    check(treino("train", "t.csv", "--target", "y", "--json"), "feature_text", "seven", "features")
    nothing_written(tmp_path)


@pytest.mark.release
def test_ten_thousand_columns_and_a_cell_of_ten_megabytes(treino: Treino, tmp_path: Path) -> None:
    wide = "".join(
        ",".join(str((i * j) % 97 / 4) for j in range(9_999)) + f",{'ab'[i % 2]}\n" for i in range(30)
    )
    (tmp_path / "t.csv").write_text(",".join(f"c{j}" for j in range(9_999)) + ",y\n" + wide)
    assert treino("train", "t.csv", "--target", "y", "--steps", 2, "--hidden", "none").status == 0
    error = treino("train", "t.csv", "--target", "z", "--json").document["error"]
    assert len(error["hint"]) < 500
    (tmp_path / "t.csv").write_bytes(GOOD + b"1," + b"x" * 10_000_000 + b",a\n")
    said = treino("train", "t.csv", "--target", "y", "--json")
    assert said.status == 2
    assert "line 42" in said.document["error"]["message"]
