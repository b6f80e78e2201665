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
    """A page whose commands are held back from here on, so that none is answered. sent: those. passed: verbs
    that are not. state: what the page is told of its folder, in place of what is; told: all of it."""

    def __init__(self, page: Any, pattern: str, *passed: str, **state: Any) -> None:
        self.page, self.on, self.sent = page, False, list[dict[str, Any]]()
        self.passed, self.state, self.told = ("hello", *passed), state, ""
        page.route_web_socket(re.compile(pattern), self._line)

    def _line(self, line: Any) -> None:
        self.line, server = line, line.connect_to_server()

        def say(text: str) -> None:
            message = json.loads(text)
            if self.on and message.get("do", "hello") not in self.passed:
                self.sent.append(message)
            else:
                server.send(text)

        def hear(text: str | bytes) -> None:
            message = json.loads(text) if self.state and isinstance(text, str) else {}
            if "state" in message:
                text = self.told = json.dumps({"state": message["state"] | self.state})
            line.send(text)

        line.on_message(say)
        server.on_message(hear)

    def refuse(self) -> None:
        """Refuse what was sent."""
        for each in self.sent:
            error = {"rule": "studio_busy", "message": f"Not {each['do']} now.", "hint": ""}
            self.line.send(json.dumps({"reply": each["id"], "error": error}))

    def press(self, selector: str, counts: int = 1) -> tuple[bool, list[str]]:
        """Press a button twice in one task; whether it said so then, and what was sent: so much, or more."""
        self.on, self.sent = True, []
        said = self.page.locator(selector).evaluate(PRESS)
        until(lambda: len(self.sent) >= counts, meanwhile=lambda: self.page.wait_for_timeout(10))
        self.page.wait_for_timeout(100)
        return said, [each["do"] for each in self.sent]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("presses")
    how: dict[str, Any] = {"parent": folder / "runs", "epochs": 10}
    tr.fit("wine", name="over", patience=0, **how)
    tr.fit("wine", name="past", patience=0, **how)
    tr.sweep("wine", {"lr": "1e-3..1e-1:log"}, members=4, name="own", **how)
    tr.study("wine", batch_sizes=[50, 100], name="rows", **how)
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
        assert held.press(f"#{button}", counts) == (True, counts * [verb])
    else:
        assert (run, button) in {("over", "stop"), ("over", "full")}
    page.context.close()


@pytest.mark.parametrize("verb", ["set", "play"])
def test_what_begins_at_a_past_step_is_waited_for_there(studio: RealStudio, browser: Any, verb: str) -> None:
    """Neither the end nor another training is in view meanwhile, and nothing that trains can be pressed."""
    page = studio.open(browser, "home")
    held = Holding(page, "/socket/run/", playing=False)
    page.goto(f"{studio.site}run/past?lang=en")
    page.wait_for_selector("#branch:enabled")
    slider = "step => { const time = document.querySelector('#time'); time.value = step;"
    page.evaluate(slider + " time.dispatchEvent(new Event('input')); }", 3)
    page.wait_for_function("() => document.querySelector('#when').textContent === 'step 3 of 40'")
    until(
        lambda: json.loads(held.told)["state"]["view"]["step"] == 3,
        meanwhile=lambda: page.wait_for_timeout(10),
    )
    held.on, held.sent = True, []
    if verb == "set":
        page.fill("#lr", "0.05")
        page.keyboard.press("Enter")
    else:
        page.click("#play")
    status = page.get_by_role("status").get_by_text("starting")
    status.wait_for()
    state = json.loads(held.told)["state"] | {"status": "running"}
    state["view"] |= {"step": None}
    held.line.send(json.dumps({"state": state}))
    page.wait_for_timeout(300)
    assert status.is_visible()
    for button in ("play", "step", "epoch"):
        assert page.locator(f"#{button}").is_disabled()
    assert [each["do"] for each in held.sent] == [verb]
    held.line.send(json.dumps({"state": state | {"segment": state["segment"] + 1}}))
    page.get_by_role("status").get_by_text("paused").wait_for()
    page.locator("#fan").click()
    page.get_by_text("Working it out …").wait_for()
    assert page.get_by_role("heading", name="Where each one ends").count() == 0
    page.context.close()


