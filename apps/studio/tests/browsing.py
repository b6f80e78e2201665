"""A real browser, and what the tests of pages ask it for."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
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


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return _axe()


@cache
def _axe() -> str:
    """... from npm, once."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs node, whose npm fetches axe-core")
    line = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(line, cwd=folder, capture_output=True, timeout=HANG).returncode:
            pytest.skip("needs node, whose npm could not fetch axe-core")
        return (Path(folder) / "node_modules/axe-core/axe.min.js").read_text()
