"""What pages share, in a real browser before a real studio: notices, explained terms, the pace at which a run
begins, tabs, a lost connection."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.studio.tests.real_studio import RealStudio, commands, real_studio
from treino_studio.page_words import page_words

pytestmark = pytest.mark.release
LINE = "wine --features alcohol,color_intensity --hidden 6,4 --epochs 400 --paused"
COVERED = """() => {
  const box = document.querySelector('#notices').getBoundingClientRect();
  return [...document.querySelectorAll('button, select, input, a, summary, canvas')].filter((node) => {
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


@pytest.mark.parametrize(("width", "height", "near"), [(1440, 900, 160), (390, 844, 600)])
def test_a_notice_holds_its_whole_sentence_and_the_next_move_and_covers_no_control_or_picture(
    opened: Any, width: int, height: int, near: int
) -> None:
    page = opened(viewport={"width": width, "height": height})
    notice = branch(page)
    notice.wait_for()
    assert notice.evaluate("n => n.scrollWidth <= n.clientWidth && n.scrollHeight <= n.clientHeight")
    assert page.evaluate(COVERED) == []
    pressed, box = page.locator("#branch").bounding_box(), page.locator("#notices").bounding_box()
    assert abs(box["y"] - pressed["y"]) < near
    notice.hover()  # or it goes after a while
    run = notice.inner_text().split()[0]
    notice.get_by_role("button", name="Open it").click()
    page.wait_for_url(f"**/run/{run}")
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


# ---- before there is a run

LATE = """
import sys, treino_studio.relay as relay
train = "until [ -e go ]; do sleep 0.05; done; exec " + sys.executable + " -m treino_studio.trainer"
relay.Commands.__init__.__defaults__ = relay.Commands.worker, ("sh", "-c", train)
from treino.cli import main
sys.exit(main())
"""


def after_its_start(one: Any) -> None:
    """The page of a run that begins hears that it has begun before it hears an answer."""
    server, answers = one.connect_to_server(), list[str]()

    def hear(text: str) -> None:
        begun = text.startswith('{"started"')
        if text.startswith('{"reply"') and '"protocol"' not in text:
            answers.append(text)
        else:
            one.send(text)
        while begun and answers:
            one.send(answers.pop(0))

    one.on_message(server.send)
    server.on_message(hear)


@pytest.mark.parametrize("late", [False, True])
def test_a_training_can_be_paused_and_stepped_before_its_process_has_loaded(
    browser: Any, tmp_path: Path, late: bool
) -> None:
    """Also where the answers come late: a button takes another press as soon as it is answered."""
    with real_studio(tmp_path, LINE.split()[:-1], (sys.executable, "-c", LATE)) as studio:
        context = browser.new_context(locale="en-US")
        if late:
            context.route_web_socket(re.compile("/socket/start"), after_its_start)
        page = studio.shown(context.new_page())
        toggles = [("Pause", "Play"), ("Play", "Pause"), ("Pause", "Play")][: 1 if late else 3]
        page.get_by_role("status").get_by_text("starting").wait_for()
        assert page.locator("#branch").is_hidden()
        for does, then in toggles:
            page.get_by_role("button", name=does, exact=True).click()
            page.get_by_role("button", name=then, exact=True).wait_for()
            page.locator("#play[data-sent]" if late else "#play:not([data-sent])").wait_for()
        page.keyboard.press("f")  # there is nothing to fan out
        for _ in range(2):
            page.get_by_role("button", name="Step", exact=True).click()
        assert not (tmp_path / "runs").exists()
        (tmp_path / "go").touch()
        page.wait_for_selector("main[data-frame]")
        assert page.url == f"{studio.site}run/wine-1"
        page.locator("#play:not([data-sent])", has_text="Play").wait_for()
        run = studio.until("wine-1", lambda run: len(run.losses) == 2)
        pressed = [name for name, _value in commands(run) if name != "speed"]
        assert pressed == ["play", *(does.lower() for does, _then in toggles), "step", "step"]
        assert studio.said == []
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
