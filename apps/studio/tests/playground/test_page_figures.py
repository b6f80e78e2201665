"""Every figure of the playground's page of one network equals that of the command that trains the same."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.studio.tests.browsing import DRAWN
from apps.studio.tests.page_numbers import Rule
from apps.studio.tests.run_figures import RunFigures, command_line
from apps.studio.tests.test_every_figure import rested, walked

pytestmark = pytest.mark.release


@pytest.mark.parametrize("data", ["moons", "plane"])
def test_every_figure_of_the_playground_equals_the_command_line(tab: Any, tmp_path: Path, data: str) -> None:
    step = int(np.random.default_rng(len(data)).integers(120, 400))
    one = tab(f"#data={data}&hidden=5&lr=0.02&seed=4&step={step}", script=DRAWN, bypass_csp=True).ready()
    page = one.page
    page.locator("#clock-step", has_text=re.compile(f"^{step}$")).wait_for()
    one.button("Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table").click()
    (tmp_path / download.value.suggested_filename).write_bytes(Path(download.value.path()).read_bytes())
    one.button("Save").click()
    page.get_by_role("button", name="The command that trains the same").click()
    words = shlex.split(page.locator("#text-body").inner_text())[1:]
    page.keyboard.press("Escape")
    command_line(tmp_path, *words, "--name", "run", "--json")
    figures = RunFigures(tmp_path / "runs/run")
    rested(page)
    planned: dict[str, Rule] = {"value #epochs": lambda cells: {int(cells[0].replace("\u202f", ""))}}
    left = walked(page, figures, step, **planned)
    for past in (step // 2, 0):
        rested(page, past)
        left += walked(page, figures, past, **planned)
    assert not left, "\n".join(left)
