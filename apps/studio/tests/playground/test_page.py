"""The playground's page in a real browser."""

import gzip
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from apps.studio.tests.browsing import AXE, DRAWN, WIDTHS, faults, foreign, kinds, said
from treino_studio.playground.page import page as made

LIMIT = 287 * 1024  # bytes that a reader's browser is sent


# ---- the file


def test_the_file_is_small_and_has_a_policy(file: Path) -> None:
    html = file.read_text()
    assert len(gzip.compress(html.encode(), 9)) <= LIMIT
    policy = unescape(html.split("http-equiv='Content-Security-Policy' content='")[1].split("'")[0])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert "http" not in policy


def said_loss(one: Any) -> float:
    """The training loss that the curves' words say; 0 where they say none."""
    words = one.page.locator("#curves-canvas").get_attribute("aria-label") or ""
    return float(words.split("loss ")[1].split()[0]) if "loss " in words else 0.0


@pytest.mark.proof
def test_it_trains_says_a_loss_asks_for_nothing_and_keeps_no_cookie(tab: Any) -> None:
    one = tab().ready()
    first = one.wait(lambda: said_loss(one))
    one.button("Play").click()
    one.wait(lambda: one.step() > 50 and 0 < said_loss(one) < 0.9 * first)
    one.button("Pause").click()
    assert one.page.locator(".notice", has_text="lets nothing train beside the page").count() == 0
    assert [url for url in one.requests if not url.startswith(("blob:", "data:"))] == [one.file.as_uri()]
    assert one.page.evaluate("document.cookie") == ""
    assert one.context.cookies() == []


def learnt(one: Any, right: int) -> None:
    """Train until so many of 270 validation rows are right."""
    one.button("Play").click()
    one.wait(lambda: one.step() > 700)
    one.button("Pause").click()
    said = r"validation: (\d+) of 270 right"
    one.wait(lambda: int(re.findall(said, one.text("#picture-figure"))[0]) > right)


@pytest.mark.proof
def test_digits_are_learnt_shown_and_drawn(tab: Any) -> None:
    one = tab("#speed=full").ready()
    one.page.locator("#data").click()
    one.page.locator("button[data-source=digits]").click()
    one.wait(lambda: one.asks().get("data") == "digits")
    one.page.locator("#data-drawer").get_by_role("button", name="Close").click()
    one.page.wait_for_selector("#views:not([hidden])")
    learnt(one, right=240)
    one.page.locator("button[data-tab=sketch]").click()
    pad = one.page.locator("#sketch-pad").bounding_box()
    for way, (x, y) in enumerate([(0.55, 0.2), (0.5, 0.5), (0.5, 0.8)]):
        one.page.mouse.move(pad["x"] + x * pad["width"], pad["y"] + y * pad["height"], steps=8)
        if not way:
            one.page.mouse.down()
    one.page.mouse.up()
    drawn = one.page.locator("#network-canvas")
    one.wait(lambda: one.text("#seen-says").startswith("it says 1"))
    assert one.text("#sketch-answer .best").split()[0] == "1"
    one.page.locator("#channels").select_option("8,16")
    one.wait(lambda: one.step() == 0 and "8-16-10" in str(drawn.get_attribute("aria-label")))
    learnt(one, right=255)
    one.wait(lambda: one.text("#seen-says").startswith("it says 1"))
    one.wait(lambda: one.asks().get("channels") == "8,16")
    one.button("Microscope").click()
    one.wait(lambda: "This network holds Conv2d" in one.text("#lenses"))
    assert not one.page.locator("#lens-choice").is_visible()
    one.page.locator("#view-many").click()
    one.page.locator(".notice", has_text="convolutions stay with One network").wait_for()


@pytest.mark.release
def test_a_page_may_hold_a_table_of_ones_own_and_an_address(tab: Any, tmp_path: Path) -> None:
    cells = [round(0.1 * i, 1) for i in range(60)]
    table = {
        "name": "houses",
        "columns": [
            {"name": "size", "cells": cells},
            {"name": "age", "cells": cells[::-1]},
            {"name": "price", "cells": [2.5 * cell + 0.25 for cell in cells]},
        ],
        "target": "price",
    }
    path = tmp_path / "houses.html"
    path.write_text(made(table, "#data=houses&hidden=5&features=size"))
    one = tab(file=path).ready()
    assert one.text("#data-name") == "houses"
    assert one.asks() == {"data": "houses", "hidden": "5", "features": "size"}


# ---- the address


