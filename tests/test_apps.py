"""Apps use the core's public modules alone, and each can be deleted."""

import ast
import re
from importlib import import_module
from inspect import isclass, isfunction
from pathlib import Path

import pytest
from tools import without

ROOT = Path(__file__).parent.parent
LIST = (ROOT / "apps/README.md").read_text()
PUBLIC = set(re.findall(r"^\| `(treino[\w.]*)` \|", LIST, re.M))
SOURCES = sorted(p for p in ROOT.glob("apps/*/src/**/*.py") if p.parent.name != "scripts")
IMPORTS = {
    (str(node.module), alias.name)
    for path in SOURCES
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "treino"
    for alias in node.names
}


def test_apps_import_what_is_public_and_everything_that_is_public_is_needed() -> None:
    modules = {f"{m}.{name}" if f"{m}.{name}" in PUBLIC else m for m, name in IMPORTS}
    assert modules == PUBLIC
    assert len(PUBLIC) <= 40


def test_every_function_and_class_that_apps_use_is_documented() -> None:
    values = {key: getattr(import_module(key[0]), key[1], None) for key in IMPORTS}
    documented = {key: v.__doc__ for key, v in values.items() if isfunction(v) or isclass(v)}
    assert not [key for key, text in documented.items() if not text]


def test_apps_import_no_other_app() -> None:
    for path in SOURCES:
        own = next(part for part in path.parts if part.startswith("treino_"))
        others = set(re.findall(r"^\s*(?:from|import) (treino_\w+)", path.read_text(), re.M))
        assert others <= {own, "treino_doctor"}, path


@pytest.mark.proof
def test_the_core_stands_without_any_app(tmp_path: Path) -> None:
    """Its tests are collected here, and run before a release without each app in turn."""
    without.check(without.apps(), tmp_path)


@pytest.mark.release
@pytest.mark.parametrize("app", without.apps())
def test_the_tests_of_the_core_pass_without_an_app(app: str, tmp_path: Path) -> None:
    without.check([app], tmp_path, whole=True)
