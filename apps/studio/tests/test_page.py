"""The page of a run in a real browser before a real studio; a test can hold back what the studio says."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.waiting import until

import treino as tr
from apps.studio.tests.browsing import AXE, GREY, LAYOUT, grey_lines
from apps.studio.tests.real_studio import RealStudio, Viewer, commands, real_studio, viewers
from treino_studio.server import starting

pytestmark = pytest.mark.release
LINE = "wine --features alcohol,color_intensity --hidden 8,6 --epochs 400 --paused"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    """A training that waits, and runs that are over."""
    folder, chance = tmp_path_factory.mktemp("page"), np.random.default_rng(0)
    how: dict[str, Any] = {"parent": folder / "runs", "patience": 0, "epochs": 10}
    tr.fit("wine", name="many", **how)
    tr.fit("diabetes", name="values", **how)
    tr.fit("wine", name="lost", lr=1e7, optimizer="sgd", **how)
    tr.fit("wine", name="own", optimizer="NAdam", **how)
    genes = pd.DataFrame(chance.normal(size=(40, 300)), columns=[f"gene_{k}" for k in range(300)])
    tr.fit(genes.assign(y=np.arange(40) % 2), target="y", name="genes", **how)
    with real_studio(folder, LINE.split()) as found:
        yield found
    assert found.said == []


@pytest.fixture
def open_run(browser: Any, studio: RealStudio) -> Iterator[Callable[..., Viewer]]:
    yield from viewers(studio, browser)


def test_a_run_s_points_may_come_while_the_page_still_starts(browser: Any, studio: RealStudio) -> None:
    page, late, kinds = studio.open(browser, "home"), list[str | bytes](), set[str]()

    def line(one: Any) -> None:
        def hear(message: str | bytes) -> None:
            content = json.loads(message) if isinstance(message, str) else {}
            kinds.update(content)
            if "state" in content and "points" not in kinds:
                late.append(message)
                return
            if "points" in content:
                one.send(json.dumps({"state": starting(True)}))
            one.send(message)
            while "points" in content and late:
                one.send(late.pop(0))

        one.connect_to_server().on_message(hear)

    page.route_web_socket(re.compile("/socket/run/"), line)
    page.goto(f"{studio.site}run/many?lang=en")
    page.wait_for_selector("main[data-frame]")
    assert studio.said == []


def test_stop_is_said_once_and_only_of_a_training(open_run: Any, studio: RealStudio) -> None:
    viewer = open_run()
    viewer.button("Step").click()
    viewer.until("step")
    viewer.button("Stop").dblclick()
    viewer.page.get_by_role("status").get_by_text("stopped").wait_for()
    viewer.page.keyboard.press("s")
    assert viewer.button("Stop").is_disabled()
    viewer.page.mouse.move(5, 5)
    viewer.button("Stop").hover(force=True)
    viewer.page.get_by_role("tooltip").get_by_text("Nothing is in training here.").wait_for()
    viewer.button("Step").click()  # it is in training again
    viewer.page.wait_for_selector("#stop:enabled")
    viewer.page.keyboard.press("s")
    viewer.page.get_by_role("status").get_by_text("stopped").wait_for()
    assert len(viewer.until("stop", 2)) == 2
    assert [name for name, _ in commands(studio.run("wine-1"))].count("stop") == 2


def test_of_a_training_that_is_over_the_page_says_how_far_it_goes_on(
    open_run: Any, studio: RealStudio
) -> None:
    """A number of epochs that are done already is refused beside the field; more are the run's next part."""
    page = open_run(run="values").page
    assert page.inner_text("#goes-on").endswith("train it for as long again: to epoch 20.")
    for epochs, says in (("9", "The training is over at step"), ("12.5", "“12.5” can’t be"), ("30", "")):
        page.fill("#epochs", epochs)
        page.press("#epochs", "Enter")
        page.wait_for_function(
            "says => says ? document.querySelector('#refused-epochs')?.textContent.startsWith(says)"
            " : !document.querySelector('#goes-on').textContent",
            arg=says,
        )
    assert studio.run("values").timeline.settings_at()["epochs"] == 30
    page.click("#stop")
    page.wait_for_function(
        "() => document.querySelector('#goes-on').textContent.endsWith('to epoch 30 as planned.')"
    )


