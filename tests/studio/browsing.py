"""A real browser, and what the tests of pages ask it for."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plots.browser import chromium
from tests.waiting import HANG

AXE = (
    "async () => (await axe.run(document)).violations.map(v => [v.impact, v.id, v.nodes[0].target.join(' ')])"
)
WIDE = """() => [...document.querySelectorAll('body *')].filter(n => n.checkVisibility()
  && !n.closest('.lenses, .rows, .figures, .table-behind')
  && n.getBoundingClientRect().right > innerWidth + 1).map(n => n.id || n.className).slice(0, 5)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs node, whose npm fetches axe-core")
    line = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    if subprocess.run(line, cwd=folder, capture_output=True, timeout=HANG).returncode:
        pytest.skip("needs node, whose npm could not fetch axe-core")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()
