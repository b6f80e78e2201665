"""The command ``treino-doctor``: its words, its exit statuses, and bad input in one sentence."""

import json
from pathlib import Path

import pytest

from treino_doctor.command import main, parse
from treino_doctor.rules import rules
from written import FAULT


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "train.py").write_text("import sys\nprint(sys.argv[1:])" + FAULT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_scripts_own_words_follow_the_dashes(folder, capfd):
    assert main(["train.py", "plain", "--max-steps", "3", "--", "--json", "--max-steps", "9"]) == 0
    out, err = capfd.readouterr()
    assert out == "['plain', '--json', '--max-steps', '9']\n"
    assert "stopped the script at --max-steps" in err
    assert parse(["-m", "package", "a", "--live", "--", "-b"]).arguments == ("a", "-b")


@pytest.mark.parametrize(
    ("words", "named", "hint"),
    [
        ("", "SCRIPT is missing", "treino-doctor SCRIPT.py"),
        ("none.py", "none.py can't be read", "path"),
        (".", ". is a folder", ""),
        ("train.py --epochs 3", "--epochs", "treino-doctor train.py -- --epochs 3"),
        ("train.py --max-step 3", "--max-step", "'--max-steps'"),
        ("train.py --max-steps 2.5", "a whole number", "--help"),
        ("train.py --max-steps -5", "above 0, not -5", "--help"),
        ("train.py --max-time nan", "a number", "--help"),
        ("train.py --max-time", "--max-time needs a value", "--help"),
        ("train.py --live=yes", "--live takes no value, and 'yes' follows", "--live"),
        ("train.py --seeds 3 --seeds 4", "--seeds is given twice", "once"),
        ("train.py --fail-on sure", "'sure'", "'certain', 'likely'"),
        ("train.py --lang xx", "'xx'", "en"),
        ("train.py --replace", "--fix", "--fix"),
        ("train.py --fix train.py", "train.py is read by this command", "another name"),
        ("train.py --fix new.txt", ".patch or .diff", "new.patch"),
        ("train.py --fix none/new.patch", "no folder none", "folder"),
        ("--explain no_stepp", "'no_stepp'", "'no_step'"),
        ("-m no.such.module", "no.such.module", "python -m"),
    ],
)
def test_bad_input_is_one_sentence_with_the_next_move(folder, capfd, words, named, hint):
    assert main([*words.split(), "--json"]) == 2
    out, err = capfd.readouterr()
    error = json.loads(out)["error"]
    said = f"{error['message']} {error['hint']}"
    assert error["rule"]
    assert named in error["message"]
    assert hint in said.replace("Known: certain, likely.", "'certain', 'likely'")
    assert err.count("\n") <= 2
    assert "Traceback" not in err
    assert not list(folder.glob("*.patch"))


def test_a_patch_is_written_once_and_replaced_only_where_that_is_said(folder, capfd):
    for words, status in (([], 0), ([], 2), (["--replace"], 0)):
        assert main(["train.py", "--fix", "new.patch", *words]) == status
    assert "new.patch existed already and is replaced." in capfd.readouterr().err
    assert "zero_grad" in (folder / "new.patch").read_text()


def test_help_and_version_run_nothing(folder, capfd):
    assert main(["train.py", "--help"]) == main(["--version"]) == 0
    out = capfd.readouterr().out
    assert "Usage: treino-doctor SCRIPT" in out
    assert "['" not in out
    assert main(["--lang", "pt", "--help", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"help": "treino-doctor"}


def test_a_rule_is_explained_as_the_report_says(folder, capfd):
    main(["train.py"])
    (line,) = (row for row in capfd.readouterr().err.splitlines() if "--explain" in row)
    assert main(line.split()[-2:]) == 0
    out = capfd.readouterr().out
    assert rules()["missing_zero_grad"].right.splitlines()[-1] in out
    assert out.startswith("missing_zero_grad  (certain")
