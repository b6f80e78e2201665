"""Make the pictures of ``docs/studio.md``: steer a network in a real browser, and photograph the page.

python docs/gallery/studio.py [--chromium /usr/bin/chromium]
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
COMMAND = (
    "studio wine --features alcohol,color_intensity --hidden 8,6 --activation tanh --epochs 400 --patience 0"
)
COLOURS = 256


def keep(page: Page, name: str) -> None:
    """The page as a PNG of few colours."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    image.save(HERE / f"{name}.png", optimize=True)
    print(HERE / f"{name}.png")


def steer(page: Page) -> None:
    """Two epochs, a larger learning rate, twenty more, then what is photographed."""
    page.get_by_role("button", name="Epoch").wait_for()
    for _epoch in range(24):
        page.get_by_role("button", name="Epoch").click()
        page.wait_for_timeout(120)
    rate = page.get_by_label("Learning rate", exact=True).first
    rate.fill("0.05")
    rate.press("Enter")
    for _epoch in range(24):
        page.get_by_role("button", name="Epoch").click()
        page.wait_for_timeout(120)
    page.wait_for_timeout(1500)


def main() -> None:
    """Photograph a steered run in light, dark and Portuguese, and a fan of its futures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    chromium = parser.parse_args().chromium
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "treino", *COMMAND.split(), "--paused", "--no-browser", "--json"]
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            address = json.loads(process.stdout.readline())["studio"]["address"]
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
                page.goto(address)
                steer(page)
                keep(page, "studio-light")
                page.get_by_role("button", name="Fan out").click()
                page.wait_for_timeout(8000)
                keep(page, "studio-fan")
                page.keyboard.press("Escape")
                page.emulate_media(color_scheme="dark")
                page.goto(f"{page.url.partition('?')[0]}?lang=pt&theme=dark")
                page.wait_for_timeout(4000)
                keep(page, "studio-dark")
                browser.close()
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
