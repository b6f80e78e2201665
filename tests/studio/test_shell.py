"""What all pages share, in a real browser before a real studio: notices, explained terms, ..."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.studio.real_studio import RealStudio, real_studio
from tests.waiting import until
from treino.studio.page_words import WORDS, page_words

pytestmark = pytest.mark.slow
LINE = "wine --features alcohol,color_intensity --hidden 6,4 --epochs 400 --paused"
COVERED = """() => {
  const box = document.querySelector('#notices').getBoundingClientRect();
  return [...document.querySelectorAll('button, select, input, a, summary')].filter((node) => {
    const own = node.getBoundingClientRect();
    return !node.closest('#notices') && node.checkVisibility() && own.width && own.right > box.left && own.left < box.right
      && own.bottom > box.top && own.top < box.bottom;
  }).map((node) => node.id || node.className);
}"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    with real_studio(tmp_path_factory.mktemp("shell"), LINE.split()) as found:
        yield found
        assert found.said == []


@pytest.fixture
def opened(browser: Any, studio: RealStudio) -> Iterator[Any]:
    """Open the run's page, and take the wheel."""
    pages = []

    def opening(path: str = "run/wine-1?lang=en", **how: Any) -> Any:
        page = studio.open(browser, path, **how)
        pages.append(page)
        page.wait_for_selector("main[data-frame]")
        if page.locator("#wheel").is_visible():
            page.locator("#wheel").click()
        page.wait_for_selector("#branch:enabled")
        return page

    yield opening
    for page in pages:
        page.context.close()


def branch(page: Any) -> Any:
    """Branch off; -> the notice that says so."""
    page.locator("#branch").click()
    return page.get_by_role("status").filter(has_text="begins at step 0, beside this run.").last


# ---- notices


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_notice_holds_its_whole_sentence_and_the_next_move_and_covers_no_control(
    opened: Any, width: int, height: int
) -> None:
    page = opened(viewport={"width": width, "height": height})
    notice = branch(page)
    notice.wait_for()
    assert notice.evaluate("n => n.scrollWidth <= n.clientWidth && n.scrollHeight <= n.clientHeight")
    assert page.evaluate(COVERED) == []
    pressed, box = page.locator("#branch").bounding_box(), page.locator("#notices").bounding_box()
    assert abs(box["y"] - pressed["y"]) < 160
    run = notice.inner_text().split()[0]
    notice.get_by_role("button", name="Open it").click()
    page.wait_for_url(f"**/run/{run}")
    notice.wait_for(state="detached")


def test_notices_stand_under_each_other_and_stay_while_the_pointer_or_the_keyboard_is_there(
    opened: Any,
) -> None:
    page = opened()
    page.clock.install()
    branch(page)
    page.clock.run_for(500)
    branch(page)
    page.clock.run_for(500)
    notices = page.locator(".notice")
    until(lambda: notices.count() == 2, meanwhile=lambda: page.clock.run_for(50))
    notices.first.hover()
    page.clock.run_for(60_000)
    assert notices.count() == 2
    page.mouse.move(5, 5)
    notices.last.get_by_role("button", name="Open it").focus()
    page.clock.run_for(60_000)
    assert notices.count() == 2
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(60_000)
    assert notices.count() == 0


def test_escape_closes_a_notice_and_gives_the_keyboard_back(opened: Any) -> None:
    page = opened()
    notice = branch(page)
    notice.get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    notice.wait_for(state="detached")
    assert page.evaluate("document.activeElement.id") == "branch"
    notice = branch(page)
    notice.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    notice.wait_for(state="detached")


# ---- terms


def test_every_term_is_explained_under_the_pointer_and_the_keyboard_in_both_languages(opened: Any) -> None:
    for language in ("en", "pt_BR"):
        page = opened(f"run/wine-1?lang={language}")
        words, tip = page_words(language), page.locator("#tip")
        terms = page.locator("[data-about]:visible")
        assert terms.count() > 20
        for k in range(terms.count()):
            term = terms.nth(k)
            sentence = words[f"about_{term.get_attribute('data-about')}"]
            term.hover()
            tip.get_by_text(sentence, exact=True).wait_for()
            told = term.evaluate("n => (n.control ?? n).getAttribute('aria-description')")
            assert told == sentence
        page.mouse.move(700, 5)
        tip.wait_for(state="hidden")
        page.get_by_label(words["clip"], exact=True).focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        tip.get_by_text(words["about_clip"], exact=True).wait_for()
        page.keyboard.press("Escape")
        tip.wait_for(state="hidden")


def test_a_finger_on_a_term_explains_it_and_leaves_its_field_alone(opened: Any) -> None:
    page = opened(has_touch=True, viewport={"width": 390, "height": 844})
    page.locator("label[for=lr]").tap()
    page.locator("#tip").get_by_text(WORDS["about_lr"], exact=True).wait_for()
    assert page.evaluate("document.activeElement.id") != "lr"
    page.locator("#settings-title").evaluate("n => n.scrollIntoView()")
    page.locator("#tip").wait_for(state="hidden")
