"""Links of the docs that lead nowhere: to a file that is not there, or an anchor that a page lacks."""

import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = "docs", "doctor", "apps"
LINK = re.compile(r"\]\(([^)\s]+)\)")
ON_THE_SITE = "apps/lessons/docs/play.html"  # the playground, which tools/site.py writes


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    heads = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).replace("`", "").lower() for head in heads)
    return {re.sub(r"[^\w\- ]", "", head).strip().replace(" ", "-") for head in plain}


def pages(root: Path) -> list[Path]:
    """The pages of a tree: those at its root, and those of its docs, doctor and apps."""
    return sorted(p for of in (root.glob("*.md"), *((root / f).rglob("*.md") for f in FOLDERS)) for p in of)


def lost(root: Path) -> Iterator[tuple[Path, str, Path]]:
    """Yield (page, link, what it should lead to) for each link of a tree that leads nowhere."""
    for page in pages(root):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for link in (link for link in LINK.findall(text) if not re.match(r"\w+:", link)):
            path, _mark, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            there = target.exists() or target == root.resolve() / ON_THE_SITE
            if not there or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                yield page, link, target
