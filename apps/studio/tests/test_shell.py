"""What pages share, in a real browser before a real studio: notices, explained terms, the pace at which a run
begins, tabs, a lost connection."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

from apps.studio.tests.browsing import WIDE
from apps.studio.tests.real_studio import RealStudio, commands, real_studio
from treino_studio.page_words import WORDS, page_words

pytestmark = pytest.mark.release
LINE = "wine --features alcohol,color_intensity --hidden 6,4 --epochs 400 --paused"
COVERED = """() => {
  const box = document.querySelector('#notices').getBoundingClientRect();
  return [...document.querySelectorAll('button, select, input, a, summary')].filter((node) => {
    const own = node.getBoundingClientRect();
    return !node.closest('#notices') && node.checkVisibility() && own.width && own.right > box.left
      && own.left < box.right && own.bottom > box.top && own.top < box.bottom;
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


# ---- the pace of a run that begins


def test_a_run_begins_at_a_pace_that_can_be_watched_and_full_speed_is_one_click_away(
    opened: Any, studio: RealStudio
) -> None:
    page = opened()
    steps = studio.run("wine-1").spec.steps_per_epoch * 400
    assert float(page.locator("#speed").input_value()) == pytest.approx(steps / 25, rel=0.1)
    page.get_by_role("button", name="full speed").click()
    studio.until("wine-1", lambda run: commands(run)[-1:] == [("speed", None)])
    page.get_by_role("button", name="full speed").wait_for(state="hidden")
    page.get_by_label("Speed", exact=True).select_option(label="10 steps/s")
    other = studio.open(page.context.browser, "run/wine-1?lang=en")  # who comes later sees the same
    other.wait_for_selector("main[data-frame]")
    other.wait_for_function("document.querySelector('#speed').value === '10'")
    other.context.close()


# ---- runs beside each other


def test_a_tab_says_the_name_and_what_differs(opened: Any, studio: RealStudio) -> None:
    page = opened()
    others = page.get_by_role("button", name=re.compile("no more$"))
    while count := others.count():
        others.first.click()
        until(lambda n=count: others.count() < n, meanwhile=lambda: page.wait_for_timeout(20))
    page.get_by_role("button", name="Branch", exact=True).click()
    page.get_by_role("button", name="Open it").last.click()
    page.wait_for_url("**/run/wine-*")
    page.wait_for_selector("#branch:enabled")
    rate = page.get_by_label("Learning rate", exact=True)
    rate.fill("0.0118")
    rate.press("Enter")
    page.locator("#tabs").get_by_role("button", name="wine-1 · lr 0.003").click()
    page.wait_for_url("**/run/wine-1")
    page.locator("#tabs").get_by_role("button", name=re.compile(r"^wine-\d · lr 0\.0118$")).first.wait_for()


def test_four_tabs_stay_in_their_panel_at_every_width(opened: Any, studio: RealStudio) -> None:
    page = opened()
    while page.locator("#tabs .tab").count() < 4:
        before = page.locator("#tabs .tab").count()
        page.locator("#branch").click()
        until(
            lambda n=before: page.locator("#tabs .tab").count() > n,
            meanwhile=lambda: page.wait_for_timeout(20),
        )
    for width in (390, 760, 1024, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(WIDE) == [], width
        right = "n => n.getBoundingClientRect().right"
        panel = page.locator(".panel.curves").evaluate(right)
        for node in page.locator(".curves > header *:visible").all():
            assert node.evaluate(right) <= panel, width


# ---- no connection


def test_a_studio_that_hangs_is_shown_by_all_controls_until_it_answers(
    opened: Any, studio: RealStudio
) -> None:
    page = opened()
    studio.process.send_signal(signal.SIGSTOP)
    try:
        page.get_by_role("alert").get_by_text("The studio doesn’t answer.").wait_for()
        page.get_by_role("status").get_by_text("not connected").wait_for()
        for name in ("Play", "Step", "Epoch", "Stop", "Branch", "Fan out", "Save", "Microscope", "New seed"):
            assert page.get_by_role("button", name=name, exact=True).is_disabled(), name
        assert page.get_by_label("Learning rate", exact=True).is_disabled()
        page.locator("#play").hover(force=True)
        page.locator("#tip").get_by_text("The studio doesn’t answer.").wait_for()
    finally:
        studio.process.send_signal(signal.SIGCONT)
    page.locator("#connection").wait_for(state="hidden")
    page.wait_for_selector("#play:enabled")
    page.get_by_role("status").get_by_text("paused").wait_for()


def test_a_lost_connection_is_shown_by_all_controls_at_once(browser: Any, tmp_path: Path) -> None:
    with real_studio(tmp_path, [*LINE.split()[:-1]]) as studio:
        page = studio.open(browser, "run/wine-1?lang=en")
        page.get_by_role("button", name="Pause", exact=True).wait_for()
        page.get_by_role("status").get_by_text("playing").wait_for()
        studio.process.kill()
        page.get_by_role("alert").get_by_text("Connection lost").wait_for()
        page.get_by_role("status").get_by_text("not connected").wait_for()
        assert page.get_by_role("button", name="Play", exact=True).is_disabled()
        page.context.close()


# ---- the language of the command line


def test_lang_on_the_command_line_opens_the_page_in_that_language_until_another_is_chosen(
    browser: Any, tmp_path: Path
) -> None:
    with real_studio(tmp_path, ["--lang", "pt_BR", *LINE.split()]) as studio:
        page = studio.open(browser)
        play = page.locator("#play")
        for _ in range(2):
            page.wait_for_selector("main[data-frame]")
            assert (play.inner_text(), page.evaluate("document.documentElement.lang")) == ("Rodar", "pt-BR")
            page.reload()
        page.wait_for_selector("main[data-frame]")
        page.locator("#language").click()
        play.get_by_text("Play").wait_for()
        page.reload()
        page.wait_for_selector("main[data-frame]")
        assert play.inner_text() == "Play"
        page.locator(".brand").click()
        page.get_by_role("heading", name="Runs, sweeps and studies").wait_for()
        page.context.close()
