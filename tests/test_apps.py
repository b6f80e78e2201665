"""Apps use the core's public modules alone, and each can be deleted."""

import re
from pathlib import Path

import pytest
from tools import without

ROOT = Path(__file__).parent.parent


def test_apps_import_no_other_app() -> None:
    for path in (p for s in ROOT.glob("apps/*/src") for p in s.rglob("*.py")):
        own = next(part for part in path.parts if part.startswith("treino_"))
        others = set(re.findall(r"^\s*(?:from|import) (treino_\w+)", path.read_text(), re.M))
        assert others <= {own, "treino_doctor"}, path


@pytest.mark.slow
@pytest.mark.parametrize("app", without.apps())
def test_the_rest_stands_without_an_app(app: str, tmp_path: Path) -> None:
    """Its core's tests are collected here, and run before a release."""
    without.check(app, tmp_path)


@pytest.mark.release
@pytest.mark.parametrize("app", without.apps())
def test_the_tests_of_the_core_pass_without_an_app(app: str, tmp_path: Path) -> None:
    without.check(app, tmp_path, whole=True)
