"""The lines of Python of four parts, and the most that ``budgets.toml`` allows each.

``python -m tools.budgets`` prints both. The numbers are set by hand, about 3 % above what is there, so that a
mend has room; they fall when a change that removed much is complete.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "budgets.toml"


def lines(*folders: Path) -> int:
    """The lines of Python in these folders, except scripts that are data."""
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return sum(p.read_text().count("\n") for p in paths if "scripts" not in p.parts and "bed" not in p.parts)


def counted() -> dict[str, int]:
    """The present numbers of lines, by the names of ``budgets.toml``."""
    apps = ROOT / "apps"
    return {
        "core": lines(ROOT / "src"),
        "apps": lines(*apps.glob("*/src")),
        "doctor": lines(ROOT / "doctor/src"),
        "tests": lines(ROOT / "tests", ROOT / "doctor/tests", *apps.glob("*/tests")),
    }


def budgets() -> dict[str, int]:
    """What ``budgets.toml`` allows."""
    return tomllib.loads(FILE.read_text())


if __name__ == "__main__":
    for name, count in counted().items():
        print(f"{name}: {count} lines of {budgets()[name]}")
