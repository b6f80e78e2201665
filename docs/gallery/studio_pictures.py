"""Make the picture of a drawn digit in ``docs/studio.md``: train on MNIST, draw a seven, photograph the page.

python docs/gallery/studio_pictures.py [--chromium /usr/bin/chromium]
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
TRAIN = ["train", "mnist", "--net", "cnn", "--hidden", "32", "--epochs", "2", "--name", "digits"]
SEVEN = (0.28, 0.25), (0.72, 0.25), (0.6, 0.45), (0.45, 0.82)  # shares of the pad's sides
COLOURS = 256


def photograph(page: Page) -> None:
    """The page while a seven is drawn on it."""
    page.get_by_role("button", name="Draw", exact=True).click()
    box = page.locator("#sketch-pad").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    page.get_by_text("it says 7").first.wait_for()
    page.wait_for_timeout(2000)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    image.save(HERE / "studio-pictures.png", optimize=True)
    print(HERE / "studio-pictures.png")


def main() -> None:
    """Train the run, open its page in the studio, and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    chromium = parser.parse_args().chromium
    with tempfile.TemporaryDirectory() as folder:
        treino = [sys.executable, "-m", "treino"]
        subprocess.run([*treino, *TRAIN], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        words = [*treino, "studio", "digits", "--no-browser", "--json"]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                address = json.loads(process.stdout.readline())["studio"]["address"]
                with sync_playwright() as play:
                    browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
                    page.goto(address)
                    photograph(page)
                    browser.close()
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