def test_nothing_that_is_said_is_lost(studio: RealStudio, browser: Any) -> None:
    """Also at once: three sentences are read, then the next ones. While a slider is dragged the newest is."""
    page = studio.open(browser, "home")
    held = Holding(page, "/socket/run/")
    page.goto(f"{studio.site}run/over?lang=en")
    page.wait_for_selector("#branch:enabled")

    def say(*texts: str) -> Any:
        for text in texts:
            held.line.send(json.dumps({"notice": {"kind": "warning", "text": text}}))
        return page.locator(".notice p")

    notices = say("One.", "Two.", "Three.", "Four.")
    notices.first.hover()  # or they go after a while
    notices.get_by_text("Three.").wait_for()
    assert notices.all_inner_texts() == ["One.", "Two.", "Three."]
    page.locator(".notice .shut").first.click()
    notices.get_by_text("Four.").wait_for()
    assert notices.all_inner_texts() == ["Two.", "Three.", "Four."]
    page.keyboard.press("Escape")
    held.on = True
    page.locator("#lr-slider").hover()
    page.mouse.down()
    say("Five.", "Six.").get_by_text("Six.").wait_for()
    page.context.close()


def test_a_button_of_the_home_page_says_at_once_that_it_was_pressed_and_begins_one_training(
    studio: RealStudio, browser: Any
) -> None:
    page = studio.open(browser, "home")
    held = Holding(page, "/socket/home", "steer")
    page.goto(f"{studio.site}home?lang=en")
    page.wait_for_selector("#home-train:enabled")
    page.get_by_role("checkbox", name="Choose over", exact=True).check()
    for button, verb in (("train", "train"), ("play", "train"), ("sweep", "sweep"), ("study", "study")):
        _pressed(held, f"#home-{button}", verb)
    page.locator("#home-delete").click()
    _pressed(held, "#delete-yes", "delete", again="#home-delete")
    assert page.locator("dialog[open]").count() == 0
    before = len(list(studio.runs.iterdir()))
    held.on = False
    page.locator("#home-train").dblclick(delay=30)
    page.wait_for_url("**/run/wine-*")
    assert len(list(studio.runs.iterdir())) == before + 1
    page.context.close()


def _pressed(held: Holding, selector: str, verb: str, again: str = "") -> None:
    """Press a button until its command, which may follow another one, is refused, and no second one is sent.
    again: the button that waits for the answer; the same."""
    waits = held.page.locator(again or selector)
    assert held.press(selector)[0], selector
    if held.told:
        held.line.send(held.told)  # the page is drawn anew
        held.page.wait_for_timeout(100)
    waits.evaluate("button => button.click()")
    held.page.wait_for_timeout(100)
    assert [each["do"] for each in held.sent] == [verb], selector
    held.refuse()
    held.page.get_by_role("alert").get_by_text(f"Not {verb} now.").last.wait_for()
    assert waits.get_attribute("data-sent") is None
    held.page.keyboard.press("Escape")


STILL, WATCHED = {"status": "running", "ending": False}, {"steers": False, "can_steer": True}
WHEEL = {"button.primary:has-text('Steer here')": "steer"}


@pytest.mark.parametrize(
    ("address", "state", "buttons"),
    [
        ("sweep/own", STILL, {"#sweep-stop": "stop", "form.more button": "extend", "td button": "open"}),
        ("study/rows", STILL, {"#study-stop": "stop"}),
        ("run/over", {"can_steer": True}, {"#keep button": "keep"}),
        *((address, WATCHED, WHEEL) for address in ("sweep/own", "study/rows", "run/over")),
    ],
)
def test_a_button_of_another_page_says_at_once_that_it_was_pressed(
    studio: RealStudio, browser: Any, address: str, state: dict[str, Any], buttons: dict[str, str]
) -> None:
    """Also one in a table that is drawn anew before the answer."""
    page = studio.open(browser, "home")
    held = Holding(page, "/socket/(run|sweep|study)/", **state)
    page.goto(f"{studio.site}{address}?lang=en")
    if "#keep button" in buttons:
        page.wait_for_selector("#branch:enabled")
        page.locator("#save").click()
    for selector, verb in buttons.items():
        page.locator(selector).first.wait_for()
        _pressed(held, f"{selector} >> nth=0", verb)
    page.context.close()


def test_what_is_pressed_twice_is_done_once_and_the_speed_chosen_after_the_end_is_kept(
    studio: RealStudio, browser: Any
) -> None:
    page = studio.open(browser, "home")
    page.goto(f"{studio.site}run/over?lang=en")
    page.wait_for_selector("#branch:enabled")
    page.locator("#speed").select_option(label="1 step/s")  # so that 40 more steps outlast what follows
    page.locator("#play").dblclick(delay=30)
    run = studio.until("over", lambda run: run.status == "running")
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    assert run.timeline.settings_at()["epochs"] == 20  # for as long again, once
    assert page.locator("#speed").input_value() == "1"
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
        page.locator("#script-track .marked").first.dblclick(delay=30)
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
            assert held.press(selector, counts) == (True, counts * [verb]), selector
    assert studio.said == []