@pytest.mark.release
def test_steps_and_changes_stand_in_the_address_which_opens_the_same_state(tab: Any) -> None:
    one = tab("#data=circles&hidden=4&seed=3").ready()
    one.button("Epoch").click()
    one.wait(lambda: one.step() == 22)
    one.page.locator("#lr").fill("0.05")
    one.page.keyboard.press("Enter")
    one.wait(lambda: "replay" in one.asks())
    one.button("Epoch").click()
    one.wait(lambda: one.asks().get("step") == "44")
    assert json.loads(one.asks()["replay"])[0][0] == 22
    assert {key: one.asks()[key] for key in ("data", "hidden", "seed")} == {
        "data": "circles", "hidden": "4", "seed": "3",
    }  # fmt: skip
    other = tab(one.page.evaluate("location.hash")).ready()
    other.wait(lambda: other.step() == 44)
    assert other.page.locator("#lr").input_value() == "0.05"
    assert other.weights() == one.weights()


@pytest.mark.release
def test_a_branch_is_steered_by_its_tab_and_its_link_opens_it(tab: Any) -> None:
    one = tab("#step=40", DRAWN).ready()
    one.wait(lambda: one.text("#clock-step") == "40")
    one.page.keyboard.press("b")
    assert one.page.locator(".tab").all_inner_texts() == ["A\nmoons-1", "B\nfrom step 40 · moons-2"]
    assert faults(one.page) == {}
    one.page.locator(".tab", has_text="moons-2").click()
    one.page.locator("#lr").fill("0.3")
    one.page.keyboard.press("Enter")
    one.page.keyboard.press("Escape")
    one.page.locator("#step").click()
    one.wait(lambda: one.text("#clock-step") == "41")
    one.wait(lambda: one.asks().get("step") == "41")
    other = tab(one.page.evaluate("location.hash")).ready()
    other.wait(lambda: other.text("#clock-step") == "41")
    assert other.weights() == one.weights()
    one.page.locator(".tab", has_text="moons-1").click()
    one.wait(lambda: one.text("#clock-step") == "40")
    one.wait(lambda: one.page.locator("#lr").input_value() == "0.003")


# ---- hosts


BLOCKED = "window.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } };"
FIRST_LINE = """const made = Blob;
window.Blob = class extends made { constructor(parts, how) {
  super(how?.type === 'text/javascript' ? [%r, ...parts] : parts, how); } };"""  # of a worker's script


@pytest.mark.release
@pytest.mark.parametrize("script", [BLOCKED, FIRST_LINE % "throw new Error('blocked');"])
def test_where_workers_are_blocked_the_page_itself_trains(tab: Any, script: str) -> None:
    one = tab("", script).ready()
    one.page.get_by_text("lets nothing train beside the page").wait_for()
    one.button("Play").click()
    one.wait(lambda: one.step() > 50)


NO_VECTORS = "WebAssembly.validate = () => false;"


@pytest.mark.release
@pytest.mark.parametrize("script", [BLOCKED + NO_VECTORS, FIRST_LINE % NO_VECTORS])
def test_without_vectors_it_says_what_is_needed(tab: Any, script: str) -> None:
    tab("", script).page.get_by_text("Safari from 16.4").wait_for()


@pytest.mark.release
def test_a_tab_in_the_background_pauses_and_says_so(tab: Any) -> None:
    one = tab().ready()
    one.button("Play").click()
    one.button("Pause").wait_for()
    one.page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    one.button("Play").wait_for()
    one.page.get_by_text("Paused while this tab was in the background.").wait_for()


# ---- readers


PHONE, WIDE_SCREEN = WIDTHS[:2], WIDTHS[2:]
FAN, LENS = (f"document.querySelector('#{name}').click()" for name in ("fan", "lens"))
PANEL, ENLARGED = "document.querySelector('#data').click()", "treinoCrowd.enlarge(3)"
MANY = "treinoCrowd?.networks?.length && treinoCrowd.networks.every((n) => n.loss !== undefined)"


@pytest.mark.parametrize(
    ("hash_", "sizes", "scheme", "opening"),
    [
        pytest.param("data=wine&lang=pt_BR", PHONE, "dark", PANEL, marks=pytest.mark.slow),
        pytest.param("view=many&count=16", WIDE_SCREEN, "light", "", marks=pytest.mark.slow),
        *(
            pytest.param(*case, marks=pytest.mark.release)
            for case in (
                ("data=multi_gauss", PHONE, "light", PANEL),
                ("data=moons&lang=pt_BR", WIDTHS, "dark", FAN),
                ("data=wine&step=40&lang=pt_BR", WIDTHS, "light", LENS),
                ("data=plane", WIDTHS, "light", ""),
                ("data=digits", WIDTHS, "light", ""),
                ("data=wine&step=1234&lang=pt_BR", WIDE_SCREEN, "light", ""),
                ("data=digits&lang=pt_BR", WIDTHS, "dark", ""),
                ("data=wine&lang=pt_BR", WIDE_SCREEN, "dark", PANEL),
                ("view=many&count=64&lang=pt_BR", WIDE_SCREEN, "dark", ENLARGED),
                ("view=many&count=64&lang=pt_BR", PHONE, "light", ""),
                ("view=many&count=64", PHONE, "dark", ENLARGED),
            )
        ),
    ],
)
def test_it_fits_and_everybody_can_use_it(
    tab: Any, axe: str, hash_: str, sizes: tuple[int, ...], scheme: str, opening: str
) -> None:
    """Also with the panel of the data, and with a network that is enlarged."""
    size = {"width": sizes[0], "height": 900}
    one = tab(f"#{hash_}", DRAWN, viewport=size, color_scheme=scheme, has_touch=sizes is PHONE)
    drawn = f"globalThis.{MANY}" if "many" in hash_ else "document.querySelector('main').dataset.frame"
    one.wait(lambda: one.page.evaluate(drawn))
    one.page.evaluate(axe + (opening and f"; {opening}"))
    if opening == FAN:
        one.page.get_by_text(re.compile("^O melhor pela média")).wait_for()
    elif opening == LENS:
        one.page.locator("#lens-title", has_text="→").wait_for()
    if opening != FAN:
        assert one.page.evaluate(AXE) == []
    assert faults(one.page, sizes) == {}


