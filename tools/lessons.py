"""The lessons as notebooks: ``make lessons`` makes each from its Markdown, which is the only source.

A ``python`` block becomes a cell, a ``sh`` block a cell of ``!`` commands, and what stands between is text. A
``text`` block right after code is what that code prints, a picture of ``pictures/`` what it shows: both
stay out of the notebook, whose cell makes them itself, and the tests compare them with the notebook's run.
``python -m tools.lessons run`` runs the notebooks first and writes these blocks and pictures anew.
"""

import base64
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDERS = ROOT / "apps/lessons/docs/licoes", ROOT / "apps/lessons/docs/lessons"
BLOCK = re.compile(
    r"^```(?P<kind>python|sh|text)\n(?P<text>.*?)^```\n|^!\[[^\n]*\]\((?P<picture>pictures/[^)]+)\)\n",
    re.M | re.S,
)
COLOURS = 96  # of a picture beside a page
BEFORE = """
%reset -f
import os, shlex

from treino.cli import main


def system(line):
    status = main(shlex.split(line)[1:])
    assert status == 0, line


os.chdir({folder!r})
get_ipython().system = system
"""


@dataclass(frozen=True)
class Part:
    """A piece of a page. kind: markdown, python, sh, text (the output of the code before) or picture
    (the file of what that code shows)."""

    kind: str
    text: str


def pages() -> list[Path]:
    """The lessons with code: those of the numbered pages of both folders, in their order."""
    numbered = [page for folder in FOLDERS for page in sorted(folder.glob("[0-9]*.md"))]
    return [page for page in numbered if "\n```python\n" in page.read_text()]


def parts(page: Path) -> list[Part]:
    """The page in its order; nothing is lost except the fences and the empty lines around them."""
    found: list[Part] = []
    rest, code = page.read_text(), False
    while (match := BLOCK.search(rest)) is not None:
        between = rest[: match.start()].strip("\n")
        if between:
            found.append(Part("markdown", between))
        kind, text = match["kind"] or "picture", (match["text"] or match["picture"]).rstrip("\n")
        if kind in ("text", "picture") and (between or not code):
            found.append(Part("markdown", match[0].rstrip("\n")))
        else:
            found.append(Part(kind, text))
        code, rest = kind != "picture" and found[-1].kind != "markdown", rest[match.end() :]
    if rest.strip("\n"):
        found.append(Part("markdown", rest.strip("\n")))
    return found


def notebook(page: Path) -> dict[str, Any]:
    """The page as a notebook (nbformat 4.5), without outputs."""
    cells: list[dict[str, Any]] = []
    for part in parts(page):
        if part.kind in ("text", "picture"):
            continue
        cell: dict[str, Any] = {"cell_type": "markdown", "id": f"{page.stem}-{len(cells)}", "metadata": {}}
        text = part.text
        if part.kind != "markdown":
            cell |= {"cell_type": "code", "execution_count": None, "outputs": []}
        if part.kind == "sh":
            text = "\n".join(f"!{line}" for line in text.splitlines())
        cells.append(cell | {"source": text.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def written(page: Path) -> str:
    return json.dumps(notebook(page), ensure_ascii=False, indent=1) + "\n"


@contextmanager
def kernel() -> Iterator[Any]:
    """A kernel that runs notebooks one after the other: to import torch takes longer than some lessons."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    client.stop_channels()
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def printed(page: Path, folder: Path, manager: Any) -> list[tuple[str, str, bytes | None]]:
    """Run the page's notebook in this folder -> (source, what it printed, the picture) of every code cell.

    Its commands run in the kernel's own process: starting the program anew is most of a small command's time.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.reads(written(page), as_version=4)
    made.cells.insert(0, nbformat.v4.new_code_cell(BEFORE.format(folder=str(folder))))
    client = NotebookClient(made, km=manager, timeout=300)
    try:
        client.execute()
    finally:
        if client.kc is not None:  # a cell that failed has ended it
            client.kc.stop_channels()
    cells = [cell for cell in made.cells[1:] if cell.cell_type == "code"]
    return [(cell.source, "".join(_said(cell)), _shown(cell)) for cell in cells]


def _shown(cell: Any) -> bytes | None:
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            return base64.b64decode(output.data["image/png"])
    return None


def _said(cell: Any) -> Iterator[str]:
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            yield output.text
        elif output.output_type == "execute_result" and "image/png" not in output.data:
            yield output.data["text/plain"] + "\n"


def anew(page: Path, said: list[tuple[str, str, bytes | None]]) -> str:
    """The page with its ``text`` blocks as they were printed now; its pictures are written, too."""
    left, code = iter(said), ""
    png: bytes | None = None

    def block(match: re.Match[str]) -> str:
        nonlocal code, png
        if match["kind"] in ("python", "sh"):
            _source, code, png = next(left)
            return match[0]
        if match["picture"] and png:
            write_picture(page.parent / match["picture"], png)
        if match["picture"] or not code:
            return match[0]
        fresh, code = code, ""
        return "```text\n" + "\n".join(line.rstrip() for line in fresh.rstrip("\n").split("\n")) + "\n```\n"

    return BLOCK.sub(block, page.read_text())


def write_picture(path: Path, png: bytes) -> None:
    """A PNG of few colours, so that it is small."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path.parent.mkdir(exist_ok=True)
    image.save(path, "PNG", optimize=True)


def main(words: list[str]) -> None:
    asked = [Path(w).resolve() for w in words if w != "run"] or pages()
    if "run" in words:
        with kernel() as manager:
            for page in asked:  # each in a folder of its own, into which it writes its exercise
                with tempfile.TemporaryDirectory() as folder:
                    page.write_text(anew(page, printed(page, Path(folder), manager)))
    for page in asked:
        page.with_suffix(".ipynb").write_text(written(page))


if __name__ == "__main__":
    main(sys.argv[1:])
