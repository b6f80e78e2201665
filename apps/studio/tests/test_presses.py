"""What is pressed says so in the same task, before anything is answered; pressed twice it means once."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

import treino as tr
from apps.studio.tests.real_studio import RealStudio, commands, real_studio
from apps.studio.tests.scripts import script
from apps.studio.tests.test_script_page import PRELUDE, TRAINS

pytestmark = pytest.mark.release
PRESS = """button => { const was = button.outerHTML;
  button.click();
  const said = button.outerHTML !== was;
  button.click();
  return said || button.closest('[hidden]') !== null; }"""


class Holding:
    """A page whose commands are held back from here on, so that none is answered. sent: those."""

    def __init__(self, page: Any, pattern: str) -> None:
        self.page, self.on, self.sent = page, False, list[dict[str, Any]]()
        page.route_web_socket(re.compile(pattern), self._line)

    def _line(self, line: Any) -> None:
        self.line, server = line, line.connect_to_server()

        def say(text: str) -> None:
            message = json.loads(text)
            if self.on and "do" in message and message["do"] != "hello":
                self.sent.append(message)
            else:
                server.send(text)

        line.on_message(say)
        server.on_message(line.send)

    def press(self, selector: str) -> tuple[bool, list[str]]:
        """Press a button twice in one task; whether it said so then, and what was sent."""
        self.on, self.sent = True, []
        said = self.page.locator(selector).evaluate(PRESS)
        self.page.wait_for_timeout(100)
        return said, [each["do"] for each in self.sent]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("presses")
    tr.fit("wine", name="over", parent=folder / "runs", patience=0, epochs=10)
    with real_studio(folder, ["wine", "--epochs", "400", "--paused"]) as found:
        yield found
    assert found.said == []


@pytest.mark.parametrize(
    ("button", "verb"),
    [
        ("play", "play"),
        ("step", "step"),
        ("epoch", "epoch"),
        ("stop", "stop"),
        ("branch", "branch"),
        ("fan", "fan"),
        ("full", "speed"),
    ],
)
@pytest.mark.parametrize("run", ["wine-1", "over"])
def test_a_button_of_a_runs_page_says_at_once_that_it_was_pressed(
    studio: RealStudio, browser: Any, run: str, button: str, verb: str
) -> None:
    page = studio.open(browser, "home")
    held = Holding(page, "/socket/run/")
    page.goto(f"{studio.site}run/{run}?lang=en")
    page.wait_for_selector("#branch:enabled")
    if page.locator(f"#{button}").is_visible() and page.locator(f"#{button}").is_enabled():
        counts = 2 if run == "wine-1" and button in ("step", "epoch") else 1  # presses add up
        assert held.press(f"#{button}") == (True, counts * [verb])
    else:
        assert (run, button) in {("over", "stop"), ("over", "full")}
    page.context.close()


def test_what_is_pressed_twice_is_done_once_and_the_speed_chosen_after_the_end_is_kept(
    studio: RealStudio, browser: Any
) -> None:
    page = studio.open(browser, "home")
    page.goto(f"{studio.site}run/over?lang=en")
    page.wait_for_selector("#branch:enabled")
    page.locator("#speed").select_option(label="10 steps/s")
    page.locator("#play").dblclick(delay=30)
    run = studio.until("over", lambda run: run.status == "running")
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    assert run.timeline.settings_at()["epochs"] == 20  # for as long again, once
    assert page.locator("#speed").input_value() == "10"
    page.locator("#play").dblclick(delay=30)
    page.get_by_role("status").get_by_text("paused").wait_for()
    page.wait_for_timeout(500)
    assert commands(studio.run("over"))[-1] == ("pause", None)
    before = len(list(studio.runs.iterdir()))
    page.locator("#branch").dblclick(delay=30)
    page.locator(".notice", has_text="begins at step").wait_for()
    page.wait_for_timeout(500)
    assert len(list(studio.runs.iterdir())) == before + 1
    page.locator("#stop").dblclick(delay=30)
    studio.until("over", lambda run: run.status == "stopped")
    page.context.close()


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_a_long_replay_can_be_left(studio: RealStudio, browser: Any, way: str) -> None:
    """What the studio says while it replays; leaving asks for the step that was in view."""
    page = studio.open(browser, "home")
    held = Holding(page, "/socket/run/")
    page.goto(f"{studio.site}run/over?lang=en")
    page.wait_for_selector("#branch:enabled")
    now, held.on = page.inner_text("#clock-step"), True
    slider = "step => { const time = document.querySelector('#time'); time.value = step;"
    page.evaluate(slider + " time.dispatchEvent(new Event('input')); }", 3)
    until(lambda: held.sent, meanwhile=lambda: page.wait_for_timeout(10))
    assert page.inner_text("#clock-step") == "3"
    held.line.send(json.dumps({"notice": {"kind": "replay", "text": "Replaying the run: step 1 of 3."}}))
    back = page.get_by_role("button", name="Go back to where you were")
    back.wait_for()
    if way == "button":
        back.click()
    else:
        page.keyboard.press("Escape")
    page.wait_for_function("now => document.querySelector('#clock-step').textContent === now", arg=now)
    until(lambda: len(held.sent) == 2, meanwhile=lambda: page.wait_for_timeout(10))
    assert [each["step"] for each in held.sent] == [3, None]
    page.context.close()


def test_a_button_of_a_scripts_page_says_at_once_that_it_was_pressed(browser: Any, tmp_path: Path) -> None:
    script(tmp_path, TRAINS, prelude=PRELUDE + "tr = __import__('treino'); tr.button('own', list)\n")
    with real_studio(tmp_path, ["train.py", "--checkpoints"]) as studio:
        page = studio.open(browser, "home")
        held = Holding(page, "/socket/script")
        page.goto(f"{studio.site}script?lang=en")
        page.wait_for_selector("#script-track .stop")
        page.locator("#script-play").dblclick(delay=30)
        page.locator("#script-progress", has_text="paused").wait_for()
        page.wait_for_timeout(300)
        assert page.locator("#script-play").inner_text() == "Play"
        page.locator("#script-mark").click()
        page.locator("#script-step").click()
        page.locator("#script-track .marked").first.click()
        page.fill("#rewind-lr", "0.5")
        page.locator("#script-rewind").dblclick(delay=30)
        page.wait_for_selector("#script-branches .chosen:has-text('branch-1')")
        page.wait_for_timeout(300)
        assert page.locator("#script-branches li").count() == 2, "one branch"
        page.fill("#script-fan-values", "0.01 0.1 1")
        page.fill("#script-fan-steps", "20")
        page.locator("#script-fan-out").dblclick(delay=30)
        page.wait_for_selector("#script-futures li:nth-child(3)")
        page.wait_for_function("() => document.querySelector('#script-fan').textContent.includes('20 of 20')")
        page.locator("#script-track .stop").first.click()
        for selector, verb in (
            ("#script-futures button >> nth=1", "adopt"),
            ("#script-fan-close", "fan"),
            ("#script-branches button >> nth=0", "return"),
            ("#script-rewind", "rewind"),
            ("#script-fan-out", "fan"),
            ("#script-mark", "checkpoint"),
            ("#script-buttons button", "press"),
            ("#script-step", "step"),
            ("#script-play", "pause" if page.inner_text("#script-play") == "Pause" else "play"),
            ("#script-stop", "stop"),
        ):
            counts = 2 if verb == "step" else 1
            assert held.press(selector) == (True, counts * [verb]), selector
    assert studio.said == []
