"""The studio in cells of a real JupyterLab in a real browser: what is done there is in the run's folder."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import safetensors.torch

from apps.studio.tests.browsing import browser
from apps.studio.tests.jupyter_lab import JupyterLab, Notebook, jupyter_lab
from apps.studio.tests.real_studio import commands
from treino.base.errors import TreinoError
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import segments_of
from treino.training.stored_results import open_run

__all__ = ["browser"]
BEGIN = "import treino as tr\ntr.studio('wine', paused=True, epochs=100_000, patience=0)"
UNTIL = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)"


@contextmanager
def wine(lab: JupyterLab, browser: Any, name: str) -> Iterator[Notebook]:
    """A notebook that trains wine in its first cell, paused; the second runs until there is a file ``go``."""
    opened = lab.open(browser, name, [BEGIN, UNTIL])
    opened.run(0)
    opened.studio()
    try:
        yield opened
    finally:
        lab.ask(f"kernels/{opened.kernel['id']}", "DELETE")
        opened.page.context.close()


@pytest.mark.release
def test_what_the_studio_does_in_cells(browser: Any, tmp_path: Path) -> None:
    with jupyter_lab(tmp_path) as lab, wine(lab, browser, "steered") as notebook:
        it_is_steered(notebook)
        a_cell_that_runs_leaves_it_its_pace(notebook)
        a_cell_run_twice_trains_another_and_two_cells_share_one(notebook)
        a_kernel_that_is_restarted_saves(notebook)


def run_in(notebook: Notebook, name: str) -> StoredRun | None:
    with suppress(TreinoError):  # it is being written
        return open_run(notebook.runs / name, verify=False)
    return None


def until_run(notebook: Notebook, true: Any, name: str = "wine-1") -> StoredRun:
    """The run, once this holds of what its folder holds."""
    return notebook.wait(lambda: (run := run_in(notebook, name)) and true(run) and run)  # type: ignore[no-any-return]


def step(studio: Any) -> int:
    return int("".join(c for c in studio.locator("#clock-step").inner_text() if c.isdigit()))


def press(studio: Any, name: str) -> None:
    studio.get_by_role("button", name=name, exact=True).click()


def it_is_steered(notebook: Notebook) -> None:
    studio = notebook.studio()
    press(studio, "Play")
    notebook.wait(lambda: step(studio) > 100)
    press(studio, "Pause")
    until_run(notebook, lambda run: [name for name, _ in commands(run)][-2:] == ["play", "pause"])

    studio.locator("#lr").fill("0.05")
    studio.locator("#lr").press("Enter")
    until_run(notebook, lambda run: ("lr", 0.05) in commands(run))

    studio.locator("#name").click()
    studio.locator("body").press("ArrowLeft")
    notebook.wait(lambda: studio.locator("#status").get_attribute("data-kind") == "past")
    press(studio, "Play")
    run = until_run(notebook, lambda run: len(segments_of(run.spec)) == 2)
    assert segments_of(run.spec)[1].origin is not None
    notebook.wait(lambda: studio.locator("#play.on").count())
    press(studio, "Pause")
    notebook.wait(lambda: not studio.locator("#play.on").count())

    press(studio, "Fan out")
    notebook.wait(lambda: studio.locator("#fan-grid button").count() > 1)
    press(studio.locator("#fanout"), "Close")

    press(studio, "Stop")
    until_run(notebook, lambda run: run.status == "stopped")
    press(studio, "Save")
    with notebook.page.expect_download() as download:
        studio.get_by_role("button", name="Weights safetensors").click()
    assert download.value.suggested_filename.endswith(".safetensors")
    assert safetensors.torch.load_file(download.value.path())
    notebook.page.locator(".treino-studio-stored").wait_for(state="hidden")


def a_cell_that_runs_leaves_it_its_pace(notebook: Notebook) -> None:
    studio = notebook.studio()
    press(studio, "Play")
    notebook.run(1)
    before = step(studio)
    notebook.wait(lambda: step(studio) > before + 100)
    assert not (notebook.path.parent / "go").exists()
    (notebook.path.parent / "go").touch()
    press(studio, "Pause")
    until_run(notebook, lambda run: commands(run)[-1][0] == "pause")


def a_cell_run_twice_trains_another_and_two_cells_share_one(notebook: Notebook) -> None:
    notebook.run(0)
    notebook.wait(lambda: (notebook.runs / "wine-2").is_dir())
    notebook.wait(lambda: notebook.studio().locator("#name").inner_text() == "wine-2")
    assert notebook.page.locator("iframe[title='treino studio']").count() == 1  # the old page is gone

    notebook.cell(1).locator(".cm-content").fill("tr.open('wine-2').studio()")
    notebook.run(1)
    second = notebook.studio(1)
    second.get_by_role("button", name="Steer here").click()
    press(second, "Step")
    notebook.wait(lambda: step(second) == 1)
    notebook.studio(0).get_by_role("button", name="Steer here").wait_for()
    notebook.wait(lambda: step(notebook.studio(0)) == 1)


def a_kernel_that_is_restarted_saves(notebook: Notebook) -> None:
    studio, page = notebook.studio(), notebook.page
    studio.get_by_role("button", name="Steer here").click()
    press(studio, "Play")
    notebook.wait(lambda: step(studio) > 50)
    pid = kernel_process(notebook)
    children = psutil.Process(pid).children(recursive=True)
    notebook.command("notebook:restart-kernel")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    studio.get_by_text("The kernel was restarted or has ended").wait_for()
    until_run(notebook, lambda run: run.status == "interrupted", "wine-2")
    notebook.wait(lambda: not any(child.is_running() for child in children))

    notebook.command("docmanager:save")
    notebook.wait(lambda: "treino-studio-stored" in notebook.path.read_text())
    page.reload()
    page.get_by_text("Run the cell again to have it back").first.wait_for()
    notebook.wait(lambda: notebook.kernel["execution_state"] == "idle")
    notebook.cell(0).locator(".cm-content").fill("import treino as tr\ntr.open('wine-2').studio()")
    notebook.run(0)
    press(notebook.studio(), "Play")
    until_run(notebook, lambda run: run.status == "running", "wine-2")


def kernel_process(notebook: Notebook) -> int:
    (found,) = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(notebook.kernel["id"] in word for word in process.info["cmdline"] or ())
    ]
    return found
