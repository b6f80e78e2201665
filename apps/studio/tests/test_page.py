"""The page of a run in a real browser, before a studio that speaks with messages of real runs."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.waiting import HANG, until

from apps.studio.tests.browsing import AXE, WIDE
from apps.studio.tests.fake_studio import FakeStudio, served
from apps.studio.tests.recordings import message, record

pytestmark = pytest.mark.release
STEPS = 0, 4, 8, 40, 80, 120


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeStudio]:
    parent, usual = tmp_path_factory.mktemp("studio"), {"patience": 0, "epochs": 30, "hidden": (8, 6)}
    shown = {
        "plane": record(
            "wine", STEPS, parent, features=["alcohol", "color_intensity"], activation="tanh", **usual
        ),
        "many": record("wine", STEPS[::3], parent, **usual),
        "values": record("diabetes", STEPS[::3], parent, **usual),
    }
    for name, recording in shown.items():
        recording.name = recording.state["name"] = name
        recording.state["last_step"] = 8
        for header, _parts in recording.frames.values():
            header["run"] = name
    with served(shown) as found:
        yield found


class Viewer:
    """A page that is open. said: what its console complained of, and requests to other places."""

    def __init__(
        self,
        browser: Any,
        studio: FakeStudio,
        run: str,
        query: str = "lang=en&theme=light",
        script: str = "",
        **how: Any,
    ) -> None:
        studio.commands.clear()
        self.studio, self.said, origin = studio, list[str](), f"http://127.0.0.1:{studio.port}/"
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **how})
        self.page = self.context.new_page()
        self.page.add_init_script(script)
        self.page.set_default_timeout(1000 * HANG)
        self.page.on(
            "console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on(
            "request",
            lambda r: None if r.url.startswith((origin, "blob:", "ws:")) else self.said.append(r.url),
        )
        self.page.goto(f"{origin}run/{run}?{query}")
        self.page.wait_for_selector("main[data-frame]")

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def until(self, verb: str, count: int = 1) -> list[dict[str, Any]]:
        """The fields of so many commands with this verb, as soon as they have come."""
        self.wait(lambda: len(self.studio.said(verb)) >= count)
        return self.studio.said(verb)

    def wait(self, event: Callable[[], bool]) -> None:
        """... while the page goes on."""
        until(event, meanwhile=lambda: self.page.wait_for_timeout(10))


@pytest.fixture
def open_run(browser: Any, studio: FakeStudio) -> Iterator[Any]:
    opened: list[Viewer] = []

    def opening(run: str = "plane", *args: Any, **how: Any) -> Viewer:
        opened.append(Viewer(browser, studio, run, *args, **how))
        return opened[-1]

    yield opening
    for viewer in opened:
        viewer.context.close()
        assert viewer.said == []


def test_stop_is_said_once_by_the_button_or_its_key_and_only_of_a_training(
    open_run: Any, studio: FakeStudio
) -> None:
    viewer = open_run()
    viewer.button("Stop").dblclick()
    viewer.page.evaluate("document.activeElement.blur()")
    viewer.page.keyboard.press("s")
    viewer.button("Step").click()
    viewer.until("step")
    assert studio.said("stop") == [{}]
    state = json.loads(json.dumps(studio.recordings["plane"].state))
    studio.tell({"state": {**state, "status": "stopped"}})
    viewer.page.get_by_role("status").get_by_text("stopped").wait_for()
    assert viewer.button("Stop").is_disabled()
    viewer.button("Stop").hover(force=True)
    viewer.page.get_by_role("tooltip").get_by_text("Nothing is in training here.").wait_for()
    viewer.page.keyboard.press("s")
    studio.tell({"state": state})  # it is in training again
    viewer.page.wait_for_selector("#stop:enabled")
    viewer.page.keyboard.press("s")
    assert viewer.until("stop", 2) == [{}, {}]


def test_what_is_pressed_before_the_studio_has_answered_adds_up(open_run: Any, studio: FakeStudio) -> None:
    viewer = open_run()
    studio.deaf = True
    for _ in range(3):
        viewer.button("One more: Units of layer 1").click()
    viewer.page.get_by_text("As it is taught").click()
    viewer.page.get_by_role("switch", name="zero_grad forgotten").click()
    viewer.page.get_by_role("switch", name="softmax twice").click()
    units = viewer.page.get_by_role("textbox", name="Units of layer 1")
    assert units.input_value() == "9"
    viewer.until("segment", 2)
    studio.drop()
    changes = [c["changes"] for c in viewer.until("segment", 6)]
    faults = ["missing_zero_grad", "softmax_before_cross_entropy"]
    assert changes[:4] == 2 * [{"hidden": [8, 7]}, {"fault": faults[:1]}]  # the second time after the loss
    assert {"hidden": [8, 9]} in changes[4:]
    assert {"fault": faults} in changes[4:]
    viewer.page.wait_for_timeout(100)
    assert units.input_value() == "9"


def test_nonsense_in_a_field_is_refused_beside_it_and_left_to_be_mended(open_run: Any) -> None:
    viewer = open_run()
    fields = (
        ("Learning rate", ("abc", "-1", "0", "1e400", ""), "0,5", {"name": "lr", "value": 0.5}),
        ("Units of layer 1", ("abc", "0", "2.5", "5000"), "7", {"changes": {"hidden": [8, 7]}}),
    )
    for name, nonsense, fine, sent in fields:
        field = viewer.page.get_by_role("textbox", name=name, exact=True)
        for typed in nonsense:
            field.fill(typed)
            field.press("Enter")
            viewer.page.get_by_role("alert").get_by_text(f"“{typed}”").wait_for()
            viewer.page.evaluate("document.activeElement.blur()")
            assert (field.input_value(), field.get_attribute("aria-invalid")) == (typed, "true")
        field.press("Escape")
        viewer.page.locator("[aria-invalid]").wait_for(state="detached")
        field.fill(fine)
        field.press("Enter")
        verb = "set" if "name" in sent else "segment"
        assert viewer.until(verb) == [sent]


def test_what_the_server_refuses_is_said_at_the_field(open_run: Any) -> None:
    viewer = open_run()
    rate = viewer.page.get_by_label("Learning rate", exact=True)
    rate.fill("2e6")
    rate.press("Enter")
    viewer.page.get_by_role("alert").get_by_text("The learning rate is a number above 0").wait_for()
    assert rate.get_attribute("aria-invalid") == "true"


def test_the_keyboard_does_it_all_and_leaves_fields_alone(open_run: Any) -> None:
    viewer = open_run()
    page = viewer.page
    for key, verb in (("ArrowRight", "step"), ("e", "epoch"), ("b", "branch"), ("f", "fan")):
        page.keyboard.press(key)
        viewer.until(verb)
    page.get_by_role("heading", name="64 futures of step").wait_for()
    page.keyboard.press("Escape")
    assert viewer.until("fan", 2)[1]["count"] == 0
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_text("one step back").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.get_by_text("in the past").wait_for()
    assert viewer.until("look")[0]["step"] == int(page.inner_text("#clock-step"))
    page.get_by_label("Learning rate", exact=True).focus()
    page.keyboard.press("e")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    viewer.until("play")
    assert len(viewer.studio.said("epoch")) == 1


def test_units_and_edges_tell_their_numbers_and_the_microscope_explains(open_run: Any) -> None:
    viewer = open_run()
    page = viewer.page
    viewer.button("Microscope").click()
    found = viewer.until("explain")[0]
    assert {type(found[k]) for k in ("layer", "unit", "input")} == {int}
    assert 1 <= found["layer"] <= 3  # a stage of the picture, of which the inputs are 0
    page.locator(".lens math msub").first.wait_for()
    assert page.locator(".check.bad").count() == 0
    viewer.page.keyboard.press("Escape")
    assert page.locator("#drawer").is_hidden()
    box = page.locator("#network-canvas").bounding_box()
    for share in range(1, 40):  # a unit of the first hidden layer
        page.mouse.move(box["x"] + box["width"] * 0.41, box["y"] + box["height"] * share / 40)
        if "of layer 0" in page.inner_text("#picture-title"):
            break
    assert re.fullmatch(r"unit \d of layer 0", page.inner_text("#picture-title"))
    assert viewer.until("look")[0]["unit"][0] == 1


def test_an_explanation_under_way_turns_until_it_is_there(open_run: Any, studio: FakeStudio) -> None:
    viewer = open_run()
    studio.deaf = True
    viewer.button("Microscope").click()
    viewer.page.locator("#lenses .busy").wait_for()
    studio.drop()
    viewer.page.locator(".lens").first.wait_for()
    assert viewer.page.locator("#lenses .busy").count() == 0


def test_who_watches_sees_all_and_can_take_the_wheel(open_run: Any, studio: FakeStudio) -> None:
    state = studio.recordings["plane"].state
    state["steers"] = False
    try:
        viewer = open_run()
        for name in ("Play", "Step", "Epoch", "Stop", "Branch", "Fan out", "New seed"):
            assert viewer.button(name).is_disabled(), name
        assert viewer.page.get_by_label("Learning rate", exact=True).is_disabled()
        viewer.page.keyboard.press("Space")
        viewer.button("Take the wheel").click()
        viewer.until("steer")
        viewer.page.wait_for_selector("#play:enabled")
        assert not studio.said("play")
        state["can_steer"] = False
        assert open_run().button("Take the wheel").count() == 0
    finally:
        state |= {"steers": True, "can_steer": True}


def test_a_lost_connection_is_said_and_unanswered_commands_go_again_under_their_ids(
    open_run: Any, studio: FakeStudio
) -> None:
    viewer = open_run()
    studio.deaf = True
    viewer.button("Step").click()
    viewer.until("step")
    studio.drop()
    viewer.page.get_by_role("alert").get_by_text("Connection lost").wait_for()
    viewer.until("step", 2)
    first, again = [c for _run, c in studio.commands if c["do"] == "step"]
    assert first == again
    hellos = [c for _run, c in studio.commands if c["do"] == "hello"]
    assert len({c["viewer"] for c in hellos}) == 1
    viewer.page.locator("#connection").wait_for(state="hidden")


def test_a_run_that_died_or_diverged_or_is_gone_says_so_and_offers_what_helps(
    open_run: Any, studio: FakeStudio
) -> None:
    viewer = open_run()
    state = json.loads(json.dumps(studio.recordings["plane"].state))
    finding = {"rule": "diverged", "severity": "wrong", "message": "The loss is NaN.", "step": 7}
    studio.tell({"state": {**state, "status": "diverged", "findings": [finding]}})
    viewer.button("Rewind to step 0").click()
    assert viewer.until("look")[-1]["step"] == 0
    studio.tell({"state": {**state, "status": "deleted"}})
    viewer.page.get_by_text("The folder of this run is gone").wait_for()
    assert viewer.button("Play").is_disabled()
    studio.tell({"state": {**state, "status": "interrupted"}})
    viewer.button("Resume").click()
    viewer.until("play")


def test_a_finding_leads_to_the_step_at_which_it_appeared_and_goes_when_it_no_longer_holds(
    open_run: Any, studio: FakeStudio
) -> None:
    viewer = open_run()
    state = json.loads(json.dumps(studio.recordings["plane"].state))
    said = {"lr_too_high": ("wrong", "The rate is too high.", 4), "diverged": ("wrong", "It diverges.", 8)}
    listed = [
        {"rule": rule, "severity": severity, "message": message, "step": step}
        for rule, (severity, message, step) in said.items()
    ]
    studio.tell({"state": {**state, "status": "running", "findings": listed}})
    viewer.page.locator("#findings li.bad", has_text="It diverges.").wait_for()
    viewer.button("Go to step 4").click()
    assert viewer.until("look")[-1]["step"] == 4
    studio.tell({"state": {**state, "status": "running", "findings": listed[:1]}})
    viewer.page.get_by_text("It diverges.").wait_for(state="detached")
    studio.tell({"state": {**state, "status": "diverged", "findings": listed}})
    viewer.button("Rewind to step 0").wait_for()
    assert viewer.page.get_by_text("It diverges.").count() == 0  # the run's status says so
    assert viewer.page.get_by_text("The rate is too high.").count() == 1


def test_a_name_without_a_run_is_refused_in_the_servers_words(browser: Any, studio: FakeStudio) -> None:
    page = browser.new_page()
    page.set_default_timeout(1000 * HANG)
    page.goto(f"http://127.0.0.1:{studio.port}/run/nothing?lang=en")
    page.get_by_role("alert").get_by_text("There is no run 'nothing' here.").wait_for()
    page.close()


def test_two_of_many_inputs_are_chosen_and_the_rest_is_said(open_run: Any) -> None:
    viewer = open_run("many")
    page = viewer.page
    assert "This picture agrees with the network on 87 % of 178 rows." in page.inner_text("#picture-note")
    assert "The other inputs: " in page.inner_text("#picture-note")
    before = page.get_by_label("Up", exact=True).input_value()
    page.get_by_label("Across", exact=True).select_option("ash")
    assert viewer.until("look")[-1]["axes"] == ["ash", before]
    viewer.button("Automatic").click()
    assert viewer.until("look", 2)[-1]["axes"] is None


def test_ten_thousand_inputs_are_searched_not_listed(open_run: Any, studio: FakeStudio) -> None:
    viewer = open_run("many")
    state = json.loads(json.dumps(studio.recordings["many"].state))
    state["data"]["axes"] = state["data"]["features"] = [f"gene_{k}" for k in range(10_000)]
    state["data"]["classes"] = [f"class {k}" for k in range(500)]
    studio.tell({"state": state})
    field = viewer.page.get_by_label("Across", exact=True).first
    field.fill("gene_777")
    assert viewer.page.locator("#axis-x-found [role=option]:not(.more)").count() == 11
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.keyboard.press("Enter")
    assert viewer.until("look")[-1]["axes"][0] == "gene_777"


def test_a_regression_shows_predicted_against_true(open_run: Any) -> None:
    viewer = open_run("values")
    assert viewer.page.inner_text("#picture-title") == "Predicted against true"
    assert viewer.page.inner_text("#picture-figure").startswith("validation: RMSE ")
    assert viewer.page.locator("#axes").is_hidden()
    assert viewer.page.inner_text("#picture-note") == ""


def test_frames_are_acknowledged_when_they_are_drawn(open_run: Any, studio: FakeStudio) -> None:
    studio.acknowledged.clear()
    viewer = open_run()
    viewer.page.wait_for_selector("main[data-frame='1']")
    header, parts = studio.recordings["plane"].frames[120]
    studio.tell(message({"frame": 77, **header}, parts))
    viewer.page.wait_for_selector("main[data-frame='77']")
    viewer.wait(lambda: 77 in studio.acknowledged)
    assert studio.acknowledged == [1, 77]


def test_nothing_hinders_who_reads_the_microscope_with_other_means(open_run: Any, axe: str) -> None:
    how = {"viewport": {"width": 1024, "height": 900}, "bypass_csp": True}
    page = open_run("many", "lang=pt_BR&theme=dark", **how).page
    page.click("#lens")
    page.wait_for_selector(".lens")
    page.evaluate(axe)
    assert [v for v in page.evaluate(AXE) if v[0] in ("serious", "critical")] == []
    assert page.evaluate(WIDE) == []
