"""What a beginner types, without all that Windows lacks: seven verbs run, and what they write is whole."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from treino.base.errors import TreinoError
from treino.base.files import portable
from treino.folders.store import manifest
from treino.folders.store.new_names import checked_name, slug

CHILD = Path(__file__).with_name("as_on_windows.py")
SOURCES = Path(__file__).parents[2]


def treino_there(folder: Path, *words: str) -> str:
    """What the command prints, as it would run on Windows."""
    done = subprocess.run([sys.executable, CHILD, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.release
def test_the_seven_verbs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"height": rng.normal(size=300), "colour": rng.choice(["ré", "ão"], size=300)})
    frame["kind"] = np.where(frame.height > 0, "tall", "short")
    frame.to_csv(tmp_path / "ação.csv", index=False)
    train = "train", "ação.csv", "--target", "kind", "--epochs", "2", "--name", "one"
    assert "target kind" in treino_there(tmp_path, "data", "ação.csv", "--target", "kind")
    assert json.loads(treino_there(tmp_path, *train, "--json"))["status"] == "finished"
    treino_there(tmp_path, "predict", "one", "ação.csv", "--to", "out.csv")
    assert b"\r" not in (tmp_path / "out.csv").read_bytes()
    assert "accuracy" in treino_there(tmp_path, "show", "one")
    assert "boundary.png" in treino_there(tmp_path, "plot", "one", "--what", "boundary,curves")
    assert "one.py" in treino_there(tmp_path, "export", "one", "--format", "script")
    treino_there(tmp_path, "playground", "--to", "play.html", "--no-browser")
    assert (tmp_path / "play.html").read_text("utf-8").startswith("<!doctype html>")
    assert not [*(tmp_path / "runs/one").glob(".*")]


@pytest.mark.release
def test_photographs_and_a_sweep(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(40):
        place = tmp_path / "album" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(place / f"{number}.png")
    treino_there(tmp_path, "train", "album", "--epochs", "1", "--name", "album")
    treino_there(tmp_path, "sweep", "iris", "--space", "lr=1e-3..1e-1", "--members", "4", "--epochs", "2")


@pytest.mark.slow
def test_what_needs_more_says_so_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("", "utf-8")
    for words in (["studio", "wine"], ["doctor", "script.py"]):
        done = subprocess.run([sys.executable, CHILD, *words], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        assert "needs Linux or macOS" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["con", "NUL.csv", "Com1", "lpt9.x.y", "a:b", "a\\b", "a?", "end.", "end ", "a\tb"]
)
def test_names_that_windows_has_no_file_for_are_no_names(name: str) -> None:
    assert not portable(name)
    assert not manifest.inside(f"keyframes/{name}")
    with pytest.raises(TreinoError, match="can't be a run's name"):
        checked_name(name)


@pytest.mark.parametrize("name", ["console", "com", "com10", "nul-1", ".hidden", "ação", "lpt", "a.con"])
def test_names_that_only_look_like_those(name: str) -> None:
    assert portable(name)
    assert portable(slug(name))


@pytest.mark.slow
def test_text_files_are_utf_8_on_every_system() -> None:
    """Without ``encoding``, Windows reads and writes text in a code page of its own."""
    sources = [*SOURCES.glob("src/**/*.py"), *SOURCES.glob("apps/*/src/**/*.py")]
    places = [f"{file.relative_to(SOURCES)}:{line}" for file in sources for line in without_encoding(file)]
    assert len(sources) > 300
    assert places == []


def without_encoding(file: Path) -> Iterator[int]:
    """Lines that read or write a text file without an encoding."""
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(call, ast.Call) or any(named.arg == "encoding" for named in call.keywords):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        least = {"read_text": 1, "write_text": 2}.get(name, 0)
        text = "b" not in "".join(str(each.value) for each in call.args[1:] if isinstance(each, ast.Constant))
        if len(call.args) < least or (isinstance(call.func, ast.Name) and name == "open" and text):
            yield call.lineno
