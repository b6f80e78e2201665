"""Deletes apps from a copy of the tree and tries the rest: ``python -m tools.without judge [--whole]``.

The copy's core is tried by ``treino --help``, ``treino train wine``, the sentence that an app's verb or
picture then says, the links of the docs, and the collection of its tests that name an app; with ``--whole``
by its tests.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.links import lost

ROOT = Path(__file__).parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", "*.egg-info", "build", "site", ".*_cache", "runs")
ENTRY = re.compile(r'^(\w+) = "(treino_\w+)\.')


def apps() -> list[str]:
    """The names of all apps."""
    return sorted(path.parent.name for path in (ROOT / "apps").glob("*/src"))


def copied_without(gone: Sequence[str], folder: Path) -> Path:
    """A copy of the tree in ``folder``, without these apps' folders."""
    tree = folder / "treino"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT, symlinks=True)
    for app in gone:
        shutil.rmtree(tree / "apps" / app)
    return tree


def tried(tree: Path, *command: str) -> str:
    """The output of a command of the copy's core.

    Raises:
        RuntimeError: the command failed; the message has its output.
    """
    places = [tree / "src", tree / "doctor/src", *sorted(tree.glob("apps/*/src")), tree]
    # -S: finders of an editable installation would import the apps of this tree
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, [*places, *_site_packages(tree.parent)])),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-S", *command], cwd=tree, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)}: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
    return done.stdout


def _site_packages(folder: Path) -> list[Path]:
    """Folders of links to all that is installed but treino's own packages, which are those of the copy."""
    packages = {path.parent.name for path in ROOT.glob("**/src/*/__init__.py")}
    links = []
    for k, site in enumerate(path for path in sys.path if path.endswith("site-packages")):
        links.append(folder / f"installed-{k}" / "site-packages")  # by this name others know such a folder
        if links[-1].exists():
            continue
        links[-1].mkdir(parents=True)
        for path in Path(site).iterdir():
            if path.name not in packages:
                (links[-1] / path.name).symlink_to(path)
    return links


def brought(app: str, group: str) -> list[str]:
    """The names that the app brings to this group, by the table of entry points."""
    table = (ROOT / "pyproject.toml").read_text().partition(f'."{group}"]')[2].partition("\n[")[0]
    return [m[1] for line in table.splitlines() if (m := ENTRY.match(line)) and m[2] == f"treino_{app}"]


def check(gone: Sequence[str], folder: Path, *, whole: bool = False) -> None:
    """Try the tree without these apps in ``folder``.

    Raises:
        RuntimeError: what doesn't work without them.
    """
    tree = copied_without(gone, folder)
    page = tried(tree, "-m", "treino", "--help")
    for verb in (verb for app in gone for verb in brought(app, "treino.verbs")):
        if re.search(rf"^\W{{,3}}{verb}\b", page, re.M):
            raise RuntimeError(f"treino --help lists {verb}, which went with its app")
        answer = tried(tree, "-c", f"from treino.cli import main; assert main(['{verb}', '--json']) == 2")
        if '"app_missing"' not in answer:
            raise RuntimeError(f"treino {verb} does not say that the app is missing: {answer}")
    tried(tree, "-m", "treino", "train", "wine", "--epochs", "2")
    for name in (name for app in gone for name in brought(app, "treino.pictures")):
        words = ["plot", "--what", name, "--json"]
        if '"app_missing"' not in tried(
            tree, "-c", f"from treino.cli import main; assert main({words}) == 2"
        ):
            raise RuntimeError(f"treino plot does not say that the app of the picture {name} is missing")
    own = [tree.resolve() / "apps" / app for app in gone]
    left = [(page, link) for page, link, target in lost(tree) if not any(map(target.is_relative_to, own))]
    if left:
        raise RuntimeError(f"links to what is not there: {left}")
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not release"]
    naming = re.compile(rf"treino_({'|'.join(gone)})\b")
    if whole:
        tried(tree, *pytest, "tests")
    elif files := [str(p) for p in tree.glob("tests/**/test_*.py") if naming.search(p.read_text())]:
        tried(tree, *pytest, "--collect-only", "-n", "0", *files)


def main(words: Sequence[str]) -> int:
    """Try the tree without each named app; without names, without each app in turn."""
    for app in [word for word in words if not word.startswith("--")] or apps():
        with tempfile.TemporaryDirectory() as folder:
            check([app], Path(folder), whole="--whole" in words)
        print(f"without {app}: all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
