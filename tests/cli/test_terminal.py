"""Control characters in texts from files are shown as escapes, never sent to the terminal."""

import codecs
import csv
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import QUICK_END
from tests.conftest import Treino
from tests.waiting import HANG
from treino.base.errors import TreinoError
from treino_doctor.base.escaping import escape, escape_json

FORGED = "error: all is lost"
COLUMNS = ["a\x1b[2Jb", "c\x1b]0;x\x07d", "e\u202ef", f"g\n{FORGED}", "h\x9b2Ji", "k\rl\u2028m"]
TARGET = f"y\u2066\n{FORGED}"
CLASSES = ["é \U0001f468\u200d\U0001f469", "x\x1b[2Jy", f"z\u2066w\n{FORGED}", "q\x9b2J\u200b\rdone"]
FILE = "evil\x1b[2J\u202e\nname.csv"
RAW = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def hostile_table(folder: Path) -> None:
    with (folder / FILE).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow([*COLUMNS, TARGET])
        for i in range(120):
            numbers = [round(((i * j) % 17) / 5 + i % 4, 2) for j in (3, 5, 7, 11)]
            rows.writerow([*numbers, f"p\x1b[31m{i % 3}", f"r\u202e{i % 2}", CLASSES[i % 4]])


def raw(text: str) -> str:
    """What a terminal would obey or hide, but line breaks and the joiners of emoji."""
    left = text.replace("\U0001f468\u200d\U0001f469", "")
    return "".join(c for c in left if c != "\n" and unicodedata.category(c) in RAW)


def holds(text: str) -> None:
    assert raw(text) == ""
    assert not [found for found in text.splitlines() if found.startswith(FORGED)]


VERBS: list[tuple[object, ...]] = [
    ("data", FILE),
    ("data", FILE, "--target", TARGET),
    ("train", FILE),
    ("train", FILE, "--target", "no\x1b[2J\n" + FORGED),
    ("train", FILE, "--target", TARGET, "--features", "no\u202e"),
    ("train", FILE, "--target", TARGET, "--steps", 9, "--name", "r"),
    ("sweep", FILE, "--target", TARGET, "--space", "lr=0.1|0.01", "--epochs", 2, "--fresh", 1),
    ("study", FILE, "--target", TARGET, "--batch-sizes", "20", "--epochs", 1),
    ("show", "r"),
    ("show", "r", "last"),
    ("runs",),
    ("predict", "r", FILE),
    ("doctor", "r"),
    ("explain", "cross-entropy", "r"),
    ("report", "r", "--markdown", "--to", "r.md"),
    ("plot", "r", "--what", "no\x1b[2J\n" + FORGED),
    ("resume", "r"),
    ("show", "no\x1b[2J\n" + FORGED),
    ("train", "wine", "--no\x9b\n" + FORGED),
    ("no\x1b[2J\n" + FORGED,),
    ("no\x1b[2J", "--help"),
    ("--lang", "\u202e"),
    ("data", "no\udce9.csv"),
    ("doctor", f"no\x1b[2J\n{FORGED}.py"),
]


