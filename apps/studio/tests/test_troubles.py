"""A browser that is killed or sleeps, and a disk without room, while a run is watched and steered: the run
stays whole, and the page says what is."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.plots.browser import chromium
from tests.waiting import until

import treino
from apps.studio.tests.real_studio import browser_process, commands, real_studio
from treino.folders.stored_run import StoredRun
from treino.training.replay import snapshots

pytestmark = pytest.mark.release

LINE = "wine --features alcohol,color_intensity --hidden 6,4 --epochs 100000 --patience 0 --paused"
WORDS = LINE.split()
QUICK_HEART = """
import functools, sys, uvicorn
uvicorn.Config = functools.partial(uvicorn.Config, ws_ping_interval=0.5, ws_ping_timeout=1.0)
from treino.cli import main
sys.exit(main())
"""  # what else notices after 40 seconds that nobody is there


def whole(run: StoredRun) -> None:
    """Every file is as the manifest says, and the last step plays again to the same bit."""
    found = treino.open(run.path)
    assert isinstance(found, StoredRun)
    (again,) = snapshots(found, [found.steps])
    assert again.loss == float(found.losses[-1])


def test_a_browser_that_slept_shows_the_present_and_does_nothing_twice(tmp_path: Path) -> None:
    program = (sys.executable, "-c", QUICK_HEART)
    with (
        real_studio(tmp_path, WORDS, program) as studio,
        chromium() as browser,
        browser_process(browser, tmp_path / "profile") as (group, other),
    ):
        page = other.contexts[0].new_page()
        page.clock.install()
        studio.shown(page)
        page.wait_for_selector("main[data-frame]")
        page.get_by_label("Speed", exact=True).select_option(label="10 steps/s")
        page.get_by_role("button", name="Play", exact=True).click()
        page.get_by_role("button", name="Pause", exact=True).wait_for()
        page.get_by_label("Learning rate, as a slider").fill("-2")
        studio.until("wine-1", lambda run: ("lr", 0.01) in commands(run))
        os.killpg(group, signal.SIGSTOP)  # whether it has heard the answer or not
        guest = studio.open(browser)

        def steers() -> bool:
            guest.reload()
            guest.wait_for_selector("main[data-frame]")
            return bool(guest.locator("#play").is_enabled())

        until(steers, studio.process)  # once the server has had no sign of who sleeps, who doesn't steer
        guest.get_by_role("button", name="Pause", exact=True).click()
        guest.get_by_role("status").get_by_text("paused").wait_for()
        rate = guest.get_by_label("Learning rate", exact=True)
        rate.fill("0.05")
        rate.press("Enter")
        studio.until("wine-1", lambda run: ("lr", 0.05) in commands(run))
        step = guest.inner_text("#clock-step")
        guest.context.close()
        os.killpg(group, signal.SIGCONT)
        page.clock.fast_forward("01:00:00")
        page.get_by_role("status").get_by_text("paused").wait_for()
        page.locator("#connection").wait_for(state="hidden")
        page.wait_for_selector("#play:enabled")
        assert page.inner_text("#clock-step") == step
        rate = page.get_by_label("Learning rate", exact=True)
        until(lambda: rate.input_value() == "0.05", meanwhile=lambda: page.wait_for_timeout(10))
        page.get_by_role("button", name="Step", exact=True).click()
        run = studio.until("wine-1", lambda run: ("step", 1) in commands(run))
        page.wait_for_timeout(1000)
        played = [c for c in commands(run)[2:] if c[0] != "lr"]  # after those that it began with
        assert played == [("speed", 10), ("play", None), ("pause", None), ("step", 1)]
        assert [c for c in commands(run) if c[0] == "lr"] == [("lr", 0.01), ("lr", 0.05)]


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    """A disk of that size in this folder; the test is skipped where none can be mounted."""
    path.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if os.geteuid() or subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path: Path) -> None:
    """Leave no room on the disk."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_ends_the_training_with_a_word_and_what_was_saved_goes_on(tmp_path: Path) -> None:
    small = tmp_path / "small"
    with small_disk(small, "6m"), real_studio(small, WORDS) as studio, chromium() as browser:
        page = studio.open(browser)
        page.get_by_label("Speed", exact=True).select_option(label="60 steps/s")
        page.get_by_role("button", name="Play", exact=True).click()
        saved = studio.until("wine-1", lambda run: len(run.losses) > 150)
        fill(small / "filler")
        page.get_by_text("there is no room left").first.wait_for()
        page.get_by_role("status").get_by_text("interrupted").wait_for()
        (small / "filler").unlink()
        losses = saved.losses[:100]
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("button", name="Pause", exact=True).wait_for()
        run = studio.until("wine-1", lambda run: run.status == "running" and len(run.losses) > 200)
        assert run.losses[:100].tolist() == losses.tolist()
        page.get_by_role("button", name="Stop", exact=True).click()
        whole(studio.until("wine-1", lambda run: run.status == "stopped"))
        assert not (run.path / "live").exists()
