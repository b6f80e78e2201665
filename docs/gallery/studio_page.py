"""A studio in a real browser, for the scripts that photograph it."""

import argparse
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
COLOURS = 256


def chromium(about: str | None) -> str:
    """The path of the browser that the command line names."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    return str(parser.parse_args().chromium)


@contextmanager
def studio_page(folder: str, words: Sequence[str], browser: str) -> Iterator[Page]:
    """The page of ``treino studio`` with these words, run in this folder; the studio ends with it."""
    command = [sys.executable, "-m", "treino", "studio", *words, "--no-browser", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = json.loads(process.stdout.readline())["studio"]["address"]
            with sync_playwright() as play:
                opened = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
                page = opened.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
                page.goto(address)
                yield page
                opened.close()
        finally:
            process.terminate()


def keep(page: Page, name: str) -> None:
    """Write the page as a PNG of few colours."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    image.save(HERE / f"{name}.png", optimize=True)
    print(HERE / f"{name}.png")