def test_what_is_pressed_before_the_studio_has_answered_adds_up(open_run: Any, studio: RealStudio) -> None:
    viewer = open_run()
    viewer.page.get_by_text("As it is taught").click()
    viewer.deaf = True
    for _ in range(3):
        viewer.button("One more: Units of layer 1").click()
    for name in ("zero_grad forgotten", "softmax twice"):
        viewer.page.get_by_role("switch", name=name).click()
    units = viewer.page.get_by_role("textbox", name="Units of layer 1")
    assert units.input_value() == "9"
    unanswered = viewer.until("segment", 2)
    viewer.drop()
    viewer.page.get_by_role("alert").get_by_text("Connection lost").wait_for()
    wanted = {"hidden": [8, 9], "fault": ["missing_zero_grad", "softmax_before_cross_entropy"]}
    viewer.wait(
        lambda: {name: studio.run("wine-1").timeline.settings_at()[name] for name in wanted} == wanted
    )
    again = viewer.until("segment", 4)
    assert again[2:4] == unanswered[:2]  # under their own numbers
    assert len({each["viewer"] for each in viewer.said("hello")}) == 1
    viewer.page.locator("#connection").wait_for(state="hidden")
    assert units.input_value() == "9"


def test_nonsense_in_a_field_is_refused_beside_it_and_left_to_be_mended(open_run: Any) -> None:
    viewer = open_run()
    fields = (
        ("Learning rate", ("abc", "-1", "1e400", ""), "0,5", ("set", "value", 0.5)),
        ("Units of layer 0", ("abc", "0", "2.5", "5000"), "7", ("segment", "step", None)),
    )
    for name, nonsense, fine, (verb, key, sent) in fields:
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
        assert [each.get(key) for each in viewer.until(verb)] == [sent]
    rate = viewer.page.get_by_label("Learning rate", exact=True)
    rate.fill("1e31")  # which the studio refuses
    rate.press("Enter")
    viewer.page.wait_for_selector("#lr[aria-invalid=true]")


def test_a_number_that_an_own_optimizer_alone_has_is_a_field(open_run: Any) -> None:
    viewer = open_run("own")
    field = viewer.page.get_by_role("textbox", name="momentum_decay", exact=True)
    assert field.input_value() == "0.004"
    for text, said in (("x", "“x” is no number"), ("-1", "Invalid momentum_decay value: -1")):
        field.fill(text)
        field.press("Enter")
        viewer.page.get_by_role("alert").get_by_text(said).wait_for()
    field.fill("0,02")
    field.press("Enter")
    viewer.wait(
        lambda: [c.settings.get("momentum_decay") for c in viewer.studio.run("own").changes][-1:] == [0.02]
    )


def test_the_keyboard_does_it_all_and_leaves_fields_alone(open_run: Any) -> None:
    viewer = open_run()
    page = viewer.page
    for key, verb in (("ArrowRight", "step"), ("e", "epoch"), ("f", "fan")):
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
    assert len(viewer.said("epoch")) == 1


def test_units_tell_their_numbers_and_the_microscope_explains(open_run: Any, axe: str) -> None:
    viewer = open_run("many", "lang=en&theme=dark", bypass_csp=True)
    page = viewer.page
    viewer.deaf = True
    viewer.button("Microscope").click()
    page.locator("#lenses .busy").wait_for()
    viewer.drop()
    found = viewer.until("explain")[0]
    assert {type(found[k]) for k in ("layer", "unit", "input")} == {int}
    page.locator(".lens math msub").first.wait_for()
    assert "\xa0smaller terms" in page.locator(".lens math mtext").all_text_contents()
    assert page.locator(".check.bad, #lenses .busy").count() == 0
    page.evaluate(axe)
    assert [v for v in page.evaluate(AXE) if v[0] in ("serious", "critical")] == []
    assert page.evaluate(LAYOUT) == []
    page.keyboard.press("Escape")
    assert page.locator("#drawer").is_hidden()
    box = page.locator("#network-canvas").bounding_box()
    for share in range(1, 40):  # a unit of the first hidden layer
        page.mouse.move(box["x"] + box["width"] * 0.51, box["y"] + box["height"] * share / 40)
        if "of layer 0" in page.inner_text("#picture-title"):
            break
    assert re.fullmatch(r"unit \d+ of layer 0", page.inner_text("#picture-title"))
    assert viewer.until("look")[0]["unit"][0] == 1


def test_who_watches_sees_all_and_can_take_the_wheel(open_run: Any) -> None:
    steers, viewer = open_run(), open_run(wheel=False)
    for name in ("Play", "Step", "Epoch", "Stop", "Branch", "Fan out", "New seed"):
        assert viewer.button(name).is_disabled(), name
    assert viewer.page.get_by_label("Learning rate", exact=True).is_disabled()
    viewer.page.keyboard.press("Space")
    viewer.button("Steer here").click()
    viewer.page.wait_for_selector("#branch:enabled")
    assert viewer.said("play") == []
    steers.button("Steer here").wait_for()


