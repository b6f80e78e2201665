"""The studio's first page in a real browser: two columns of a data set to play with, a table of one's own."""

import random
import re
from pathlib import Path

import pytest
from tests.plots.browser import chromium

from apps.studio.tests.real_studio import real_studio

pytestmark = pytest.mark.release


def test_two_columns_are_trained_paused_and_played(tmp_path: Path) -> None:
    with real_studio(tmp_path, []) as studio, chromium() as browser:
        page = studio.open(browser)
        page.locator("#home-data").select_option("wine")
        page.get_by_label("First column").select_option("hue")
        page.get_by_label("Second column").select_option("alcohol")
        page.get_by_role("button", name="Play with two columns").click()
        page.wait_for_url("**/run/wine-1")
        page.get_by_role("status").get_by_text("paused").wait_for()
        page.get_by_role("button", name="Epoch").click()
        page.locator("#clock-epoch", has_text=re.compile("^1$")).wait_for()
    run = studio.run("wine-1")
    assert run.spec.facts.features == ("hue", "alcohol")
    assert run.spec.asked["recipe"] == "plain"
    assert (run.steps, run.status) == (run.spec.steps_per_epoch, "interrupted")
    assert studio.said == []


def test_a_table_whose_target_nobody_knows_asks_for_it(tmp_path: Path) -> None:
    rows = [",".join(f"{random.Random(k).random() + j:.4f}" for j in range(4)) for k in range(60)]
    (tmp_path / "plain.csv").write_text("\n".join(["alpha,beta,gamma,delta", *rows]))
    with real_studio(tmp_path, []) as studio, chromium() as browser:
        page = studio.open(browser)
        page.locator("#home-file").set_input_files(tmp_path / "plain.csv")
        page.get_by_text("Which column is to be predicted? Choose the target; likely: delta.").wait_for()
        target = page.get_by_label("Target", exact=True)
        assert target.input_value() == ""
        page.get_by_role("button", name="Train a network").click()
        page.get_by_text("Which column is to be predicted? Choose the target.").wait_for()
        assert page.evaluate("document.activeElement.id") == "home-target"
        assert [each.name for each in studio.runs.iterdir()] == [".uploads"]
        target.select_option("gamma")
        page.get_by_text("Choose the target; likely").wait_for(state="detached")
        options = page.get_by_label("First column").locator("option").all_inner_texts()
        assert options == ["alpha", "beta", "delta"]
        page.get_by_role("checkbox", name="begin paused").check()
        page.get_by_role("button", name="Train a network").click()
        page.wait_for_url("**/run/*")
        page.wait_for_selector("main[data-frame]")
        name = page.url.rpartition("/")[2]
    assert studio.run(name).spec.asked["target"] == "gamma"
    run = studio.run(name)  # the table is there, though the studio is not
    assert (run.status, run.data.target) == ("interrupted", "gamma")
    assert studio.said == []
