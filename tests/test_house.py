"""Structure of the code: imports only downwards, the public names, file lengths, forbidden words."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools import house
from tools.settings_page import settings_page

import treino
import treino_doctor
from treino.cli import help
from treino.engine.optim import readers
from treino.engine.registries import REGISTRIES
from treino.reports.pictures import picture_files

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src", *ROOT.glob("apps/*/src")
OWN = sorted(p for s in SOURCES for p in s.rglob("*.py") if p.parent.name != "scripts")  # but the katas' own
DOCTOR = sorted((ROOT / "doctor/src").rglob("*.py"))
TEXTS = {path: path.read_text() for path in (*OWN, *DOCTOR)}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
TOPS = "src/treino", "doctor/src/treino_doctor", *(str(p) for p in ROOT.glob("apps/*/src/*"))
BY_NAME = {"autograd", "loss", "nn", "np", "p", "torch", "tr", *sys.stdlib_module_names}  # to everybody
SUFFIXES = (".pyi", ".json", ".jsonl", ".py", ".sqlite", ".parquet", ".toml", ".safetensors")
# files and functions that are still to be parted
LONG = {"api.py", "describe", "fit_events", "judgement", "load_torch_dataset", "plot", "train_events"}


def test_imports_point_only_downwards() -> None:
    line = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    found = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_door_is_what_is_listed() -> None:
    for name in treino.__all__:
        assert getattr(treino, name) is not None
    assert set(treino.__all__) <= set(dir(treino))
    assert {"load", "train", "fit", "mlp", "open", "runs", "engines"} <= set(treino.__all__)
    with pytest.raises(AttributeError, match="no_such"):
        treino.no_such  # noqa: B018


def test_no_package_bears_a_name_of_the_door_but_one_that_can_be_called() -> None:
    assert not {p.stem for p in (ROOT / "src/treino").iterdir()} & set(treino.__all__)


def test_help_lists_from_the_source_what_the_registries_have() -> None:
    known = {name: list(entries) for name, entries in REGISTRIES.items()}
    assert help.REGISTRIES.keys() == known.keys()
    known |= {name: readers(name) for name in help.OF_SOME}
    assert {name: help.names(name) for name in known} == known
    assert help.picture_names() == list(picture_files.PICTURES)


SERVER = "starlette", "uvicorn", "websockets", "anyio", "h11"
DRAWING = "matplotlib", "PIL"
TABLES = "pandas", "pyarrow", "sklearn", "scipy"
OF_MANY = "treino.training.sweeps", "treino.training.search", "treino.results"
LOADED = """
import sys

def absent(*names):
    found = [name for name in names if name in sys.modules]
    assert not found, found

def said(*words):
    assert main(words) == 0, words
"""


def in_a_new_python(folder: Path, program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED + program], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 6


@pytest.mark.proof
def test_training_one_network_imports_neither_a_server_nor_what_is_of_many(tmp_path: Path) -> None:
    in_a_new_python(
        tmp_path,
        f"""
import treino; treino.train; treino.load
absent(*{DRAWING + TABLES + SERVER}, "rich")
from treino.cli import main
said("train", "wine", "--epochs", "1")
absent(*{SERVER + OF_MANY + DRAWING + TABLES[:-1]})  # SciPy fits the linear baseline at the end
""",
    )
    assert (tmp_path / "runs" / "wine-1").is_dir()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run."""
    folder = tmp_path_factory.mktemp("trained")
    treino.fit("iris", epochs=1, parent=folder / "runs")
    return folder


@pytest.mark.proof
def test_readers_of_a_run_import_nothing_that_draws(trained: Path) -> None:
    in_a_new_python(
        trained,
        f"""
from treino.cli import main
said("show", "last"); said("show", "last", "--json"); absent(*{SERVER + DRAWING + TABLES})
said("predict", "last", "iris", "--json"); absent(*{SERVER + DRAWING}, "treino.results")
""",
    )


@pytest.mark.slow
def test_commands_that_only_list_import_no_torch(trained: Path) -> None:
    lists = ["--version"], ["--help"], [], ["runs"], ["--lang", "pt", "runs"], ["runs", "--json"]
    program = f"from treino.cli import main\nfor words in {lists}: said(*words); absent('torch')"
    in_a_new_python(trained, program)


def test_files_import_each_other_in_no_circle_and_at_the_top() -> None:
    """Imports inside functions and for types alone count too; what stays there keeps a start light."""
    found = house.imports()
    assert not house.circles(found)
    assert len([i for i in found if i.where == "function"]) <= 97
    assert len({i.file for i in found if i.where == "typing"}) <= 7


