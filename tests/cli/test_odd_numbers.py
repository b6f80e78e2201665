"""Numbers, depths and lengths that no setting needs: refused in words, wherever they stand."""

from pathlib import Path

import pytest

from tests.conftest import Treino
from treino.base.text import whole_number

DIGITS = "1" * 5000  # Python converts 4300
NEST = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize("text", ["²", "٣", "", "-1", "1.0", " 1", DIGITS])
def test_what_looks_like_a_whole_number_and_is_none(text: str) -> None:
    assert whole_number(text) is None


WORDS = [
    ["train", "wine", "--fold", "²/5"],
    ["train", "wine", "--fold", f"1/{DIGITS}"],
    ["sweep", "wine", "--space", "lr=1e-3..1:²"],
    ["sweep", "wine", "--space", f"lr=1e-3..1:{DIGITS}"],
    ["sweep", "wine", "--space", f"lr=1..{'1' * 400}"],
    ["sweep", "wine", "--space", f"epochs={DIGITS}"],
    ["sweep", "wine", "--space", f"epochs=1..{DIGITS}"],
    ["train", "--branch", f"last:{DIGITS}", "--lr", "1"],
    ["train", "--branch", "last:²", "--lr", "1"],
    ["sweep", "wine", "--space", "lr=1|2", "--on", "ray://host:²"],
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:40])
def test_digits_that_are_no_number_are_refused(treino: Treino, words: list[str]) -> None:
    said = treino(*words, "--json")
    assert said.status == 2
    assert said.document["error"]["hint"]


TOML = {
    "digits": f"lr = {DIGITS}",
    "hexadecimal": f"lr = 0x{'f' * 9000}",
    "beyond 64 bits": "seed = 9223372036854775808",
    "in a list": f"hidden = [8, {10**30}]",
    "nested": f"lr = {NEST}",
    "dotted": "lr" + ".a" * 50_000 + " = 1",
    "dotted, quoted": 'lr."a" . ' + '"a".' * 50_000 + "b = 1",
    "long": "#" + "x" * 1_000_000,
}


@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_a_file_of_options_or_of_a_space_is_refused_by_its_name(treino: Treino, text: str) -> None:
    Path("options.toml").write_text(f"[train]\n{text}\n")
    error = treino("train", "wine", "--config", "options.toml", "--json").document["error"]
    assert error["rule"] == "config_limits"
    assert error["message"].startswith("options.toml is not read: ")
    Path("space.toml").write_text(text + "\n")
    error = treino("sweep", "wine", "--space", "space.toml", "--json").document["error"]
    assert error["rule"] == "space_file"
    assert error["message"].startswith("space.toml can't be read: ")


def test_every_command_refuses_such_a_file_that_merely_lies_there(treino: Treino) -> None:
    Path("treino.toml").write_text(f"[train]\nlr = {DIGITS}\n")
    for words in (["train", "wine"], ["runs"], ["doctor"]):
        assert treino(*words, "--json").document["error"]["rule"] == "config_limits"


MANY = {
    "unknown": "[train]\n" + "".join(f"k{n} = 1\n" for n in range(50_000)),
    "of another command": "[train]\nlr = 1\n[show]\n" + "".join(f"k{n} = 1\n" for n in range(50_000)),
    "commands": "".join(f"[k{n}]\n" for n in range(50_000)),
    "tried": "[train]\nalert = [" + '"a",' * 50_000 + "]\n",
}


@pytest.mark.parametrize("kind", MANY)
def test_fifty_thousand_keys_are_answered(treino: Treino, kind: str) -> None:
    Path("many.toml").write_text(MANY[kind])
    said = treino("train", "--epochs", "x", "--config", "many.toml", "--json")
    assert said.status == 2


def test_a_space_of_fifty_thousand_settings_is_answered(treino: Treino) -> None:
    Path("space.toml").write_text("".join(f"net.k{n} = [1, 2]\n" for n in range(50_000)))
    error = treino("sweep", "wine", "--space", "space.toml", "--json").document["error"]
    assert error["rule"] == "space_large"
    Path("many.toml").write_text("[sweep.space]\n" + "".join(f"k{n} = 1\n" for n in range(50_000)))
    error = treino("sweep", "wine", "--config", "many.toml", "--json").document["error"]
    assert error["rule"] == "config_many"


