"""A run's end, an ensemble, a fan and a remedy in a real browser before a real studio."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.waiting import until

import treino as tr
from apps.studio.tests.real_studio import RealStudio, real_studio

pytestmark = pytest.mark.release
TILES = """() => [...document.querySelectorAll('.future')].map(tile => {
  const span = tile.querySelector('span').getBoundingClientRect();
  const picture = [...tile.children].find(n => /^(canvas|svg)$/i.test(n.tagName) && n.checkVisibility());
  return {label: tile.innerText.split('\\n')[0], own: tile.className,
          apart: picture.getBoundingClientRect().bottom <= span.top + 1,
          curve: tile.querySelector('path').getAttribute('d')?.length ?? 0}; })"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    folder = tmp_path_factory.mktemp("result")
    tr.fit("iris", parent=folder / "runs", name="eight", ensemble=8, epochs=40)
    tr.fit("wine", parent=folder / "runs", name="early", lr=0.02)
    tr.fit("wine", parent=folder / "runs", name="slow", lr=3e-6, optimizer="sgd", epochs=30, patience=0)
    with real_studio(folder, ["eight", "--member", "3"]) as found:
        yield found
    assert found.said == []


@pytest.fixture(scope="module")
def page(studio: RealStudio, browser: Any) -> Any:
    return studio.open(browser)


def test_an_ensemble_says_which_of_its_networks_answer_and_draws_the_one_that_is_asked_for(
    studio: RealStudio, page: Any
) -> None:
    result = studio.run("eight").result
    assert result is not None
    choice = page.get_by_label("Whose weights are drawn")
    _until(page, lambda: choice.is_visible() and choice.input_value() == "3")
    said = page.locator(".members .note").inner_text()
    assert (
        said
        == f"An ensemble: 4 of 8 networks answer ({', '.join(map(str, result.answering))}), by their mean."
    )
    before = page.evaluate("document.querySelector('#network-canvas').toDataURL()")
    silent = next(k for k in range(8) if k not in result.answering)
    assert choice.locator("option").nth(silent).inner_text() == f"network {silent}, doesn't answer"
    choice.select_option(str(result.answering[0]))
    _until(page, lambda: page.evaluate("document.querySelector('#network-canvas').toDataURL()") != before)


def test_a_finding_is_tried_and_the_validation_rows_decide(studio: RealStudio, page: Any) -> None:
    page.goto(f"{studio.site}run/slow?lang=en")
    page.get_by_role("button", name="Try lr 3e-05").click()
    page.locator("#fan-about", has_text="With lr 3e-05 it is better: on 27 validation rows").wait_for()
    said = page.locator("#fan-about").inner_text()
    assert "only one order of the training rows" in said
    b, a = re.findall(r"loss is (\S+) in place of (\S+)\. The", said)[0]
    assert float(b) < float(a)  # as many digits as tell them apart
    tiles = page.evaluate(TILES)
    assert [tile["label"] for tile in tiles] == ["lr 3e-06", "lr 3e-05"]
    assert ["best" in tile["own"] for tile in tiles] == [False, True]
    page.get_by_label("What a chosen future becomes").select_option("branch")
    page.get_by_role("button", name="Go on with lr 3e-05").click()
    branch = studio.until("wine-1", lambda run: run.spec.parent is not None)
    assert branch.changes[-1].settings == {"lr": 3e-5}


def test_a_fan_names_what_ends_lowest_and_tells_its_futures_apart(studio: RealStudio, page: Any) -> None:
    page.goto(f"{studio.site}run/early?lang=en")
    page.wait_for_selector("main[data-frame]")
    page.locator("#time").focus()
    page.keyboard.press("Home")
    page.locator("#clock-step", has_text=re.compile("^0$")).wait_for()
    page.get_by_role("button", name="Fan out").click()
    page.locator("#fan-about", has_text="Best by the mean of its last three").wait_for()
    tiles, said = page.evaluate(TILES), page.locator("#fan-about").inner_text()
    assert len({tile["label"] for tile in tiles}) == len(tiles) == 64
    assert all(tile["apart"] for tile in tiles)  # no label lies over its picture
    assert all(tile["curve"] for tile in tiles)  # until the pictures come a tile is its curve
    ends = [float(name.rpartition(" ")[2].replace("e−", "e-")) for name in _ends(page)]
    lowest = next((k for k, tile in enumerate(tiles) if "lowest" in tile["own"]), None)
    assert lowest is not None
    assert ends[lowest] == min(ends)
    best = next(k for k, tile in enumerate(tiles) if "best" in tile["own"])
    assert ("ends lowest" in said) == (best != lowest)
    page.get_by_role("button", name="Close").click()


def _until(page: Any, true: Callable[[], bool]) -> None:
    until(true, meanwhile=lambda: page.wait_for_timeout(20))


def _ends(page: Any) -> list[str]:
    """The last validation losses, as a screen reader says them."""
    names = page.locator(".future").evaluate_all("tiles => tiles.map(t => t.getAttribute('aria-label'))")
    return [re.sub(r", ended early.*", "", name) for name in names]
