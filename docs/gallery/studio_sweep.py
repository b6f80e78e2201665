"""Make the picture of a sweep in ``docs/studio.md``: train one, brush it in a real browser, photograph it.

python docs/gallery/studio_sweep.py [--chromium /usr/bin/chromium]
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
SWEEP = [
    "sweep", "wine", "--features", "alcohol,color_intensity,hue", "--space", "lr=1e-4..1e4:log",
    "--space", "hidden=4|16|16,8", "--space", "dropout=0..0.5", "--optimizer", "sgd", "--members", "120",
    "--epochs", "120", "--name", "sweep",
]  # fmt: skip
COLOURS = 256


def photograph(page: Page) -> None:
    """The page, with the networks of learning rates from about 0.01 on."""
    page.locator(".rows tbody tr").first.wait_for()
    page.get_by_label("Axis to narrow").select_option("lr")
    page.get_by_label("from", exact=True).fill("0.26")
    page.wait_for_timeout(500)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    image.save(HERE / "studio-sweep.png", optimize=True)
    print(HERE / "studio-sweep.png")


def main() -> None:
    """Train the sweep, open its page in the studio, and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    chromium = parser.parse_args().chromium
    with tempfile.TemporaryDirectory() as folder:
        treino = [sys.executable, "-m", "treino"]
        subprocess.run([*treino, *SWEEP], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        words = [*treino, "studio", "sweep", "--no-browser", "--json"]
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
