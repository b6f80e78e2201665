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
IMPORTS = [
    (path, node, alias.name)
    for path in sorted(
        p for s in ROOT.glob("apps/*/src") for p in s.rglob("*.py") if p.parent.name != "scripts"
    )
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "treino"
    for alias in node.names
]


def test_apps_import_what_is_public_and_everything_that_is_public_is_needed() -> None:
    modules = {
        f"{node.module}.{name}" if f"{node.module}.{name}" in PUBLIC else str(node.module)
        for _path, node, name in IMPORTS
    }
    assert modules == PUBLIC
    assert len(PUBLIC) <= 40


def test_every_function_and_class_that_apps_use_is_documented() -> None:
    values = {
        (node.module, name): getattr(import_module(str(node.module)), name, None)
        for _p, node, name in IMPORTS
    }
    bare = [
        key for key, value in values.items() if (isfunction(value) or isclass(value)) and not value.__doc__
    ]
    assert not bare


def test_apps_import_no_other_app() -> None:
    for path in (p for s in ROOT.glob("apps/*/src") for p in s.rglob("*.py")):
        own = next(part for part in path.parts if part.startswith("treino_"))
        others = set(re.findall(r"^\s*(?:from|import) (treino_\w+)", path.read_text(), re.M))
        assert others <= {own, "treino_doctor"}, path


@pytest.mark.proof
@pytest.mark.parametrize("app", without.apps())
def test_the_rest_stands_without_an_app(app: str, tmp_path: Path) -> None:
    """Its core's tests are collected here, and run before a release."""
    without.check(app, tmp_path)


@pytest.mark.release
@pytest.mark.parametrize("app", without.apps())
def test_the_tests_of_the_core_pass_without_an_app(app: str, tmp_path: Path) -> None:
    without.check(app, tmp_path, whole=True)
