"""Make the pictures of ``apps/studio/docs/studio.md``: steer a network in a real browser, and photograph the page.

python docs/gallery/studio.py [--chromium /usr/bin/chromium]
"""

import tempfile

from playwright.sync_api import Page
from studio_page import chromium, keep, studio_page

COMMAND = "wine --features alcohol,color_intensity --hidden 8,6 --activation tanh --epochs 400 --patience 0"


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
    browser = chromium(__doc__)
    words = [*COMMAND.split(), "--paused"]
    with tempfile.TemporaryDirectory() as folder, studio_page(folder, words, browser) as page:
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


if __name__ == "__main__":
    main()
