"""Make the pictures of ``docs/gallery.md``: run its commands in an empty folder, keep what they draw.

    python docs/gallery/make.py [--chromium /usr/bin/chromium]

PNGs are brought to 256 colours and at most 1000 pixels; pages are photographed in light and dark.
"""

import argparse
import io
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
PICTURES = {
    "untrained": "untrained/untrained.png",
    "film": "runs/wine-a/pictures/film.png",
    "boundary": "runs/wine-a/pictures/boundary.png",
    "curves": "runs/wine-a/pictures/curves.png",
    "dynamics": "runs/wine-a/pictures/dynamics.png",
    "both-curves": "both/curves-of-several.png",
    "both-line": "both/line.png",
    "landscape": "runs/wine-a/pictures/landscape.png",
    "path": "runs/wine-a/pictures/path.png",
    "walker": "runs/wine-a/pictures/walker.png",
    "weights": "runs/wine-c/pictures/weights.png",
    "confusion": "runs/wine-c/pictures/confusion.png",
    "importance": "runs/wine-c/pictures/importance.png",
    "dependence": "runs/wine-c/pictures/dependence.png",
    "mnist-weights": "mnist/weights.png",
    "mnist-mistakes": "mnist/mistakes.png",
    "study": "runs/batches/pictures/curves.png",
    "tradeoff": "runs/batches/pictures/tradeoff.png",
    "parallel": "runs/many/pictures/parallel.png",
    "sweep-importance": "runs/many/pictures/importance.png",
    "slices": "runs/many/pictures/slices.png",
    "sweep-curves": "runs/many/pictures/curves.png",
    "boundaries": "runs/many/pictures/boundaries.png",
}
PAGES = {
    "player": ("runs/wine-a/pictures/film.html", 800),
    "explain": ("adam.html", 1200),
    "report": ("runs/wine-a/exports/report.html", 1400),
}
WIDTH = 1000  # pixels


def commands() -> list[str]:
    """The page's commands, in their order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (HERE.parent / "gallery.md").read_text(), re.M | re.S)
    return "".join(blocks).splitlines()


def small(content: bytes) -> bytes:
    """A PNG of at most so many pixels across, in 256 colours."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def photographs(place: Path, chromium: str | None) -> None:
    """The top of every page, in light and dark."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (path, height) in PAGES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(color_scheme=scheme, viewport={"width": 1000, "height": height})
                page.goto((place / path).resolve().as_uri())
                (HERE / f"{name}-{scheme}.png").write_bytes(small(page.screenshot()))
                page.close()
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--chromium", default=None, help="the browser; default: playwright's own")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for command in commands():
            print(command, flush=True)
            words = [sys.executable, "-m", *shlex.split(command)]
            subprocess.run(words, cwd=place, check=True, stdout=subprocess.DEVNULL)
        for name, path in PICTURES.items():
            (HERE / f"{name}.png").write_bytes(small((place / path).read_bytes()))
        (HERE / "network.svg").write_bytes((place / "runs/moons-a/pictures/network.svg").read_bytes())
        photographs(place, asked.chromium)


if __name__ == "__main__":
    main()