@pytest.mark.parametrize(
    "language", [pytest.param("en", marks=pytest.mark.slow), pytest.param("pt_BR", marks=pytest.mark.release)]
)
def test_no_verb_prints_raw_what_a_file_holds(treino: Treino, tmp_path: Path, language: str) -> None:
    hostile_table(tmp_path)
    told = ""
    for argv in VERBS:
        said = treino(*argv, *(() if argv[0] == "--lang" else ("--lang", language)))
        holds(said.out)
        holds(said.err)
        told += said.out + said.err
    page = (tmp_path / "r.md").read_text().replace("\u200b", "")  # which breaks open mentions and links
    assert raw(page) == ""
    holds(re.sub(r"^(`+)\w*\n.*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE))  # code has lines of its own
    for shown in (r"a\x1b[2Jb", r"c\x1b]0;x\x07d", r"e\u202ef", rf"g\n{FORGED}", r"h\x9b2Ji", r"k\rl\u2028m"):
        assert shown in told
    assert CLASSES[0] in told
    assert r"q\x9b2J\u200b\rdone" in told


def test_json_holds_the_true_strings(treino: Treino, tmp_path: Path) -> None:
    hostile_table(tmp_path)
    described = treino("data", FILE, "--target", TARGET, "--json")
    assert [c["name"] for c in described.document["columns"]] == [*COLUMNS, TARGET]
    assert set(described.document["classes"]) == set(CLASSES)
    trained = treino("train", FILE, "--target", TARGET, "--steps", 9, "--name", "r", "--json")
    assert trained.document["features"] == COLUMNS
    predicted = treino("predict", "r", FILE, "--json")
    assert set(predicted.document["predictions"][0]["probabilities"]) == set(CLASSES)
    wrong = treino("train", FILE, "--target", "no\x1b\n", "--json")
    assert "'no\x1b\n'" in wrong.document["error"]["message"]
    for said in (described, trained, predicted, wrong):
        assert raw(said.out) == ""
        assert said.out.count("\n") == 1


def test_a_file_whose_name_is_not_in_utf_8_is_refused(treino: Treino, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    (tmp_path / name).write_text("p,y\n1,a\n2,b\n")
    said = treino("data", name, "--json")
    assert said.status == 2
    assert f"'{name}'" in said.document["error"]["message"]
    assert r"'caf\udce9.csv'" in said.err


def test_a_defect_shows_its_error_on_lines_of_its_own(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ValueError("\x1b[2J\n" + FORGED)

    monkeypatch.setattr("treino.folders.documents.listing.listing", broken)
    said = treino("runs")
    assert said.status == 1
    assert "Traceback" in said.err
    holds(said.err)


@pytest.mark.release
def test_a_terminal_gets_the_colours_of_ours_alone(tmp_path: Path) -> None:
    hostile_table(tmp_path)
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", QUICK_END, "train", FILE, "--target", TARGET, "--steps", "300"]
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    streams = {"stdin": subprocess.DEVNULL, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(argv, cwd=tmp_path, env=environ, **streams)
    os.close(theirs)
    got = b""
    try:
        while part := os.read(ours, 1 << 16):
            got += part
    except OSError:  # Linux says the end of a terminal so
        pass
    finally:
        os.close(ours)
        assert process.wait(HANG) == 0
    text = got.decode()
    assert "\x1b[1m" in text  # bold, and the line that moves:
    assert "\x1b[2K" in text
    plain = re.sub(r"\x1b\[(\d+(;\d+)*m|\?25[lh]|2K|1A)|\r", "", text)
    holds(plain)


# ---- the characters


DRAWN = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001345f"  # though Cf
JOINERS = "[\u200c\u200d]|\U0001f3f4[\U000e0020-\U000e007f]+"


@given(st.text())
def test_an_escaped_text_is_one_line_that_says_the_same(text: str) -> None:
    shown = escape(text)
    assert raw(re.sub(f"{JOINERS}|[{DRAWN}]", "", shown)) == ""
    assert "\n" not in shown
    assert json.loads(escape_json(json.dumps(text, ensure_ascii=False))) == text
    if "\\" not in text:
        written = r"\\(?:[nrt]|x.{2}|u.{4}|U.{8})"
        assert re.sub(written, lambda m: codecs.decode(m[0], "unicode_escape"), shown) == text


LETTERS = [
    "coração, ação, já",
    "日本語 العربية עברית",
    "\U0001f469\u200d\U0001f52c ❤️ 1️⃣",
    "می\u200cخواهم",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]


@pytest.mark.parametrize("text", LETTERS)
def test_letters_of_every_language_and_emoji_stay(text: str) -> None:
    assert escape(text) == text
    assert escape_json(text) == text


def test_an_error_in_python_shows_its_values_escaped() -> None:
    error = TreinoError("rule", "no \x1b[2J\n" + FORGED, "next \u202e")
    assert str(error) == rf"no \x1b[2J\n{FORGED} next \u202e"
    assert error._render_traceback_()[-2:] == [rf"error: no \x1b[2J\n{FORGED}", r"next \u202e"]
