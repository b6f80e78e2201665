"""Each page of the studio once in a real browser: it opens and complains of nothing, is as wide as the
screen, and can be read with other means; a network trains on one, one is a script's. Releases try more."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch.utils.data import TensorDataset

import treino as tr
from apps.studio.tests.browsing import AXE, DRAWN, faults, foreign, kinds, said
from apps.studio.tests.real_studio import TREINO, RealStudio, commands, real_studio
from apps.studio.tests.scripts import script
from apps.studio.tests.test_pictures_page import bars
from apps.studio.tests.test_script_page import PRELUDE, TRAINS
from treino.training.replay import snapshots

READY = {
    "run/wine-1": "main[data-frame]",
    "run/pictures": "main[data-frame]",
    "sweep/sweep": ".rows tbody tr",
    "sweep/seeds": ".rows tbody tr",
    "sweep/folds": ".rows tbody tr",
    "study/study": ".rows tbody tr",
    "home": ".rows tbody tr[data-row]",
}
LOOKS = [
    pytest.param("lang=en", marks=pytest.mark.slow),
    pytest.param("lang=pt_BR", marks=pytest.mark.release),
]  # each in light and dark


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    """One that waits to train a small network."""
    line = "wine --features alcohol,color_intensity --hidden 4 --ensemble 1 --epochs 400 --paused"
    with real_studio(tmp_path_factory.mktemp("pages"), line.split()) as found:
        yield found


@pytest.fixture(scope="module")
def page(studio: RealStudio, browser: Any) -> Any:
    page = studio.open(browser, bypass_csp=True)
    page.add_init_script(DRAWN)
    page.wait_for_selector("main[data-frame]")
    return page


@pytest.fixture(scope="module")
def _folders(studio: RealStudio) -> None:
    """One of each kind that is over."""
    how: dict[str, Any] = {"parent": studio.runs, "epochs": 3}
    tr.fit(TensorDataset(*bars(30, 1)), net="cnn", channels=(4,), hidden=(4,), name="pictures", **how)
    tr.sweep(
        "wine",
        {"lr": "1e-4..1e6:log", "activation": ["gelu", "relu", "tanh"]},
        members=6,
        fresh=0,
        optimizer="sgd",
        name="sweep",
        **how,
    )
    tr.fit("wine", seeds=3, name="seeds", **how)
    tr.fit("wine", folds=3, name="folds", **how)
    tr.study("wine", batch_sizes=[20, 60], name="study", **how)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    """Another studio, of a script."""
    folder = tmp_path_factory.mktemp("script")
    script(folder, TRAINS, prelude=PRELUDE)
    with real_studio(folder, ["train.py", "--checkpoints"]) as found:
        yield found


@pytest.fixture(scope="module")
def of_script(scripts: RealStudio, browser: Any) -> Any:
    page = scripts.open(browser, bypass_csp=True)
    page.add_init_script(DRAWN)
    page.wait_for_selector("#script-0-0-lr")
    return page


def hindrances(page: Any, axe: str) -> list[Any]:
    """What cannot be read at some width, and what hinders who reads with other means, in light and dark."""
    found: list[Any] = [*faults(page).items()]
    page.evaluate(axe)
    for _theme in range(2):
        theme = page.evaluate("document.documentElement.dataset.theme")
        found += [(theme, each) for each in page.evaluate(AXE)]
        page.locator("#theme").click()
        page.mouse.move(2, 2)
        page.wait_for_function("() => !document.getAnimations().some((a) => a instanceof CSSTransition)")
    return found


@pytest.mark.proof
def test_a_run_is_watched_steered_and_stopped(studio: RealStudio, page: Any) -> None:
    """What is done on its page is in its folder."""
    page.goto(f"{studio.site}run/wine-1?lang=en")
    frame = page.wait_for_selector("main[data-frame]").get_attribute("data-frame")
    page.get_by_label("Learning rate", exact=True).fill("0.02")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("frame => document.querySelector('main').dataset.frame !== frame", arg=frame)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("status").get_by_text("stopped").wait_for()
    run = studio.until("wine-1", lambda run: run.status == "stopped")
    paused, (pace, _steps_per_second), *steered = commands(run)
    assert (paused, pace) == (("pause", None), "speed")  # what it began with
    assert steered == [("lr", 0.02), ("play", None), ("stop", None)]
    (again,) = snapshots(run, [run.steps])  # which trains it again
    assert again.loss == float(run.losses[-1])
    assert studio.said == []


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks like this")
def test_a_script_is_watched_steered_and_rewound(scripts: RealStudio, of_script: Any) -> None:
    """What is changed on its page stands in the file that repeats it; a branch has its own."""
    page, folder = of_script, scripts.runs.parent
    page.fill("#script-0-0-lr", "0,05")
    page.press("#script-0-0-lr", "Tab")
    page.wait_for_selector("#script-changes li:has-text('0.1 → 0.05')")
    assert page.is_checked("#script-keep")
    page.click("#script-mark")
    page.locator("#script-track .marked").first.click()
    page.fill("#rewind-lr", "0.5")
    page.click("#script-rewind")
    page.wait_for_selector("#script-branches .chosen:has-text('branch-1')")
    page.wait_for_function("() => document.querySelector('#script-0-0-lr')?.value === '0.5'")
    current = page.locator("#script-changes button[aria-current=step]")
    current.get_by_text("0.05 → 0.5").wait_for()  # the strip holds what the rewind has left, too
    assert (current.count(), page.locator("#script-changes li").count()) in [(1, 3), (1, 4)]
    assert page.locator("#script-changes li.left").count() == page.locator("#script-changes li").count() - 3
    page.locator("#script-changes button:enabled").first.click()
    assert page.get_attribute("#script-track [aria-pressed=true]", "data-number")
    for place, rates in ((folder, [0.05]), (folder / "train.branches/1", [0.05, 0.5])):
        _header, *changes = map(json.loads, (place / "train.steering.jsonl").read_text().splitlines())
        assert [(each["name"], each["value"]) for each in changes] == [("lr", rate) for rate in rates]
    assert scripts.said == []


@pytest.mark.usefixtures("_folders")
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("place", READY)
def test_a_page_opens_fits_and_is_accessible(
    studio: RealStudio, page: Any, axe: str, place: str, look: str
) -> None:
    page.goto(f"{studio.site}{place}?{look}")
    page.locator(READY[place]).first.wait_for()
    assert hindrances(page, axe) == []
    assert studio.said == []


@pytest.mark.release
@pytest.mark.usefixtures("_folders")
@pytest.mark.parametrize("place", READY)
def test_a_page_in_portuguese_says_nothing_in_english_from_its_opening_or_a_switch_on(
    studio: RealStudio, browser: Any, place: str
) -> None:
    page, texts = studio.open(browser), []
    page.add_init_script(DRAWN)
    for address in (f"{place}?theme=light#lang=pt", f"{place}?theme=dark&lang=en"):
        page.goto(studio.site + address)
        page.locator(READY[place]).first.wait_for()
        texts.append(said(page))
    page.locator("#language").click()
    page.mouse.move(2, 2)
    assert foreign(texts[0]) == []
    assert foreign(texts[1])
    assert kinds(said(page)) - kinds(texts[0]) == set()
    page.context.close()


@pytest.mark.slow
@pytest.mark.usefixtures("_folders")
def test_parallel_axes_have_the_best_at_the_top_and_name_what_is_between(
    studio: RealStudio, page: Any
) -> None:
    page.goto(f"{studio.site}sweep/sweep?lang=en")
    page.wait_for_function("() => document.querySelector('.parallel canvas')?.drawn?.length > 9")
    drawn = page.evaluate("document.querySelector('.parallel canvas').drawn.sort((a, b) => a.t - b.t)")
    words = [each["words"] for each in drawn]
    assert [word for word in words if word in ("gelu", "relu", "tanh")] == ["tanh", "relu", "gelu"]
    axis = next(each for each in drawn if each["words"] == "loss")
    on_axis = [each["words"] for each in drawn if each["l"] < (axis["l"] + axis["r"]) / 2 < each["r"]]
    numbers = [word.removeprefix("≥ ").replace("−", "-") for word in on_axis]
    best, worst = (float(number) for number in numbers if number[0].isdigit())
    assert best < worst
    names = {each["words"]: (each["l"] + each["r"]) / 2 for each in drawn}
    assert names["log"] == pytest.approx(names["lr"], abs=1)  # and no other axis
    assert words.count("log") == 1
    said = page.locator(".parallel canvas").get_attribute("aria-label")
    assert said == "Settings and figure of each network. Logarithmic axis: lr"
    page.locator(".brush select").select_option("best")
    page.locator(".brush input").first.fill("0.5")
    middle = float(page.locator(".brush output").inner_text().split(" – ")[0].replace("−", "-"))
    assert middle == pytest.approx((best + worst) / 2, rel=0.02)  # a linear axis


@pytest.mark.release
def test_names_of_layers_and_classes_and_counts_of_rows_stand_whole_at_every_width(
    studio: RealStudio, page: Any
) -> None:
    """Where layers are many, a name that neighbours share stands once above them."""
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(1600, 2)), columns=["a", "b"])
    table["of"] = np.where(table.a > 0, "recuperação", np.where(table.b > 0, "reprovado", "aprovado"))
    how: dict[str, Any] = {"hidden": [9] * 5, "activation": "leaky_relu", "ensemble": 1, "recipe": "plain"}
    tr.fit(table, target="of", name="layers", parent=studio.runs, epochs=1, **how)
    page.goto(f"{studio.site}run/layers?lang=en")
    page.wait_for_selector("main[data-frame]")
    assert faults(page) == {}
    for width in (360, 768, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(1000)
        drawn = page.evaluate("document.querySelector('#network-canvas').drawn")
        assert [each["words"] for each in drawn if each["t"] < 18] == ["inputs", "LeakyReLU", "outputs"]
        assert not [each["words"] for each in drawn if "…" in each["words"] and width > 1300]
        counts = [text for text in page.locator("#picture-key .count").all_inner_texts() if text]
        assert counts[:2] == ["1\u202f000 of 1\u202f121", "240"], width


@pytest.mark.release
@pytest.mark.usefixtures("_folders")
@pytest.mark.parametrize("language", ["en", "pt_BR"])
@pytest.mark.parametrize(
    "words", ["report pictures", "report sweep", "report seeds", "rows wine --networks 8"]
)
def test_a_report_and_a_page_of_rows_can_be_read_at_every_width(
    studio: RealStudio, browser: Any, tmp_path: Path, words: str, language: str
) -> None:
    file = tmp_path / "page.html"
    line = [*TREINO, *words.split(), "--lang", language, "--to", str(file)]
    subprocess.run(line, cwd=studio.runs.parent, check=True, capture_output=True)
    page = browser.new_page()
    page.goto(file.as_uri())
    assert faults(page) == {}
    page.close()


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_of_a_script_fits_and_is_accessible(
    scripts: RealStudio, of_script: Any, axe: str, look: str
) -> None:
    of_script.goto(f"{scripts.site}script?{look}")
    of_script.wait_for_selector("#script-0-0-lr")
    assert hindrances(of_script, axe) == []
    assert scripts.said == []


@pytest.mark.release
@pytest.mark.parametrize(
    ("language", "says"), [("en", "Reading the runs …"), ("pt_BR", "Lendo as execuções …")]
)
def test_a_list_that_is_not_read_yet_says_so(
    studio: RealStudio, browser: Any, language: str, says: str
) -> None:
    page = studio.open(browser)
    page.route("**/api/home**", lambda _request: None)
    page.goto(f"{studio.site}home?lang={language}")
    page.get_by_text(says).wait_for()
    page.unroute("**/api/home**")  # its next look is answered
    page.locator(".rows tbody tr[data-row]").first.wait_for()
    assert page.get_by_text(says).count() == 0
    page.context.close()