def test_a_file_opens_with_what_it_is_for_and_ends_in_time_as_each_function_does() -> None:
    assert [path for path, text in TEXTS.items() if not text.startswith(('"""', "'''"))] == []
    long = {path.name for path, text in TEXTS.items() if text.count("\n") > 600}
    for node in (node for text in TEXTS.values() for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 80:
            long.add(node.name)
    assert long <= LONG


@pytest.mark.parametrize(
    "place", ["cli", "../../apps/microscope/src", "../../apps/lessons/src", "../../apps/xray/src"]
)
def test_nothing_is_printed_but_on_a_console_that_escapes(place: str) -> None:
    """What rich or Python prints by itself may hold what steers a terminal: see base/console.py."""
    paths = sorted(p for p in (ROOT / "src/treino" / place).rglob("*.py") if "scripts" not in p.parts)
    assert paths
    for path in paths:
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        made = {ast.unparse(call).removesuffix(".assemble") for call in calls}
        assert not made & {"print", "Console", "Text"} or path.name == "help.py", path


def test_the_table_of_settings_in_the_docs_is_the_program_s() -> None:
    assert (ROOT / "docs/settings.md").read_text() == settings_page() + "\n", "run: make docs"


def test_the_version_is_one() -> None:
    """Both packages are released together; setuptools reads it where they say it."""
    for project, package in (ROOT, treino), (ROOT / "doctor", treino_doctor):
        setuptools = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["setuptools"]
        assert setuptools["dynamic"]["version"] == {"attr": f"{package.__name__}.__version__"}
        assert package.__version__ == treino.__version__
    assert f"\nversion: {treino.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {treino.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_sentence_below_the_command_line_names_a_flag() -> None:
    """It names a setting, ``[[patience]]``, which each door writes in its own way."""
    assert not house.flags_below_the_command_line()


def test_the_map_and_each_readme_name_places_that_exist() -> None:
    pages = [ROOT / "ARCHITECTURE.md", *ROOT.glob("src/treino/*/README.md"), *ROOT.glob("apps/*/README.md")]
    packages = {p.parent.name for p in ROOT.glob("src/treino/*/__init__.py")}
    assert {page.parent.name for page in pages} >= packages | {p.parent.name for p in ROOT.glob("apps/*/src")}
    for page in pages:
        rows = (
            page.read_text()
            if page.parent == ROOT
            else "".join(re.findall(r"\| (`\S+`)[^|]*\|$", page.read_text(), re.M))
        )
        for place in re.findall(r"`((?:\.\./)*[\w/]+(?:\.\w+|/))`", rows):
            tops = page.parent, *(ROOT / top for top in TOPS), ROOT
            assert any((top / place).exists() for top in tops), (page, place)
    assert (ROOT / "ARCHITECTURE.md").read_text().count("\n") <= 150


def test_the_map_has_the_wings_in_the_linter_s_order() -> None:
    first = re.search(r"\| package .*?\n\n", (ROOT / "ARCHITECTURE.md").read_text(), re.DOTALL)
    packages = [re.sub(r"/|\.py", "", line.split("`")[1]) for line in first[0].splitlines()[2:] if line]
    assert packages == [layer.removeprefix("treino.") for layer in CONTRACTS[0]["layers"][2:]]


@pytest.mark.parametrize("top", ["src/treino", *(f"apps/{p.parent.name}" for p in ROOT.glob("apps/*/src"))])
def test_every_source_file_has_a_row_in_a_readme(top: str) -> None:
    """Its path stands in the README of its package or app, or of a folder in it."""
    missing, texts = [], [readme.read_text() for readme in (ROOT / top).rglob("README.md")]
    for path in (ROOT / top).rglob("*.*"):
        if path.suffix not in (".py", ".js", ".css", ".hpp", ".cpp") or path.name == "__init__.py":
            continue
        if {"docs", "tests", "scripts"} & set(path.parts) or path.parent == ROOT / top:
            continue
        ends = [str(Path(*path.parts[-k:])) for k in range(1, 5)]
        missing += [] if any(f"`{end}`" in text for text in texts for end in ends) else [path]
    assert missing == []


def test_docstrings_name_what_there_is() -> None:
    """``floor.module.name``, ``module.name``, ``floor/file.py``, or a part of what the file itself has."""
    words = {
        f"{path.relative_to(ROOT).with_suffix('')}".replace("/", ".").removesuffix(".__init__"): set(
            re.findall(r"\w+", text)
        )
        for path, text in TEXTS.items()
    }
    words["src.treino"] |= set(re.findall(r"\w+", (ROOT / "src/treino/__init__.pyi").read_text()))
    words["src.treino.data"] |= set(re.findall(r"\w+", (ROOT / "src/treino/data/__init__.pyi").read_text()))

    def known(dotted: str) -> bool:
        module, _dot, name = dotted.rpartition(".")
        return (dotted.split(".")[0] in BY_NAME or dotted.endswith(SUFFIXES)) or any(
            path.endswith(f".{dotted}") or (path.endswith(f".{module}") and name in of_module)
            for path, of_module in words.items()
        )

    missing = []
    for path, text in TEXTS.items():
        left = [n for n in re.findall(r"``([a-z_]\w*(?:\.\w+)+)(?:\(\))?``", text) if not known(n)]
        missing += [(path, name) for name in left if name.split(".")[0] not in own_names(text)]
        for name in re.findall(r"``([a-z_]+/[a-z_/]+\.py)``", text):
            missing += [] if any((ROOT / top / name).exists() for top in TOPS) else [(path, name)]
    assert not missing


def own_names(text: str) -> set[str]:
    """What a file calls by these names: variables, arguments, attributes."""
    nodes = list(ast.walk(ast.parse(text)))
    found = {node.id for node in nodes if isinstance(node, ast.Name)}
    found |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return found | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_every_import_of_others_is_declared() -> None:
    """The distribution that a file imports stands in pyproject.toml itself, not only in what others need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = {
        canonicalize_name(Requirement(text).name) for text in chain(project["dependencies"], *extras.values())
    }
    of_module = {"mlflow": ["mlflow-skinny"], **packages_distributions()}
    others = modules_of(OWN) - sys.stdlib_module_names - {p.name for s in SOURCES for p in s.iterdir()}
    assert {"scipy", "PIL", "torch", "starlette", "treino_doctor"} <= others
    assert not {m for m in others if not declared & set(map(canonicalize_name, of_module.get(m, [m])))}


def test_the_doctor_needs_torch_and_what_that_brings() -> None:
    """What else it imports, it imports in functions, or where it is there, for those who have it."""
    own = modules_of([path for path in DOCTOR if path.name != "pytest_plugin.py"], top=True)
    assert own - sys.stdlib_module_names == {"torch", "markupsafe", "treino_doctor"}


def modules_of(paths: list[Path], top: bool = False) -> set[str]:
    """The packages that files import. top: at the top of the file alone."""
    line = re.compile(rf"^{'' if top else ' *'}(?:from ([a-z_A-Z][\w.]*) import |import ([\w., ]+))", re.M)
    codes = (re.sub(r'"""[^"]*"""', "", TEXTS[path]) for path in paths)
    names = (name for code in codes for found in line.findall(code) for name in "".join(found).split(","))
    return {name.split(".")[0].split(" as ")[0].strip() for name in names}


NAMES_OF_TAGS = """
a b body br button circle code details div figcaption figure g h1 h2 h3 head header html iframe img
input label li link main math meta mfrac mi mn mo mrow mtd mtr nav ol option p path pre rect script
section select span style summary svg table tbody td text th thead title tr ul
"""
TAG = re.compile(rf"(?<!\?P)</?(?:{'|'.join(NAMES_OF_TAGS.split())})(?![\w-])|<!doctype")
OF_FILES = "page_file.py", "file_bytes.py", "verb.py"  # these look for tags in files


def test_markup_is_made_where_it_is_escaped() -> None:
    """Outside base/markup.py no string holds a tag, and none but a constant is declared to be markup."""
    for path, text in TEXTS.items():
        assert not re.search(r"^ *(from html import|import html\b)", text, re.M), path
        if path.name == "markup.py" or not ("Markup(" in text or TAG.search(text)):
            continue
        tree = ast.parse(text)
        declared = set[int]()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Markup":
                constant = all(isinstance(each, ast.Constant) for each in node.args)
                assert constant or path.name == "page_file.py", (path, node.lineno)
                declared |= set(map(id, node.args))
            elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                declared |= {id(each.value) for each in node.body[:1] if isinstance(each, ast.Expr)}
        strings = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        found = [n.value for n in strings if id(n) not in declared and TAG.search(n.value)]
        assert not found or path.name in OF_FILES, (path, found)


def test_a_class_has_a_name_of_its_own() -> None:
    """Two classes of one name are two things that a reader takes for one."""
    texts = [TEXTS[path] for path in OWN if path.is_relative_to(ROOT / "src")]
    count = Counter(name for text in texts for name in re.findall(r"^ *class ([A-Z]\w*)\b", text, re.M))
    assert [name for name, places in count.items() if places > 1] == []


def test_private_parts_of_libraries_are_read_in_one_file() -> None:
    """A private name that treino doesn't give itself; Python's and those of others, which no
    function guards, stand here."""
    texts = {path.name: text for path, text in TEXTS.items() if ROOT / "src" in path.parents}
    known = {"_asdict", "_getframe", "_lru_cache_wrapper", "_modules", "_render_traceback_", "_trial_id"}
    known |= {"_regression"}  # a module of scikit-learn's, in a text
    known |= {name for text in texts.values() for name in re.findall(r"(?:def |self\.|^)(_\w+)", text, re.M)}
    foreign = {
        (file, name)
        for file, text in texts.items()
        for name in re.findall(r"(?<!self)\.(_[a-z]\w*)", text)
        if name not in known
    }
    assert {file for file, _name in foreign} == {"library_parts.py"}, foreign
