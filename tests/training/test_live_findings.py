"""Looks at runs of treino's own while they train: what is wrong is found, right ones are left alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.test_own_findings import RIGHT, WRONG
from treino.engine import Tick, TrainingLoop
from treino.folders.access import Access
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.settings.spec import read_settings
from treino.training.findings import LiveFindings
from treino.training.loop import JobEnd, JobStart
from treino.training.replay import Playback
from treino.training.train import train_events

LOOKS = 40
SOON = 60  # the step by which what is wrong is found
LATER = {"vanishing_gradient": 150}  # ... where a hundred steps have to be at chance


def _stop_at(engine: TrainingLoop, steps: list[int]) -> None:
    """End each of its ticks at the next of these steps."""
    advance = engine.advance

    def shorter(seconds: float | None = None, until: int | None = None, look: Any = None) -> Tick:
        return advance(seconds, min([*(s for s in steps if s > engine.step), until or engine.steps]), look)

    engine.advance = shorter


def found(
    folder: Path, source: Any, net: nn.Module | None = None, last: float = np.inf, **asked: Any
) -> dict[str, int]:
    """Each rule that any look up to the last step found, with the step at which it appeared first."""
    told: dict[str, int] = {}
    events = train_events(source, read_settings(asked), net=net, parent=folder / "runs", lean=True)
    live: LiveFindings | None = None
    steps: list[int] = []
    for event in events:
        if isinstance(event, JobEnd):
            break
        if isinstance(event, JobStart):
            job = event.job
            engine = job.training
            steps = np.unique(np.geomspace(3, engine.steps, LOOKS).astype(int)).tolist()
            _stop_at(engine, steps)
            continue
        job.folder.database.flush()
        run = StoredRun(RunFolder.open(job.folder.path, verify=False), Access(net=net), job.data)
        loss_S = run.losses
        if live is None:
            live = LiveFindings(Playback(run, job.data))
        if engine.step not in steps or len(loss_S) < engine.step:
            continue
        steps.remove(engine.step)
        before = engine.state.population.params.clone()
        live.look(run, Playback(run, job.data).live_snapshot(0, engine.save(), loss_S), loss_S, ["en"])
        assert torch.equal(before, engine.state.population.params)
        for each in live.by_language["en"]:
            told.setdefault(each["rule"], live.first_seen[each["rule"]])
        if engine.step > last:
            break
    return told


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.sampled(2)
def test_a_wrong_setting_is_found_on_the_way(what: str, tmp_path: Path) -> None:
    source, asked, rule = WRONG[what]
    soon = LATER.get(rule, SOON)
    told = found(tmp_path, source, last=soon, **asked)
    if what == "a rate that diverges within 5 steps":  # at its end the rate is found, too
        rule = "non_finite_loss"
    assert rule in told
    assert told[rule] <= soon


@pytest.mark.slow
@pytest.mark.parametrize(("source", "asked"), RIGHT, ids=[f"{s} {a}" for s, a in RIGHT])
@pytest.mark.sampled(8)
def test_a_right_run_is_left_alone(source: str, asked: dict[str, Any], tmp_path: Path) -> None:
    assert found(tmp_path, source, **asked) == {}
