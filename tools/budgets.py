"""The lines of each wing and app, and what ``budgets.toml`` allows. ``python -m tools.budgets`` lowers it.

A budget is exceeded by one line too many; it is undershot if more than 2 % are left, and then the number
is lowered in the same commit. No number rises unless another falls by as much.
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "budgets.toml"
SLACK = 0.02  # share of a budget that may be left unused
DOORS = "doors"  # files of the core beside its wings, and cli/


def lines(*folders: Path) -> int:
    """The lines of Python in these folders (or files), except scripts that are data."""
    paths = [p for f in folders for p in ([f] if f.is_file() else sorted(f.rglob("*.py")))]
    return sum(p.read_text().count("\n") for p in paths if "scripts" not in p.parts and "bed" not in p.parts)


def sources() -> dict[str, int]:
    """``{wing or app: lines of its sources}``."""
    core = ROOT / "src/treino"
    wings = [p for p in sorted(core.iterdir()) if (p / "__init__.py").exists() and p.name != "cli"]
    found = {wing.name: lines(wing) for wing in wings}
    found[DOORS] = lines(core / "cli", *core.glob("*.py"))
    found |= {f"apps/{app.name}": lines(app / "src") for app in _apps()}
    return found | {"doctor": lines(ROOT / "doctor/src")}


def tests() -> dict[str, int]:
    """``{wing or app: lines of its tests}``; ``doors``: those of cli/, of journeys, and of the whole."""
    folder = ROOT / "tests"
    wings = {name: lines(folder / name) for name in sources() if (folder / name).is_dir()}
    found = wings | {DOORS: lines(folder) - sum(wings.values())}
    found |= {f"apps/{app.name}": lines(app / "tests") for app in _apps()}
    return found | {"doctor": lines(ROOT / "doctor/tests")}


def _apps() -> list[Path]:
    return sorted(p for p in (ROOT / "apps").iterdir() if (p / "src").is_dir())


def budgets() -> dict[str, dict[str, int]]:
    """What ``budgets.toml`` allows: ``{"sources": {name: lines}, "tests": {name: lines}}``."""
    return tomllib.loads(FILE.read_text())


def counted() -> dict[str, dict[str, int]]:
    """The present numbers of lines, in the form of ``budgets``."""
    return {"sources": sources(), "tests": tests()}


def main() -> int:
    """Lower each budget to the present number of lines; return 1 if one is exceeded."""
    allowed, there, exceeded = budgets(), counted(), False
    text = "# Lines of Python that each wing and app may have: see tools/budgets.py. They only go down.\n"
    for part, of_part in there.items():
        text += f"\n[{part}]\n"
        for name, count in of_part.items():
            most = allowed.get(part, {}).get(name, count)
            if count > most:
                print(f"{part} of {name}: {count} lines, {most} are allowed")
                exceeded = True
            text += f'"{name}" = {most if count > most * (1 - SLACK) else count}\n'
    FILE.write_text(text)
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
