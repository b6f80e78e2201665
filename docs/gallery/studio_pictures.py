"""Make the picture of a drawn digit in ``apps/studio/docs/studio.md``: train on MNIST, draw a seven, photograph the page.

python docs/gallery/studio_pictures.py [--chromium /usr/bin/chromium]
"""

import subprocess
import sys
import tempfile

from playwright.sync_api import Page
from studio_page import chromium, keep, studio_page

TRAIN = ["train", "mnist", "--net", "cnn", "--hidden", "32", "--epochs", "2", "--name", "digits"]
SEVEN = (0.28, 0.25), (0.72, 0.25), (0.6, 0.45), (0.45, 0.82)  # shares of the pad's sides


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
    keep(page, "studio-pictures")


def main() -> None:
    """Train the run, open its page in the studio, and photograph it."""
    browser = chromium(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "treino", *TRAIN]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with studio_page(folder, ["digits"], browser) as page:
            photograph(page)


if __name__ == "__main__":
    main()