@pytest.mark.release
def test_loss_and_accuracy_have_hues_of_their_own_also_after_a_rewind(tab: Any) -> None:
    one, script = tab("#step=40&theme=light").ready(), "[...document.querySelectorAll('#figures b')]"
    hues = f"{script}.map((node) => getComputedStyle(node).color)"
    before = one.wait(lambda: one.text("#clock-step") == "40") and one.page.evaluate(hues)
    assert len(set(before)) == 4
    one.page.keyboard.press("ArrowLeft")
    one.wait(lambda: one.text("#clock-step") == "39")
    one.button("Step").click()
    one.wait(lambda: one.text("#clock-step") == "40")
    assert one.page.evaluate(hues) == before


@pytest.mark.release
def test_a_link_and_a_picture_are_saved(tab: Any) -> None:
    one = tab("#hidden=4").ready()
    one.button("Step").click()
    one.wait(lambda: one.step() == 1)
    one.button("Save").click()
    one.page.get_by_role("button", name="A link to this run").click()
    one.wait(lambda: one.text("#text-body").endswith("#hidden=4&step=1"))
    one.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    one.button("Save").click()
    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="Picture").click()
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.release
@pytest.mark.parametrize("hash_", ["data=wine", "data=plane", "view=many&data=wine"])
def test_a_page_in_portuguese_says_nothing_in_english_from_its_opening_or_a_switch_on(
    tab: Any, hash_: str
) -> None:
    ready = "#many-count" if "many" in hash_ else "main[data-frame]"
    texts = []
    for one in [tab(f"?lang={name}#{hash_}", DRAWN) for name in ("pt", "en")]:
        one.page.wait_for_selector(ready)
        if texts:
            one.page.locator("#language").click()
        one.page.locator("#data").click()
        texts.append(said(one.page))
    assert foreign(texts[0]) == []
    assert kinds(texts[1]) - kinds(texts[0]) == set()


@pytest.mark.release
@pytest.mark.parametrize("width", [390, 800, 1280])
def test_a_red_finding_stands_in_view_and_names_the_switch_that_the_page_has(tab: Any, width: int) -> None:
    one = tab("#fault=missing_zero_grad&lr=0.05", viewport={"width": width, "height": 800}).ready()
    one.button("Play").click()
    red = one.page.locator("#findings li.bad").first
    red.get_by_text("Switch “zero_grad forgotten” off").wait_for()
    assert 0 < red.bounding_box()["y"] < 800
    assert one.page.locator("#fault-softmax_before_cross_entropy").is_visible()
    numbers = tab("#data=plane&fault=missing_zero_grad").ready().page
    numbers.wait_for_selector("#fault-missing_zero_grad")
    assert numbers.locator("#fault-softmax_before_cross_entropy").is_hidden()


@pytest.mark.release
def test_states_findings_values_and_units_are_heard(tab: Any) -> None:
    """What changes stands in live regions: who reads by ear is told it."""
    one = tab("#data=moons&hidden=4&lr=1e6&optimizer=sgd&speed=60").ready()
    status = one.page.locator("#status[role=status]")

    def heard(words: str) -> None:
        said = one.page.locator("#heard[aria-live=polite]", has_text=re.compile(words))
        said.wait_for(state="attached")

    one.button("Play").click()
    status.get_by_text("playing").wait_for()
    heard("moves the weights")  # a finding
    one.button("Pause").click()
    status.get_by_text("paused").wait_for()
    one.page.keyboard.press("Tab")  # from now on the keyboard has the page
    for canvas, key, words in (
        ("curves", "ArrowLeft", r"loss of the batch [\d\u202f]+\. "),
        ("network", "ArrowRight", "unit 0 of layer 0"),
    ):
        one.page.locator(f"#{canvas}-canvas").focus()
        for _ in range(2):
            one.page.keyboard.press(key)
        heard(words)
    one.page.keyboard.press("Escape")
    one.button("Stop").click()
    status.get_by_text(re.compile("finished|diverged")).wait_for()
