"""The page of a run in progress: it waits for the training's own state before it plays the run again."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treino.loop.loop import JobStart
from treino.spec import read_settings
from treino.studio.run_page import AWAITED, RunPage
from treino.training.train import RunJob, training


def test_the_newest_step_of_a_training_is_what_it_shows(tmp_path: Path) -> None:
    events = training("wine", read_settings({"epochs": 500}), parent=tmp_path, lean=True)
    start = next(event for event in events if isinstance(event, JobStart))
    job = start.job
    assert isinstance(job, RunJob)
    frames: list[float] = []

    def send(header: Mapping[str, Any], _body: bytes) -> None:
        if "frame" in header:
            frames.append(time.monotonic())

    page = RunPage("run/wine", job.folder.path, send)
    page.viewers = 1
    page.open()
    page.tick()
    assert frames == []  # it is asked for, and not trained once more here
    assert page.playback.states == {}
    begin = time.monotonic()
    while not frames:
        next(events)
        page.tick()
    assert page.newest is not None
    assert page.newest.step > 0
    assert time.monotonic() - begin < AWAITED
    page.live.close()
    page.open()
    page._awaited = time.monotonic() - 1  # a training whose steps take longer
    shown = len(frames)
    while len(frames) == shown:
        page.tick()
    events.close()  # type: ignore[attr-defined]
