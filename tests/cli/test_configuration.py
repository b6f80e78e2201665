"""Options from a file and from the environment: their order, mistakes in them, and a run as such a file."""

import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import treino as tr
from tests.conftest import Said, Treino


def written(text: str, name: str = "own.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def settings_of(said: Said) -> dict[str, object]:
    assert said.status == 0, said.err
    settings: dict[str, object] = said.document["settings"]
    return settings


def test_what_is_typed_comes_before_the_environment_and_that_before_the_file(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written('[train]\ndata = "wine"\nlr = 0.5\nepochs = 3\nbatch-size = 16\nhidden = [8, 4]\n')
    monkeypatch.setenv("TREINO_TRAIN_LR", "0.25")
    monkeypatch.setenv("TREINO_TRAIN_EPOCHS", "2")
    said = treino("train", "--config", file, "--epochs", 1, "--json")
    settings = settings_of(said)
    assert (settings["lr"], settings["epochs"]) == (0.25, 1)
    assert (settings["batch_size"], settings["hidden"]) == (16, [8, 4])
    assert "TREINO_TRAIN_LR sets lr" in said.err
    assert "own.toml sets data, batch_size, hidden" in said.err.replace("\n", " ")
    typed = treino("train", "iris", f"--config={file}", "--epochs", 1)
    assert typed.out.startswith("TREINO_TRAIN_LR sets lr; own.toml sets batch_size, hidden\niris")


@pytest.mark.slow
def test_the_file_of_the_working_directory_is_read_by_every_command(treino: Treino) -> None:
    written(
        "[train]\nepochs = 1\nbatch_norm = true\n[show]\nepochs = true\n"
        '[sweep]\nspace = ["lr=1e-3..1e-1:log", "hidden=8|16,4"]\nmembers = 4\nepochs = 1\nfresh = 0\n',
        "treino.toml",
    )
    assert settings_of(treino("train", "wine", "--json"))["batch_norm"] is True
    assert settings_of(treino("train", "wine", "--no-batch-norm", "--json"))["batch_norm"] is False
    assert "training loss" in treino("show", "last").out
    sweep = treino("sweep", "wine", "--json")
    assert sweep.status == 0
    assert sweep.document["members"] == 4


@pytest.mark.slow
def test_an_option_that_may_be_repeated_is_a_list(treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file also a table; in a variable, JSON."""
    words = ["sweep", "wine", "--members", 2, "--epochs", 1, "--fresh", 0, "--json"]
    typed = [word for space in ("lr=0.01|0.1", "hidden=8,4|16") for word in ("--space", space)]
    path = written("[sweep.space]\nlr = [0.01, 0.1]\nhidden = [[8, 4], 16]\n")
    wanted = [row["params"] for row in treino(*words, *typed).document["leaderboard"]]
    table = treino(*words, "--config", path)
    assert [row["params"] for row in table.document["leaderboard"]] == wanted
    monkeypatch.setenv("TREINO_SWEEP_SPACE", '["lr=0.01|0.1", "hidden=8,4|16"]')
    assert [row["params"] for row in treino(*words).document["leaderboard"]] == wanted
    monkeypatch.setenv("TREINO_SWEEP_SPACE", '["lr=0.01|0.1", hidden=8]')
    assert treino(*words).document["error"]["rule"] == "config_list"


@pytest.mark.slow
def test_doctor_takes_its_options_too_and_leaves_those_of_the_script(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("script.py").write_text(
        "import sys, torch\nprint(sys.argv[1:])\nnet = torch.nn.Linear(2, 1)\n"
        "optimizer = torch.optim.SGD(net.parameters(), 0.1)\n"
        "for _ in range(20):\n    optimizer.zero_grad()\n    net(torch.ones(2, 2)).mean().backward()\n"
        "    optimizer.step()\n"
    )
    written("[doctor]\nmax-steps = 3\n", "treino.toml")
    assert treino("doctor", "--json", "script.py").document["steps"] == 3
    assert treino("doctor", "--json", "--max-steps", "4", "script.py").document["steps"] == 4
    monkeypatch.setenv("TREINO_DOCTOR_MAX_STEPS", "5")
    said = treino("doctor", "--json", "script.py", "--", "--config", "net.yaml")
    assert said.document["steps"] == 5
    assert "['--config', 'net.yaml']" in said.err


MISTAKES = [
    # file, place, rule, a word of the message, a word of the hint
    ('[train]\ndata = "wine"\nlrr = 1\n', "own.toml, line 3: ", "config_option", "lrr", "'lr'"),
    ('[train]\ndata = "wine"\n\nlr = -1\n', "own.toml, line 4: ", "lr_range", "lr must be greater", "lr is"),
    ('[train]\ndata = "wine"\n"lr" = "fast"\n', "own.toml, line 3: ", "lr_type", "'fast'", "learning rate"),
    ('[train]\ndata = "wine"\nlr = 2020-01-01\n', "own.toml, line 3: ", "config_value", "2020", "a number"),
    ('[train]\ndata = "wine"\nseeds = "a"\n', "own.toml, line 3: ", "usage", "whole number", "--help"),
    ('[train]\ndata = "wine"\nbatch_norm = "x"\n', "own.toml, line 3: ", "usage", "yes or no", "--help"),
    ('[train]\ndata = "wine"\nloss = "msee"\n', "own.toml, line 3: ", "loss_unknown", "msee", "mse"),
    ('[train]\ndata = "wine"\nnesterov = true\n', "own.toml, line 3: ", "", "nesterov is", "sgd"),
    ('[train]\ndata = "winee"\n', "own.toml, line 2: ", "data", "winee", "wine"),
    ('data = "wine"\n', "own.toml, line 1: ", "config_outside", "data", "[train]"),
    ('[train]\ndata = "wine"\n[trian]\nlr = 1\n', "own.toml, line 3: ", "config_verb", "trian", "train"),
    ('train.data = "wine"\ntrain.lrr = 1\n', "own.toml, line 2: ", "config_option", "lrr", "'lr'"),
    ('\ntrain = {data = "wine", lrr = 1}\n', "own.toml, line 2: ", "config_option", "lrr", "'lr'"),
    ('[train]\ndata = "wine"\nlr.a = 1\n', "own.toml, line 3: ", "lr_type", "a=1", "learning rate"),
    ('[train]\ndata = "wine"\n[train.lrr]\n', "own.toml, line 3: ", "config_option", "lrr", "'lr'"),
    ("trian.lr = 1\n", "own.toml, line 1: ", "config_verb", "trian", "train"),
    ('[[train]]\ndata = "wine"\n', "own.toml, line 1: ", "config_several", "list of tables", "[train]"),
    ("[train]\nlr = 1\nLR = 2\n", "own.toml, line 3: ", "config_option_twice", "lr is set twice", "one"),
    ("[train]\nbatch_size = 8\nbatch-size = 9\n", "own.toml, line 3: ", "twice", "batch_size", "one"),
    ('[train]\ndata = "wine\n', "own.toml is not TOML", "config_form", "line 2", "[train]"),
]


@pytest.mark.parametrize(("text", "place", "rule", "message", "hint"), MISTAKES)
def test_a_mistake_is_named_with_its_line(
    treino: Treino, text: str, place: str, rule: str, message: str, hint: str
) -> None:
    said = treino("train", "--json", "--config", written(text))
    assert said.status == 2
    error = said.document["error"]
    assert error["message"].startswith(place)
    assert rule in error["rule"]
    assert message in error["message"]
    assert hint in error["hint"]
    assert "--lr" not in error["message"] + error["hint"]
    assert not Path("runs").exists()


def test_a_file_in_another_encoding_and_a_folder_of_that_name_are_refused(treino: Treino) -> None:
    Path("latin.toml").write_bytes('[train]\ndata = "São.csv"\n'.encode("latin-1"))
    assert treino("train", "--json", "--config", "latin.toml").document["error"]["rule"] == "config_encoding"
    Path("folder.toml").mkdir()
    error = treino("train", "--json", "--config", "folder.toml").document["error"]
    assert error["rule"] == "config_missing"
    assert "folder.toml" not in error["hint"]


def test_flag_and_variables_have_their_own_mistakes(treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    written('[train]\ndata = "wine"\n', "houses.toml")
    missing = treino("train", "--json", "--config", "house.toml").document["error"]
    assert (missing["rule"], missing["hint"]) == ("config_missing", "Did you mean 'houses.toml'?")
    assert treino("train", "wine", "--config").status == 2
    assert treino("train", "wine", "--config", "houses.toml", "--config=houses.toml").status == 2
    monkeypatch.setenv("TREINO_TRAIN_LEARNING", "1")
    unknown = treino("train", "wine", "--json").document["error"]
    assert unknown["message"] == "TREINO_TRAIN_LEARNING: treino train has no option learning."


SEVERAL = [
    ["wine", "--epochs", 2],
    ["wine", "--optimizer", "adamw", "--betas", "0.8,0.99", "--no-normalise", "--seed", 3, "--steps", 7],
    ["houses.csv", "--target", "price", "--kinds", "rooms=category", "--ensemble", 3, "--steps", 5],
    ["houses.csv", "--target", "price", "--features", "size,rooms", "--validation", "more.csv", "--steps", 5],
    ["digits", "--channels", "4,8", "--steps", 3, "--augment", "shift=2,rotate"],
    ["wine", "--net", "own.py:Net", "--steps", 5],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", SEVERAL, ids=lambda words: " ".join(map(str, words)))
def test_a_run_as_a_file_trains_the_same_bits_from_any_folder(
    treino: Treino, words: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"size": range(60), "rooms": [i % 4 + 1 for i in range(60)]})
    frame["price"] = frame["size"] * 3 + frame["rooms"]
    frame.to_csv("houses.csv", index=False)
    frame.assign(size=frame["size"] + 0.5).to_csv("more.csv", index=False)
    Path("own.py").write_text("import torch\n\ndef Net():\n    return torch.nn.Linear(13, 3)\n")
    assert treino("train", *words, "--name", "first").status == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    text = treino("show", "../runs/first", "--as", "toml").out
    said = treino("train", "--config", written(text), "--name", "again")
    assert said.status == 0, said.err
    first, again = tr.open("../runs/first"), tr.open("again")
    assert [*first.losses] == [*again.losses]
    assert all((first.state[name] == again.state[name]).all() for name in first.state)
    assert first.settings | {"validation": None} == again.settings | {"validation": None}


@pytest.mark.slow
def test_a_sweep_as_a_file_has_the_same_networks(treino: Treino) -> None:
    space = ["--space", "lr=1e-3..1e-1:log", "--space", "hidden=8|16,4", "--members", 4, "--fresh", 0]
    assert treino("sweep", "wine", *space, "--epochs", 1, "--name", "first").status == 0
    text = treino("show", "first", "--as", "toml").out
    again = treino("sweep", "--config", written(text), "--name", "again", "--json")
    assert again.status == 0, again.err
    first = treino("show", "first", "--json").document
    assert again.document["leaderboard"] == first["leaderboard"]
    assert treino("train", "wine", "--seeds", 2, "--steps", 3, "--name", "seeds").status == 0
    assert "seeds = 2" in treino("show", "seeds", "--as", "toml").out


@pytest.mark.slow
def test_changes_while_it_trained_are_named_in_the_file(treino: Treino) -> None:
    assert treino("train", "wine", "--steps", 8, "--name", "first").status == 0
    assert treino("train", "--rewind", "first:4", "--lr", 0.02).status == 0
    text = treino("show", "first", "--as", "toml").out
    assert "# not repeated: " in text
    assert "0.02" in next(line for line in text.splitlines() if line.startswith("# not"))
    assert treino("train", "--config", written(text), "--name", "again").status == 0


def test_rows_given_in_python_have_no_file(treino: Treino) -> None:
    tr.fit(([[float(i)] for i in range(40)], [0, 1] * 20), steps=2, name="given")
    error = treino("show", "given", "--as", "toml", "--json").document["error"]
    assert error["rule"] == "toml_without_data"
    assert treino("show", "given", "given", "--as", "toml").status == 2


@pytest.mark.slow
def test_bash_completes_commands_and_options(
    treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert treino("--install-completion").status == 0
    asks = (
        ". ~/.bashrc; COMP_WORDS=(treino train wine --label-s); COMP_CWORD=3; $(complete -p treino | "
        "sed -E 's/.*-F ([^ ]+) .*/\\1/'); echo \"${COMPREPLY[@]}\""
    )
    answer = subprocess.run(
        ["bash", "-c", asks], env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert answer.stdout.split() == ["--label-smoothing"], answer.stderr
