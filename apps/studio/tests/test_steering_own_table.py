"""The acts by which runs are steered most, in a real browser, on a table of one's own: a default ensemble."""

import re
from pathlib import Path

import pytest
from tests.plots.browser import chromium
from tests.reports.export_cases import mixed

from apps.studio.tests.real_studio import commands, real_studio
from apps.studio.tests.test_controls import Walk, pick
from treino.training.replay import snapshots

pytestmark = pytest.mark.release

WORDS = "houses.csv --target price --epochs 4000 --ensemble 4 --hidden 8,6 --name houses --paused"


def test_an_ensemble_of_ones_own_table_is_steered(tmp_path: Path) -> None:
    mixed(120).to_csv(tmp_path / "houses.csv", index=False)
    with real_studio(tmp_path, WORDS.split()) as studio, chromium() as browser:
        walk = Walk(studio, studio.open(browser), "houses")
        per = studio.run("houses").spec.steps_per_epoch
        walk.at(0)
        walk.press("Step")
        walk.at(1)
        walk.press("Epoch")
        walk.at(per)
        plays_and_pauses(walk)
        walk.control("slider", "Time machine").fill("0")  # back to the start, and on
        walk.at(0)
        walk.press("Play")
        walk.record(lambda run: len(run.spec.segments) == 2 and run.status == "running")
        walk.segment = 1
        walk.page.get_by_role("button", name="Pause", exact=True).wait_for()
        walk.press("Pause")
        walk.asked(("pause", None))
        step = paused_at(walk)
        rate = walk.control("textbox", "Learning rate")
        rate.fill("0.01")
        rate.press("Enter")
        walk.asked(("lr", 0.01))
        walk.choose("Batch size", "8")
        walk.opens(step, batch_size=8)
        plays_and_pauses(walk)  # network, boundary and step go on with the loss
        walk.page.reload()
        walk.page.wait_for_selector("main[data-frame]")
        plays_and_pauses(walk)
        step = paused_at(walk)
        walk.press("One more: Units of layer 0")
        walk.opens(step, hidden=[9, 6])
        plays_and_pauses(walk)
        step = paused_at(walk)
        walk.page.get_by_text("As it is taught").click()
        walk.control("switch", "zero_grad forgotten").click()
        walk.opens(step, fault=["missing_zero_grad"])
        walk.press("Branch")
        branch = studio.until("houses-1", lambda run: run.spec.parent is not None)
        assert branch.spec.parent is not None
        assert (branch.spec.parent.run, branch.spec.parent.step) == ("houses", step)
        walk.press(f"Show {branch.name} no more")
        walk.press("Fan out")
        walk.choose("What differs between the futures", "batch sizes")
        walk.choose("What a chosen future becomes", "in this run")
        pick(walk, "batch_size 16")
        walk.opens(step, batch_size=16)
        walk.press("Step")
        walk.at(step + 1)
        walk.press("Stop")
        walk.record(lambda run: run.status == "stopped")
        walk.page.get_by_role("status").get_by_text("stopped").wait_for()
    assert studio.said == []
    run = studio.run("houses")
    (again,) = snapshots(run, [run.steps])
    assert again.loss == float(run.losses[-1])
    assert len(run.spec.segments) == 6


def plays_and_pauses(walk: Walk) -> None:
    """Play shows later and later steps, each with another frame; Pause stays where the training is."""
    step, page = int(re.sub(r"\D", "", walk.page.inner_text("#clock-step"))), walk.page
    walk.press("Play")
    for _look in range(2):
        frame = page.get_attribute("main", "data-frame")
        page.wait_for_function(
            "([frame, step]) => document.querySelector('main').dataset.frame !== frame"
            " && +document.querySelector('#clock-step').innerText.replace(/\\D/g, '') > step",
            arg=[frame, step],
        )
    walk.press("Pause")
    walk.asked(("pause", None))
    paused_at(walk)


def paused_at(walk: Walk) -> int:
    """The step at which the page and the run wait."""
    walk.page.get_by_role("status").get_by_text("paused").wait_for()
    step = (
        walk.record(lambda run: commands(run)[-1:] == [("pause", None)]).folder.database.commands()[-1].step
    )
    assert step is not None
    walk.at(step)
    return step
