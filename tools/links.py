"""What the docs promise and a clone can't keep: links that lead nowhere, commands that don't work."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

FOLDERS = "docs", "doctor", "apps", "src", "benchmarks/tabarena", ".github"
LINK = re.compile(r"\]\(([^)\s]+)\)")
PLAYGROUND = "play.md"  # says how to open what its links speak of: on the site they lead to the page itself
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
OURS = re.compile(r"(?<![\w./-])treino(?:-doctor)?(?![\w.-])(?:\[([\w{}]+)\])?")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    heads = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).replace("`", "").lower() for head in heads)
    return {re.sub(r"[^\w\- ]", "", head).strip().replace(" ", "-") for head in plain}


def pages(root: Path) -> list[Path]:
    """The pages and notebooks of a tree: those at its root, and those of its folders that have docs."""
    return sorted([*root.glob("*.md"), *_files(root, "*.md"), *_files(root, "*.ipynb")])


def lost(root: Path) -> Iterator[tuple[Path, str, Path]]:
    """Yield (page, link, what it should lead to) for each link of a tree that leads nowhere."""
    for page in pages(root):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for link in (link for link in LINK.findall(text) if not re.match(r"\w+:", link)):
            path, _mark, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            named = anchor and target.suffix == ".md" and target.name != PLAYGROUND
            if not target.exists() or (named and anchor not in anchors(target)):
                yield page, link, target


def idle(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, command) for each command of a page or a sentence that can't work in a clone of the tree.

    That is a program, or a target of make, that isn't there, and the installation of what PyPI hasn't: treino
    by its name. With an extra the name is right, for pip finds the treino that is installed.
    """
    targets = re.findall(r"^([\w-]+):", (root / "Makefile").read_text(), re.MULTILINE)
    for page in pages(root):
        for code in CODE.findall(page.read_text()):
            for words in re.findall(r"(?:^|&&|`)\s*make +([\w -]+)", code, re.MULTILINE):
                yield from ((page, f"make {word}") for word in words.split() if word not in targets)
            for module in re.findall(r"python -m ((?:tools|benchmarks)[\w.]*)", code):
                place = root / module.replace(".", "/")
                if not (place.with_suffix(".py").exists() or (place / "__main__.py").exists()):
                    yield page, f"python -m {module}"
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    words = "*.po", "words.json", "*.yml"
    for path in (*pages(root), *(path for pattern in words for path in _files(root, pattern))):
        for mark, line in re.findall(r"(!?)pip install ([^\n`&,;#]*)", path.read_text()):
            for found in () if "--no-index" in line else OURS.finditer(line):  # from a folder, not from PyPI
                extra = found[1] or ""
                if mark or not (extra in extras or extra == "{name}"):
                    yield path, f"{mark}pip install {line}"


def _files(root: Path, pattern: str) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (root / folder).rglob(pattern)
