"""The studio's first page in a real browser: two columns of a data set, to play with."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from treino.folders import open_run

pytestmark = pytest.mark.slow


def test_two_columns_are_trained_paused_and_played(tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium here")
    studio = subprocess.Popen(
        [sys.executable, "-m", "treino", "studio", "--no-browser", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    try:
        assert studio.stdout is not None
        with sync.sync_playwright() as play:
            page = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page(
                locale="en-US"
            )
            page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(studio.stdout.readline().strip())
            page.get_by_label("Data", exact=True).select_option("wine")
            page.get_by_label("First column").select_option("alcohol")
            page.get_by_label("Second column").select_option("hue")
            page.get_by_role("button", name="Play with two columns").click()
            page.wait_for_url("**/run/wine-1")
            page.get_by_role("status").get_by_text("paused").wait_for()
            page.get_by_role("button", name="Epoch").click()
            page.locator("#clock-epoch", has_text="1").wait_for()
    finally:
        studio.send_signal(signal.SIGINT)
        studio.communicate(timeout=30)
    run = open_run(tmp_path / "runs/wine-1")
    assert run.spec.facts.features == ("alcohol", "hue")
    assert (run.steps, run.status) == (run.spec.steps_per_epoch, "interrupted")
    assert said == []