VARIABLES = {
    "nested": ("TREINO_TRAIN_ALERT", NEST),
    "digits": ("TREINO_TRAIN_ALERT", f"[{DIGITS}]"),
    "digits of a list": ("TREINO_TRAIN_HIDDEN", f"[{DIGITS}]"),
    "a list of lists": ("TREINO_TRAIN_HIDDEN", "[[8], 4]"),
    "an open list": ("TREINO_TRAIN_HIDDEN", "[8, 4"),
}


@pytest.mark.parametrize("kind", VARIABLES)
def test_lists_in_variables_are_refused_by_the_variable(
    treino: Treino, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    variable, value = VARIABLES[kind]
    monkeypatch.setenv(variable, value)
    said = treino("train", "wine", "--json")
    assert said.status == 2
    assert said.document["error"]["message"].startswith(variable)


LISTS = [
    ("HIDDEN", "[16, 8]", "hidden", [16, 8]),
    ("FEATURES", '["alcohol", "hue"]', "features", ["alcohol", "hue"]),
    ("BETAS", "[0.8, 0.9]", "betas", [0.8, 0.9]),
    ("KINDS", '["alcohol=number"]', "kinds", ["alcohol=number"]),
]


@pytest.mark.parametrize(("name", "value", "setting", "wanted"), LISTS)
def test_a_list_in_a_variable_is_json(
    treino: Treino, monkeypatch: pytest.MonkeyPatch, name: str, value: str, setting: str, wanted: object
) -> None:
    monkeypatch.setenv(f"TREINO_TRAIN_{name}", value)
    assert treino("train", "wine", "--epochs", "1", "--json").document["settings"][setting] == wanted


def test_several_runs_stand_in_a_variable_or_a_file(treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        assert treino("train", "wine", "--epochs", "1", "--name", name).status == 0
    Path("both.toml").write_text('[plot]\nrun = ["a", "b"]\nwhat = "curves"\n')
    drawn = treino("plot", "--config", "both.toml", "--json").document["paths"]
    assert drawn == ["runs/a/pictures/curves-of-several.png"]
    monkeypatch.setenv("TREINO_PLOT_RUN", '["a", "b"]')
    assert treino("plot", "--what", "curves", "--json").document["paths"] == drawn


DASHES = [
    (["train", "wine", "--target", "-price"], "--target=-price"),
    (["train", "wine", "--name", "-x"], "--name=-x"),
    (["predict", "last", "wine", "--to", "-x.csv"], "--to=-x.csv"),
    (["doctor", "a.py", "--fix", "-x"], "--fix=-x"),
]


@pytest.mark.parametrize(("words", "hint"), DASHES)
def test_a_value_that_begins_with_a_dash_is_joined_to_its_flag(
    treino: Treino, words: list[str], hint: str
) -> None:
    error = treino(*words, "--json").document["error"]
    assert error["rule"] == "usage"
    assert hint in error["hint"]


MEMBERS = [
    ["plot", "several", "--what", "curves"],
    ["plot", "several", "--smooth", "0.5"],
    ["plot", "several", "alone", "--what", "curves"],
    ["plot", "several", "--untrained", "4"],
    ["plot", "wine", "--untrained", "4"],
    ["explain", "adam"],
    ["explain", "several"],
]


@pytest.mark.slow
def test_a_member_that_nothing_shows_is_refused(treino: Treino) -> None:
    assert treino("train", "wine", "--ensemble", 2, "--epochs", 1, "--name", "several").status == 0
    assert treino("train", "wine", "--recipe", "plain", "--epochs", 1, "--name", "alone").status == 0
    for words in MEMBERS:
        assert treino(*words, "--member", "0", "--json").status == 2, words
    assert treino("plot", "several", "--what", "weights,curves", "--member", "1").status == 0