def test_a_run_that_diverged_or_is_gone_says_so_and_offers_what_helps(
    open_run: Any, studio: RealStudio
) -> None:
    viewer = open_run("lost")
    viewer.page.locator("#findings li.bad", has_text="lr 1e+07").wait_for()
    viewer.button("Rewind to step 0").click()
    assert viewer.until("look")[-1]["step"] == 0
    shutil.rmtree(studio.runs / "lost")
    viewer.page.get_by_text("The folder of this run is gone").wait_for()
    assert viewer.button("Play").is_disabled()
    viewer.page.goto(f"{studio.site}run/nothing?lang=en")
    viewer.page.get_by_role("alert").get_by_text("There is no run nothing.").wait_for()


def test_two_of_many_inputs_are_chosen_and_the_rest_is_said(open_run: Any) -> None:
    viewer = open_run("many")
    page = viewer.page
    page.locator("#picture-note", has_text="The other inputs: ").wait_for()
    before = page.get_by_label("Up", exact=True).input_value()
    page.get_by_label("Across", exact=True).select_option("ash")
    assert viewer.until("look")[-1]["axes"] == ["ash", before]
    viewer.button("Automatic").click()
    assert viewer.until("look", 2)[-1]["axes"] is None


def test_many_inputs_are_searched_not_listed(open_run: Any) -> None:
    viewer = open_run("genes")
    viewer.page.get_by_label("Across", exact=True).first.fill("gene_17")
    assert viewer.page.locator("#axis-x-found [role=option]:not(.more)").count() == 11
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.keyboard.press("Enter")
    assert viewer.until("look")[-1]["axes"][0] == "gene_17"


def test_a_regression_shows_predicted_against_true(open_run: Any) -> None:
    viewer = open_run("values")
    assert viewer.page.inner_text("#picture-title") == "Predicted against true"
    assert viewer.page.inner_text("#picture-figure").startswith("validation: RMSE ")
    assert viewer.page.locator("#axes").is_hidden()


def test_frames_are_acknowledged_when_they_are_drawn(open_run: Any) -> None:
    viewer = open_run()
    viewer.page.keyboard.press("e")
    viewer.until("epoch")
    viewer.wait(lambda: len(viewer.frames) > 1 and viewer.acknowledged == viewer.frames)
    last = viewer.frames[-1]  # others may come while the page is asked
    assert int(viewer.page.get_attribute("main", "data-frame")) >= last


def test_a_way_that_was_left_stays_as_a_grey_line(browser: Any, studio: RealStudio) -> None:
    """Also on a page that is opened after the rewind."""
    tr.open(studio.runs / "many").rewind(12, lr=0.1)
    page = studio.open(browser, "home")
    page.add_init_script(GREY)
    page.goto(f"{studio.site}run/many?lang=en&theme=light")
    page.wait_for_selector("main[data-frame]")
    until(lambda: grey_lines(page) >= 1, studio.process)
    tr.open(studio.runs / "many").rewind(20, lr=0.2)
    until(lambda: grey_lines(page) >= 2, studio.process)
    page.context.close()


FIT = """() => { const at = (q) => document.querySelector(q), lr = at('#lr');
  lr.value = '100000';
  return [at('#curves-canvas').clientHeight, lr.scrollWidth - lr.clientWidth,
    ...[...document.querySelectorAll('.figures, #ways span:not(.lane)')]
      .map((e) => e.scrollWidth - e.clientWidth)]; }"""


def test_curves_beside_three_ways_a_result_and_a_large_rate_can_be_read_at_every_width(
    browser: Any, studio: RealStudio
) -> None:
    """Of two panes of 60 pixels, with 20 between, 27 above and 22 below, a chart is 189 pixels high."""
    tr.open(studio.runs / "values").rewind(12, lr=0.1).rewind(20, lr=0.2)
    page = studio.open(browser, "run/values?lang=pt_BR")
    page.locator("#ways li").nth(2).wait_for()
    page.locator(".figures").wait_for()
    for width in (1440, 1280, 768, 360):
        page.set_viewport_size({"width": width, "height": 900})
        high, *over = page.evaluate(FIT)
        assert (high >= 189, max(over)) == (True, 0), (width, high, over)
    page.context.close()
