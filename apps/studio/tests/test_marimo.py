"""The studio in a cell of a real marimo."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.waiting import HANG, until

from apps.studio.tests.browsing import browser
from apps.studio.tests.jupyter_lab import free_port
from treino.training.stored_results import open_run

__all__ = ["browser"]
BOOK = """
import marimo
app = marimo.App(width="full")
@app.cell
def _():
    import treino as tr
    tr.studio("wine", paused=True, epochs=100_000, patience=0)
    return (tr,)
"""


@pytest.mark.release
def test_the_studio_plays_in_marimo_and_ends_with_it(browser: Any, tmp_path: Path) -> None:
    for module in ("marimo", "anywidget"):
        pytest.importorskip(module, reason=f"needs {module}: pip install {module}")
    (tmp_path / "book.py").write_text(BOOK)
    site = f"http://127.0.0.1:{(port := free_port())}/"
    line = [
        sys.executable, "-m", "marimo", "edit", "book.py", "--headless", "--no-token",
        "--host=127.0.0.1", f"--port={port}", "--skip-update-check",
    ]  # fmt: skip
    own = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    with (tmp_path / "marimo.log").open("w") as log:
        process = subprocess.Popen(line, cwd=tmp_path, env=os.environ | own, stdout=log, stderr=log)
    try:
        until(lambda: _answers(site), process)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.set_default_timeout(1000 * HANG)
        page.goto(site)
        page.locator(".cm-content").first.click()
        page.keyboard.press("Control+Enter")
        studio = page.frame_locator("iframe[title='treino studio']")
        studio.locator("main[data-frame]").wait_for()
        studio.get_by_role("button", name="Play", exact=True).click()
        step = studio.locator("#clock-step")
        until(lambda: len(step.inner_text()) > 2, meanwhile=lambda: page.wait_for_timeout(20))
    finally:
        process.terminate()
        process.wait(HANG)
    until(lambda: open_run(tmp_path / "runs/wine-1", verify=False).status == "interrupted")


def _answers(site: str) -> bool:
    try:
        with urlopen(site, timeout=HANG):
            return True
    except URLError:
        return False
