"""Every command and snippet in README and docs/ runs, as it stands."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Said, mnist_folder
from tests.workflows.conftest import _quick_ends  # noqa: F401

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "doctor/docs").glob("*.md")),
]
RUN = [page for page in PAGES if page.name != "gallery.md"]  # docs/gallery/make.py runs that one
LONG = {"as-taught.md", "film.md"}
NOT_HERE = ("pip install", "make ", "python -m benchmarks")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def before_the_first_command(page: Path) -> list[str]:
    """The snippets that make the files which the page's commands speak of."""
    start = page.read_text().partition("\n```sh\n")[0]
    return re.findall(r"^```python\n(.*?)^```", start, re.M | re.S)


def houses(folder: Path) -> None:
    """The table that the pages speak of."""
    rng = np.random.default_rng(0)
    size, age = rng.uniform(40, 200, 120), rng.uniform(0, 60, 120)
    frame = pd.DataFrame({"size": size.round(1), "age": age.round(1)})
    frame["price"] = (3000 * size - 800 * age + rng.normal(0, 9000, 120)).round(-2)
    frame.to_csv(folder / "houses.csv", index=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=[pytest.mark.release] if p.name in LONG else []) for p in RUN],
    ids=lambda p: p.name,
)
def test_the_commands_of_a_page(
    page: Path, treino: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, thorough: bool
) -> None:
    """Those of MNIST's 70,000 rows in a thorough run alone: ``data/test_images.py`` has them of few."""
    houses(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", "local")
    for snippet in before_the_first_command(page):
        exec(compile(snippet, str(page), "exec"), {})
    for line in "\n".join(blocks(page, "sh")).splitlines():
        for command in line.split("#")[0].split("&&"):
            words = shlex.split(command)
            if not words or command.strip().startswith(NOT_HERE) or words == ["pytest"]:
                continue
            if "mnist" in words and not (thorough and mnist_folder()):
                continue
            assert words[0] == "treino", command
            said = treino(*words[1:])
            assert said.status == 0, (command, said.err)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_snippets_of_a_page(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    houses(tmp_path)
    place: dict[str, object] = {}
    for snippet in blocks(page, "python"):
        exec(compile(snippet, str(page), "exec"), place)


def test_every_verb_stands_in_the_readme(treino: Callable[..., Said]) -> None:
    from treino.cli.app import make_app

    text = (ROOT / "README.md").read_text()
    for verb in make_app():
        if not verb.startswith("-"):
            assert f"treino {verb}" in text, verb
