"""A real browser, and what the tests of pages ask it for."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

AXE = (
    "async () => (await axe.run(document)).violations.map(v => [v.impact, v.id, v.nodes[0].target.join(' ')])"
)
WIDE = """() => [...document.querySelectorAll('body *')].filter(n => n.checkVisibility()
  && !n.closest('.lenses, .rows')
  && n.getBoundingClientRect().right > innerWidth + 1).map(n => n.id || n.className).slice(0, 5)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium here")
    with sync.sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core comes through npm, which is not here")
    line = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    if subprocess.run(line, cwd=folder, capture_output=True, timeout=60).returncode:
        pytest.skip("axe-core can't be fetched here")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()
