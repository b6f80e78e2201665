"""The page of a script in a real browser, before a real studio that runs a real script."""

import os
import re
import signal
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

from apps.studio.tests.real_studio import RealStudio, real_studio
from apps.studio.tests.scripts import script

pytestmark = pytest.mark.release

PRELUDE = """
import os, sys, time, torch
from torch import nn
torch.manual_seed(0)
x = torch.randn(60, 5); y = (x.sum(1) > 0).long()
net = nn.Linear(5, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10**6)
criterion = nn.CrossEntropyLoss()
"""
TRAINS = """
epochs = 10**5
for epoch in range(epochs):
    for k in torch.arange(40).split(10):
        optimizer.zero_grad()
        criterion(net(x[k]), y[k]).backward()
        optimizer.step()
        time.sleep(0.002)
    with torch.no_grad():
        out = net(x[40:])
        print(f"epoch {epoch + 1}/{epochs}: val_loss={criterion(out, y[40:]):.4f}")
    if epoch == 1: print("a warning of the script", file=sys.stderr)
"""
FAILS = """
for step in range(5):
    optimizer.zero_grad()
    criterion(net(x), y).backward()
    optimizer.step()
def broken(): raise ValueError("no such rows")
broken()
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("script")
    script(folder, TRAINS, prelude=PRELUDE)
    with real_studio(folder, ["train.py"]) as found:
        yield found
    assert found.said == []


@pytest.fixture(scope="module")
def page(studio: RealStudio, browser: Any) -> Any:
    page = studio.open(browser, permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector("#script-0-0-lr")
    return page


STEP = r"step ([\d\u202f]+)"


def number(page: Any, pattern: str) -> int:
    """A number in the line of progress."""
    found = re.search(pattern, page.inner_text("#script-progress"))
    return int(found[1].replace("\u202f", "")) if found else 0


def test_figures_output_and_the_time_left_come_as_the_script_makes_them(page: Any) -> None:
    page.wait_for_selector("#script-output .err")
    assert page.inner_text("#script-output .err") == "a warning of the script"
    page.wait_for_function("() => document.querySelectorAll('#script-output p').length > 5")
    lines = page.locator("#script-output p").all_inner_texts()
    assert re.fullmatch(r"epoch 1/100000: val_loss=\d\.\d{4}", lines[0])
    legend = page.locator(".script .legend li")
    page.wait_for_function("() => document.querySelector('.script .legend').textContent.includes('accuracy')")
    assert {"loss, training", "loss, validation", "accuracy, validation"} <= {*legend.all_inner_texts()}
    page.wait_for_function("() => /of about/.test(document.querySelector('#script-progress').textContent)")
    assert 300_000 < number(page, r"of about ([\d\u202f]+)") < 500_000
    assert "left" in page.inner_text("#script-progress")
    assert "treino studio train.py --findings" in page.inner_text("#script-findings"), "no panel is empty"


def test_what_the_page_shows_outlives_a_reload(page: Any) -> None:
    """Curves from the first step on, output, the line of progress; the chart's axis as it was chosen."""
    log = page.get_by_role("button", name="log").first
    log.click()
    chosen = log.get_attribute("aria-pressed")
    before = number(page, STEP)
    page.reload()
    page.wait_for_selector("#script-output .err")
    page.wait_for_function(
        "() => document.querySelector('.script .legend')?.textContent.includes('accuracy')"
    )
    assert number(page, STEP) >= before
    assert log.get_attribute("aria-pressed") == chosen
    canvas = page.locator(".script canvas").first
    box = canvas.bounding_box()
    canvas.hover(position={"x": 60, "y": box["height"] / 3})
    page.wait_for_selector("#tip:not([hidden])")
    assert "loss, training" in page.inner_text("#tip")


def test_nonsense_is_refused_beside_its_field(page: Any) -> None:
    for text, sentence in (
        ("quick", "“quick” is no number"),
        ("-1", "A number from 0 to"),
        ("", "“” is no number"),
    ):
        page.fill("#script-0-0-lr", text)
        page.press("#script-0-0-lr", "Tab")
        assert page.inner_text("#refused-script-0-0-lr").startswith(sentence)
    assert "None yet" in page.inner_text("#script-changes"), "the script was not asked"
    page.fill("#script-0-0-momentum", "1")
    page.press("#script-0-0-momentum", "Tab")
    assert page.inner_text("#refused-script-0-0-momentum") == "A number from 0 to below 1."


def test_a_change_says_until_when_and_how_it_is_made_again(page: Any, studio: RealStudio) -> None:
    page.fill("#script-0-0-lr", "0,05")
    page.press("#script-0-0-lr", "Tab")
    page.wait_for_selector("#script-changes li:has-text('0.1 → 0.05')")
    assert "until the scheduler's next step" in page.inner_text("#script-changes")
    page.wait_for_selector(".until")
    assert page.is_hidden("#refused-script-0-0-lr")
    assert page.inner_text("#script-replay code") == "treino studio train.py --replay train.steering.jsonl"
    assert (studio.runs.parent / "train.steering.jsonl").is_file()
    page.click("#script-replay button")
    until(lambda: page.evaluate("() => navigator.clipboard.readText()").startswith("treino studio train.py"))


