"""Every command and snippet in README and docs/ runs, as it stands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Treino, mnist_folder
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.base.apps import entries, installed
from treino.cli.app import make_app
from treino.cli.screen import with_lists
from treino_doctor.base.screen import language_of, split_tokens
from treino_doctor.rules import rules

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "README.pt-BR.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "doctor/docs").glob("*.md")),
    *sorted((ROOT / "apps").glob("*/docs/*.md")),
]
LONG = (
    "any-step as-taught cluster dynamics ensemble film judge landscape languages pictures report sweep "
    "tables verify your-data"
)
LONG = {f"{name}.md" for name in LONG.split()}
COSTS = dict.fromkeys(LONG, pytest.mark.release) | {
    "README.md": pytest.mark.proof,
    "README.pt-BR.md": pytest.mark.slow,
}
COSTS |= dict.fromkeys(("insides.md", "next-month.md", "own.md", "rows.md", "study.md"), pytest.mark.slow)
OF_SNIPPETS = dict.fromkeys(("arrays.md", "mcp.md", "pictures.md"), pytest.mark.release) | dict.fromkeys(
    ("as-taught.md", "judge.md", "your-data.md"), pytest.mark.slow
)
NOT_HERE = ("pip install", "make ", "python -m benchmarks", "git clone", "cd ", "python3 -m venv", "source ")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def with_blocks(language: str, marks: dict[str, pytest.MarkDecorator]) -> list[Any]:
    """The pages that have some, each with its mark, but the gallery: docs/gallery/make.py runs that."""
    pages = [page for page in PAGES if blocks(page, language) and page.name != "gallery.md"]
    return [pytest.param(p, marks=[marks[p.name]] if p.name in marks else [], id=p.name) for p in pages]


def commands(page: Path) -> Iterator[list[str]]:
    """Those of treino itself, in words."""
    for line in "\n".join(blocks(page, "sh")).splitlines():
        for command in line.split("#")[0].split("&&"):
            words = shlex.split(command)
            if words and not command.strip().startswith(NOT_HERE) and words != ["pytest"]:
                assert words[0] == "treino", command
                if words[1] not in entries("treino.verbs") or installed(words[1]):
                    yield words[1:]


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
    names = {"size": "tamanho", "age": "idade", "price": "preco"}
    frame.rename(columns=names).to_csv(folder / "casas.csv", index=False, sep=";", decimal=",")


@pytest.mark.slow
def test_the_program_takes_the_commands_of_long_pages() -> None:
    """One of those that have the same flags; they are run before a release."""
    pages = [page for page in PAGES if page.name in LONG | {"gallery.md"}]
    typed = {}
    for words in (words for page in pages for words in commands(page)):
        own, rest, _as_json = split_tokens(words)
        words = with_lists([*language_of(own)[0], *rest])
        typed[words[0], *sorted(word for word in words if word.startswith("--"))] = words
    apps = {verb: make_app([verb]) for verb, *_flags in typed}
    for words in typed.values():
        apps[words[0]].parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", with_blocks("sh", COSTS))
def test_the_commands_of_a_page(
    page: Path, treino: Treino, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, thorough: bool
) -> None:
    """Those of MNIST's 70,000 rows in a thorough run alone: ``data/test_images.py`` has them of few."""
    if page.name == "cluster.md":
        pytest.importorskip("ray", reason="needs ray: pip install 'ray[client]'")
    houses(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", "local")
    for snippet in before_the_first_command(page):
        exec(compile(snippet, str(page), "exec"), {})
    for words in commands(page):
        if "mnist" not in words or (thorough and mnist_folder()):
            said = treino(*words)
            assert said.status == 0, (words, said.err)


@pytest.mark.slow
@pytest.mark.parametrize("page", with_blocks("python", OF_SNIPPETS))
def test_the_snippets_of_a_page(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    houses(tmp_path)
    place: dict[str, object] = {}
    for snippet in blocks(page, "python"):
        exec(compile(snippet, str(page), "exec"), place)


def test_every_verb_stands_in_the_readme(treino: Treino) -> None:
    text = (ROOT / "README.md").read_text()
    for verb in make_app():
        if not verb.startswith("-"):
            assert f"treino {verb}" in text, verb


def test_the_readme_counts_the_doctor_s_rules() -> None:
    for page in ("README.md", "doctor/docs/doctor.md"):
        (count,) = re.findall(r"\b(\d+) rules\b", (ROOT / page).read_text())
        assert int(count) == len(rules()), page


def test_the_readme_has_two_commands_that_install() -> None:
    """The first one trains and the second one tests: ``.ci/run`` takes both from there."""
    lines = [s for s in (ROOT / "README.md").read_text().splitlines() if s.startswith("pip install")]
    assert [line.rpartition(" && ")[2] for line in lines] == ["treino train wine", "pytest"]
