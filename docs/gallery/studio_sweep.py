"""Make the picture of a sweep in ``apps/studio/docs/studio.md``: train one, brush it in a real browser, photograph it.

python docs/gallery/studio_sweep.py [--chromium /usr/bin/chromium]
"""

import subprocess
import sys
import tempfile

from playwright.sync_api import Page
from studio_page import chromium, keep, studio_page

SWEEP = [
    "sweep", "wine", "--features", "alcohol,color_intensity,hue", "--space", "lr=1e-4..1e4:log",
    "--space", "hidden=4|16|16,8", "--space", "dropout=0..0.5", "--optimizer", "sgd", "--members", "120",
    "--epochs", "120", "--name", "sweep",
]  # fmt: skip


def photograph(page: Page) -> None:
    """The page, with the networks of learning rates from about 0.01 on."""
    page.locator(".rows tbody tr").first.wait_for()
    page.get_by_label("Axis to narrow").select_option("lr")
    page.get_by_label("from", exact=True).fill("0.26")
    page.wait_for_timeout(500)
    keep(page, "studio-sweep")


def main() -> None:
    """Train the sweep, open its page in the studio, and photograph it."""
    browser = chromium(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "treino", *SWEEP]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with studio_page(folder, ["sweep"], browser) as page:
            photograph(page)


if __name__ == "__main__":
    main()
