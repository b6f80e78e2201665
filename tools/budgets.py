"""The lines of Python of the core, of the whole and of the tests, and the most that their owners allow.

``python -m tools.budgets`` prints both. The ceilings stand in ``../shared/budgets.toml``, outside the tree,
so that no change raises the ceiling that it would break; a clone alone has none.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT.parent / "shared" / "budgets.toml"


def lines(*folders: Path) -> int:
    """The lines of all Python files in these folders."""
    return sum(path.read_text().count("\n") for folder in folders for path in sorted(folder.rglob("*.py")))


def counted() -> dict[str, int]:
    """The present numbers of lines, by the names of ``[ceiling]``."""
    core, doctor, apps = ROOT / "src", ROOT / "doctor/src", sorted((ROOT / "apps").iterdir())
    tests_of_apps = [app / "tests" for app in apps]
    return {
        "core": lines(core),
        "all": lines(core, doctor, *apps) - lines(*tests_of_apps),
        "tests": lines(ROOT / "tests", ROOT / "doctor/tests", *tests_of_apps),
    }


def ceilings() -> dict[str, int] | None:
    """The most lines that each may have; None where the file isn't there."""
    return tomllib.loads(FILE.read_text())["ceiling"] if FILE.is_file() else None


if __name__ == "__main__":
    most = ceilings() or {}
    for name, count in counted().items():
        print(f"{name}: {count} lines of {most.get(name, 'no known ceiling')}")
