"""Joins the scripts and styles of the studio's pages, to the same bytes anywhere: ``python -m tools.pages``.

It needs what ``npm ci`` installs, and writes beside itself what the files were built of, for a test that
builds nothing.
"""

import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path

from treino_studio.page_file import BUILT, PACKAGE

ROOT = Path(__file__).parent.parent
SOURCES = [PACKAGE / "page", PACKAGE / "playground/web"]
BUILDER = Path(__file__).with_suffix(".mjs")
RECORD = Path(__file__).with_suffix(".json")
TEXT = re.compile(r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"")


def sources_hash() -> str:
    """The hash of all that the files are made of, and of how."""
    found = [path for folder in SOURCES for end in ("js", "css") for path in folder.rglob(f"*.{end}")]
    own = [path for path in found if BUILT not in path.parents]
    paths = [*own, BUILDER, Path(__file__), ROOT / "LICENSE"]
    digest = sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build(folder: Path) -> None:
    """Write the files into the folder."""
    subprocess.run(["node", BUILDER, folder], check=True, cwd=ROOT)
    texts = json.dumps(_texts(), ensure_ascii=False, indent=0)
    (folder / "texts.json").write_text(texts + "\n", encoding="utf-8")


def record() -> dict[str, str]:
    """The hashes of the shipped files and of their sources, and what builds them."""
    tool = json.loads((ROOT / "package.json").read_text())["devDependencies"]["esbuild"]
    files = {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(BUILT.iterdir())}
    return {"tool": f"esbuild {tool}", "sources": sources_hash(), **files}


def _texts() -> list[str]:
    """The texts in modules that show sentences of treino's: ``playground/sentences.py`` translates some."""
    modules = [path.read_text() for path in (PACKAGE / "playground/web").glob("*.js")]
    shown = [module for module in modules if "/sentences.js'" in module]
    found = {re.sub(r"\\(.)", r"\1", a or b) for module in shown for a, b in TEXT.findall(module)}
    return sorted(found)


if __name__ == "__main__":
    build(BUILT)
    RECORD.write_text(json.dumps(record(), indent=1) + "\n")
