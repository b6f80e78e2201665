"""The names that help pages list: entries of registries, read from their source where torch isn't loaded.

Loading torch takes longer than everything else in a help page. Registries that are loaded are used.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from treino.spec import OF_SOME

ROOT = Path(__file__).parent.parent
REGISTRIES = {  # setting -> file and variable
    "activation": ("engine/activations.py", "ACTIVATIONS"),
    "init": ("engine/init.py", "INITS"),
    "loss": ("engine/losses.py", "LOSSES"),
    "metric": ("engine/metrics.py", "METRICS"),
    "optimizer": ("engine/optim.py", "OPTIMIZERS"),
    "schedule": ("engine/schedules.py", "SCHEDULES"),
}


def names(setting: str) -> list[str]:
    """The entries that a setting may name, or the optimizers that read it; empty if it has no registry."""
    loaded = sys.modules.get("treino.engine.registries")
    if loaded is not None:
        entries: list[str] = loaded.names(setting)
        return entries
    if setting in OF_SOME:
        optimizers = dict(_entries(*REGISTRIES["optimizer"]))
        return [name for name, entry in optimizers.items() if setting in _texts(entry)]
    return [name for name, _entry in _entries(*REGISTRIES[setting])] if setting in REGISTRIES else []


def picture_names() -> list[str]:
    """The pictures of a run."""
    loaded = sys.modules.get("treino.pictures.picture_files")
    if loaded is not None:
        return list(loaded.PICTURES)
    files = sorted((ROOT / "pictures").glob("*.py"))
    return [name for file in files for name, _entry in _entries(f"pictures/{file.name}", "PICTURES")]


def _entries(file: str, variable: str) -> Iterator[tuple[str, ast.expr]]:
    """The keys and values of the dict that the file assigns to this variable."""
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.value, ast.Dict):
            continue
        if ast.unparse(node.target) == variable:
            keys = [ast.literal_eval(key) for key in node.value.keys if key is not None]
            yield from zip(keys, node.value.values, strict=True)


def _texts(entry: ast.expr) -> set[object]:
    return {node.value for node in ast.walk(entry) if isinstance(node, ast.Constant)}
