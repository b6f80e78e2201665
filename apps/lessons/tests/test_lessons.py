"""The lessons: notebooks equal to their pages, the same lesson in two languages, all of it executed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import needs_mnist
from tools import lessons

PAGES = lessons.pages()
PORTUGUESE, ENGLISH = ([p for p in PAGES if p.parent == folder] for folder in lessons.FOLDERS)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?%?")
COMMA = re.compile(r"(?<=\d),(?=\d)")
CHECKS = "The function, and its check", "A função e a conferência"  # the check's own answer is what is shown
NEAR = 0.05  # machines round differently, and a training carries that on
LEAST = 0.03


def names(page: Path) -> str:
    return f"{page.parent.name}/{page.name}"


def test_each_notebook_is_in_step_with_its_page() -> None:
    stale = [names(p) for p in PAGES if p.with_suffix(".ipynb").read_text() != lessons.written(p)]
    assert not stale, "run: make lessons"


def test_each_page_has_its_notebook_and_each_notebook_its_page() -> None:
    for folder in lessons.FOLDERS:
        assert [p.stem for p in sorted(folder.glob("*.ipynb"))] == [
            p.stem for p in PAGES if p.parent == folder
        ]
        index = (folder / "README.md").read_text()
        for page in PAGES:
            if page.parent == folder:
                assert f"({page.name})" in index
                assert f"({page.stem}.ipynb)" in index


def test_each_lesson_uses_one_core() -> None:
    """On a machine that many share, torch's threads wait for each other: minutes in the place of seconds."""
    line = "torch.set_num_threads(1)"
    assert [names(p) for p in PAGES if line not in p.read_text().partition("```python")[2][:900]] == []


def bare(page: Path) -> list[str]:
    """Its code without words: strings are blank, commands stand as they are."""
    found = []
    for part in lessons.parts(page):
        if part.kind == "sh":
            found.append(part.text)
        if part.kind == "python":
            tree = ast.parse(part.text)
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    node.value = ""
            found.append(ast.unparse(tree).replace("''", ""))
    return found


def test_both_languages_run_the_same() -> None:
    for portuguese, english in zip(PORTUGUESE, ENGLISH, strict=True):
        assert bare(portuguese) == bare(english), english.name


def test_both_languages_print_the_same_figures() -> None:
    for portuguese, english in zip(PORTUGUESE, ENGLISH, strict=True):
        ours, theirs = (
            [NUMBER.findall(COMMA.sub(".", part.text)) for part in lessons.parts(page) if part.kind == "text"]
            for page in (portuguese, english)
        )
        for mine, other in zip(ours, theirs, strict=True):
            near = (
                _near(float(a.rstrip("%")), float(b.rstrip("%")), "%" in b)
                for a, b in zip(mine, other, strict=True)
            )
            assert all(near), (english.name, mine, other)


def test_each_section_that_computes_shows_a_picture() -> None:
    """Those whose code only prints or checks what the picture before shows are named here."""
    for page in PAGES:
        sections = page.read_text().split("\n## ")[1:]
        without = [text for text in sections if "```python" in text and "](pictures/" not in text]
        assert [text.partition("\n")[0] for text in without if not text.startswith(CHECKS)] == [], page.name


def test_the_answers_to_a_question_are_figures_of_its_page() -> None:
    for page in [p for folder in lessons.FOLDERS for p in folder.glob("[0-9]*.md")]:
        text = COMMA.sub(".", page.read_text())
        answers = re.findall(r"^<details>.*", text, re.M)
        shown = " ".join(part for part in text.splitlines() if not part.startswith("<details>"))
        for figure in re.findall(r"\d+\.\d+", " ".join(answers)):
            assert figure in shown, (page.name, figure)


def close(said: str, wanted: str) -> bool:
    """The same words, and numbers that are near."""
    if re.split(r"\s+", NUMBER.sub("#", said).strip()) != re.split(r"\s+", NUMBER.sub("#", wanted).strip()):
        return False
    pairs = zip(NUMBER.findall(said), NUMBER.findall(wanted), strict=True)
    return all(_near(float(a.rstrip("%")), float(b.rstrip("%")), "%" in b) for a, b in pairs)


def _near(a: float, b: float, percent: bool) -> bool:
    return abs(a - b) <= max(
        (2 if percent else LEAST), NEAR * abs(b), 4 if b.is_integer() and abs(b) > 1 else 0
    )


def test_what_counts_as_close() -> None:
    assert close("loss 0.501, step 12", "loss 0.500, step  12")
    assert close("12%", "11%")
    for said in ("loss 0.60, step 12", "loss 0.50, step 20", "gain 0.50, step 12"):
        assert not close(said, "loss 0.50, step 12")


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with lessons.kernel() as manager:
            client = manager.blocking_client()
            client.start_channels()
            client.execute_interactive("import torch, sklearn.datasets, matplotlib.pyplot, treino.cli.app")
            client.stop_channels()
            yield manager


def marks(page: Path) -> list[pytest.MarkDecorator]:
    """One lesson runs in each default run; that of MNIST needs its files."""
    cost = pytest.mark.proof if page == PORTUGUESE[21] else pytest.mark.release
    return [cost, needs_mnist] if page.name.endswith("-mnist.md") else [cost]


@pytest.mark.parametrize(  # both languages run the same, as a test above says
    "page",
    [pytest.param(p, marks=marks(p)) for p in PAGES],
    ids=names,
)
def test_a_lesson_runs_and_says_what_its_page_says(page: Path, kernel: Any, tmp_path: Path) -> None:
    said = iter(lessons.printed(page, tmp_path, kernel))
    for part in lessons.parts(page):
        if part.kind in ("python", "sh"):
            source, out, png = next(said)
        if part.kind == "text":
            assert close(out, part.text), f"{source}\n\n{out}"
        if part.kind == "picture":
            assert png is not None, source
