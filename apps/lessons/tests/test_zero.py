"""Lesson zero, followed in Chromium: each link opens what the text says, in both languages, from a file."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.plots.browser import chromium

playground = pytest.importorskip("treino_studio.playground.page", reason="needs the studio's playground")

from tools import lesson_zero as zero  # noqa: E402

from apps.studio.tests.browsing import said  # noqa: E402

NUMBER = re.compile(r"(?<![\d,.])\d+[.,]\d{3,}(?!\d)")
GUESS = "1.099", "1,099"  # ln 3: the loss of an answer by chance, which is said of no network in view
MARKS = pytest.mark.release, pytest.mark.slow  # both languages have the same links
RIGHT = re.compile(r"diamond (\d+) are right|losango, acerta (\d+)|(\d+) (?:of the|das) 27")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lessons' folder, with the playground's page in it as on the site."""
    folder = tmp_path_factory.mktemp("clone")
    for page in zero.PAGES:
        (folder / page.parent.name).mkdir()
        shutil.copy(page, folder / page.parent.name)
    (folder / "play.html").write_text(playground.page())
    return folder


def followed(browser: Any, page: Path, number: int) -> str:
    """What the playground says after each link of this section, and after what is pressed there."""
    shown, steps, then, _elements = zero.SHOWN[number]
    told: list[str] = []
    for at, link in enumerate(zero.LINK.findall(zero.sections(page)[number])):
        tab = zero.opened(browser, page.parent.parent / "play.html", link)
        told += said(tab)
        if at == shown and (steps or then):
            zero.press(tab, steps, then)
            told += said(tab)
        assert not tab.complaints, link
        assert not tab.inner_text("#notices").strip(), link
        assert tab.get_attribute("html", "lang") == {"licoes": "pt-BR", "lessons": "en"}[page.parent.name]
        tab.close()
    return "\n".join(told)


@pytest.mark.parametrize("number", range(len(zero.SHOWN)))
@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=m, id=p.parent.name) for p, m in zip(zero.PAGES, MARKS, strict=True)],
)
def test_what_the_text_says_is_seen(browser: Any, clone: Path, page: Path, number: int) -> None:
    text = zero.sections(page)[number]
    told = followed(browser, clone / page.parent.name / page.name, number)
    asked = re.findall(r"\[([\d.,]+)\]\(", text)  # the links' own values
    figures = {
        figure for figure in NUMBER.findall(zero.LINK.sub("]", text)) if figure not in (*GUESS, *asked)
    }
    buttons = set(re.findall(r"(?<!\*)\*([A-ZÉ][^*]+)\*(?!\*)", text))
    assert {one for one in figures | buttons if one not in told} == set()
    for found in RIGHT.findall(text):
        assert re.search(rf"validação: {''.join(found)} de 27|validation: {''.join(found)} of 27", told), (
            found
        )


def test_both_languages_have_the_same_links() -> None:
    english, portuguese = (
        [re.sub(r"&lang=\w+", "", link) for link in zero.LINK.findall(page.read_text())]
        for page in zero.PAGES
    )
    assert english == portuguese