def test_a_checkpoint_stays_under_a_press_while_the_script_goes_on(page: Any) -> None:
    page.check("#script-keep")
    page.click("#script-mark")
    page.wait_for_selector("#script-track .marked")
    page.click("#script-play")
    page.wait_for_selector("#script-play:has-text('Play')")
    stop = page.locator("#script-track .marked")
    stop.hover()
    page.mouse.down()
    box, steps = stop.bounding_box(), number(page, STEP)
    page.evaluate("document.querySelector('#script-play').click()")
    until(lambda: number(page, STEP) > 1.5 * steps)
    assert stop.bounding_box() == box
    page.mouse.up()
    page.wait_for_selector("#rewind-lr")
    until(lambda: stop.bounding_box() != box)
    stop.click()  # which lets it go
    page.wait_for_selector("#rewind-lr", state="detached")


def test_rewind_fan_out_and_keep_one(page: Any, studio: RealStudio) -> None:
    """Through the page alone; what it says of the branches is what lies in their folders."""
    page.fill("#script-0-0-lr", "0.05")
    page.press("#script-0-0-lr", "Tab")
    page.wait_for_selector("#script-changes li:has-text('→ 0.05')")
    page.check("#script-keep")
    page.wait_for_selector("#script-track .stop")
    page.click("#script-mark")
    page.wait_for_selector("#script-track .marked")
    page.locator("#script-track .marked").first.click()
    page.wait_for_selector("#rewind-lr")
    assert page.input_value("#rewind-lr") == "0.05"
    page.fill("#rewind-lr", "much")
    page.click("#script-rewind")
    assert page.inner_text("#refused-rewind-lr").startswith("“much” is no number")
    page.fill("#rewind-lr", "0.5")
    page.click("#script-rewind")
    page.wait_for_selector("#script-branches .chosen:has-text('branch-1')")
    page.wait_for_selector("#script-branches li:has-text('asleep') button")
    page.wait_for_function("() => document.querySelector('#script-0-0-lr')?.value === '0.5'")
    said = page.inner_text("#script-branches .chosen")
    assert (studio.runs.parent / said.rpartition(" in ")[2].strip()).is_dir()
    page.wait_for_selector(".script .legend li:has-text('branch-1')")
    page.fill("#script-fan-values", "0.1 0.1")
    page.click("#script-fan-out")
    assert page.inner_text("#refused-script-fan-values").startswith("Two to eight numbers")
    page.fill("#script-fan-values", "0.01 0.1 1")
    page.fill("#script-fan-steps", "20")
    page.click("#script-fan-out")
    page.wait_for_selector("#script-futures li:nth-child(3)")
    page.wait_for_function("() => document.querySelector('#script-fan').textContent.includes('20 of 20')")
    page.locator("#script-futures button").nth(1).click()
    page.wait_for_selector("#script-fan", state="hidden")
    page.wait_for_function("() => document.querySelector('#script-0-0-lr')?.value === '0.1'")
    page.wait_for_selector("#script-branches li:has-text('first process') button")
    page.locator("#script-branches li:has-text('first process') button").click()
    page.wait_for_selector("#script-branches .chosen:has-text('first process')")
    page.wait_for_function("() => document.querySelector('#script-0-0-lr')?.value === '0.05'")


def test_the_page_says_why_a_script_has_ended(browser: Any, tmp_path: Path) -> None:
    path = script(tmp_path, FAILS, prelude=PRELUDE)
    line = path.read_text().splitlines().index('def broken(): raise ValueError("no such rows")') + 1
    with real_studio(tmp_path, ["train.py", "--findings"]) as studio:
        page = studio.open(browser)
        page.wait_for_selector("#script-reason:not([hidden])")
        assert page.inner_text("#script-reason") == f"It failed: ValueError: no such rows (line {line})"
        assert page.inner_text("#script-findings") == "Nothing was found."
    script(tmp_path, TRAINS, prelude="import os; open('pid', 'w').write(str(os.getpid()))\n" + PRELUDE)
    with real_studio(tmp_path, ["train.py"]) as studio:
        page = studio.open(browser)
        page.wait_for_selector("#script-0-0-lr")
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        page.wait_for_selector("#script-reason:not([hidden])")
        assert "SIGKILL" in page.inner_text("#script-reason")


@pytest.mark.parametrize("catches", [False, True])
def test_a_stop_of_ones_own_is_no_failure(browser: Any, tmp_path: Path, catches: bool) -> None:
    """Also where the script catches it and ends as it likes; after a reload it stands there as before."""
    text = "try:\n" + textwrap.indent(TRAINS, "    ") + "except KeyboardInterrupt: sys.exit(3)\n"
    script(tmp_path, text if catches else TRAINS, prelude=PRELUDE)
    with real_studio(tmp_path, ["train.py"]) as studio:
        page = studio.open(browser)
        page.wait_for_selector("#script-0-0-lr")
        page.click("#script-stop")
        for _again in range(2):
            page.wait_for_selector("#script-reason[data-kind=good]:not([hidden])")
            assert page.inner_text("#script-reason") == "It was stopped from the studio."
            assert page.inner_text("#script-progress").startswith("stopped · ")
            page.reload()
