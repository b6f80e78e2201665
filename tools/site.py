"""The pages of the documentation site, from ``docs/``, ``doctor/docs/``, the README and the public names.

``python -m tools.site`` writes them, the playground and ``llms.txt`` into ``build/pages``; ``make site``
makes the site from them with MkDocs.
"""

import inspect
import os
import re
import shutil
from pathlib import Path

import treino
from tools.links import PLAYGROUND
from treino_studio.playground.page import page as playground

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "build" / "pages"
FOLDERS = ROOT / "docs", ROOT / "doctor" / "docs", *sorted((ROOT / "apps").glob("*/docs"))
OTHERS = {
    "README.md": "index.md", "ARCHITECTURE.md": "architecture.md", "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "policy.md", "README.pt-BR.md": "comecar.md",
}  # fmt: skip
LINK = re.compile(r"(!?\[[^\]]*\]\()(?!\w+:)([^)\s]+?)(\))")
LEFT_OUT = ("docs/gallery/*.py", "lessons/docs/*.py", PLAYGROUND, "*.pyc")


def main() -> None:
    shutil.rmtree(PAGES, ignore_errors=True)
    names = {
        path.relative_to(ROOT).as_posix(): path.relative_to(folder).as_posix()
        for folder in FOLDERS
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(path.match(left_out) for left_out in LEFT_OUT)
    }
    names = {old: re.sub(r"README\.md$", "index.md", new) for old, new in names.items()} | OTHERS
    places = names | {
        path.relative_to(ROOT).as_posix(): "play.html" for path in ROOT.glob(f"apps/*/docs/*/{PLAYGROUND}")
    }
    for old, new in names.items():
        target = PAGES / new
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".md":
            target.write_text(linked((ROOT / old).read_text(), old, new, places))
        else:
            shutil.copyfile(ROOT / old, target)
    (PAGES / "api.md").write_text(api())
    (PAGES / "play.html").write_text(playground())
    with (PAGES / "playground.md").open("a") as file:
        file.write("\n[Open the playground](play.html).\n")
    (PAGES / "llms.txt").write_text(llms(os.environ.get("SITE_URL", "")))


def linked(text: str, old: str, new: str, names: dict[str, str]) -> str:
    """A page's text, with its links to files of the repository changed to links to the site's pages."""

    def moved(found: re.Match[str]) -> str:
        path, mark, anchor = found[2].partition("#")
        if not path:
            return found[0]
        full = (ROOT / old).parent.joinpath(path).resolve()
        place = full.relative_to(ROOT).as_posix() if full.is_relative_to(ROOT) else ""
        place = place + "/README.md" if place + "/README.md" in names else place
        if place not in names:  # a file of the repository that is no page: its name alone
            known = bool(place) and full.exists() and not found[1].startswith("!")
            return found[1].removeprefix("[").removesuffix("](") if known else found[0]
        up = "../" * new.count("/")
        return f"{found[1]}{up}{names[place]}{mark}{anchor}{found[3]}"

    return LINK.sub(moved, text)


def api() -> str:
    """A page of all public names, which mkdocstrings fills from their docstrings."""
    lines = ["# Python", "", "`import treino as tr`: these are its names.", ""]
    for name in dir(treino):  # those that apps bring, too
        value = getattr(treino, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            lines += [f"::: {value.__module__}.{value.__qualname__}", ""]
    return "\n".join(lines)


def llms(site: str) -> str:
    """A list of all pages for language models, by the form of llmstxt.org: title, address, first sentence.

    Sections and pages are those of the site's table of contents.
    """
    lines = ["# treino", "", f"> {_opening('index.md')}"]
    for line in (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2].splitlines():
        section, page = re.match(r"  - (.+):$", line), re.search(r"[\w\-/]+\.md$", line)
        if section:
            lines += ["", f"## {section[1]}", ""]
        elif page and page[0] not in ("index.md", "api.md"):
            title = re.search(r"^# (.+)", (PAGES / page[0]).read_text(), re.MULTILINE)
            address = site + re.sub(r"(index)?\.md$", lambda end: "" if end[1] else "/", page[0])
            name = title[1].replace("`", "") if title else page[0]
            lines.append(f"- [{name}]({address}): {_opening(page[0])}".rstrip(": "))
    return "\n".join(lines) + "\n"


def _opening(page: str) -> str:
    """The first sentence of a page, without links."""
    paragraphs = re.sub(r"```.*?```", "", (PAGES / page).read_text(), flags=re.DOTALL).split("\n\n")
    plain = next((text for text in paragraphs if re.match(r"[\w`*]", text)), "")
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(plain.split()))
    return re.split(r"(?<=[.?!]) (?=[A-ZÀ-Ý`*])", text)[0]


if __name__ == "__main__":
    main()
