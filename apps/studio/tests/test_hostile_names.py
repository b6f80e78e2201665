"""Pages of the studio and the playground with texts that would be markup, as in
tests/workflows/test_hostile_texts.py; without the policy that would stop them from running."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.workflows.test_hostile_texts import NAME, POINTED, RAN, TEXT, folder, table

import treino as tr
from apps.studio.tests.real_studio import RealStudio, real_studio
from treino_studio.playground.address import address
from treino_studio.playground.page import page
from treino_studio.playground.tables import table_of

pytestmark = pytest.mark.release
__all__ = ["folder", "table"]


@pytest.fixture(scope="module")
def studio(folder: Path, table: Path) -> Iterator[RealStudio]:
    """A studio of a run, a sweep and a study of such a table."""
    how: dict[str, Any] = {"target": f"class {TEXT}", "epochs": 3}
    tr.fit(table, out=folder / f"runs/run {NAME}", hidden=[4], **how)
    tr.sweep(table, {"lr": "1e-3..1e-1:log"}, members=3, out=folder / f"runs/sweep {NAME}", **how)
    tr.study(table, batch_sizes=[20, 40], out=folder / f"runs/study {NAME}", **how)
    with real_studio(folder, []) as found:
        yield found


def assert_text_alone(shown: Any) -> None:
    """The page shows the texts, and nothing of them has run or become an element, wherever the pointer is."""
    assert "ran()" in shown.inner_text("body")
    assert shown.evaluate(POINTED) is False
    assert shown.locator("img[src=x], [onerror], [onmouseover], [onfocus]").count() == 0


@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("home", "main"),
        (f"run/run {NAME}", "main[data-frame]"),
        (f"sweep/sweep {NAME}", ".rows tbody tr"),
        (f"study/study {NAME}", ".rows tbody tr"),
    ],
    ids=["home", "run", "sweep", "study"],
)
def test_a_page_of_the_studio(browser: Any, studio: RealStudio, place: str, there: str) -> None:
    shown = studio.open(browser, "home", bypass_csp=True)
    shown.add_init_script(RAN)
    shown.goto(f"{studio.site}{quote(place)}?lang=en")
    shown.locator(there).first.wait_for()
    shown.wait_for_function("document.body.innerText.includes('ran()')")
    assert_text_alone(shown)
    assert studio.said == []


def test_the_playground_with_such_a_table(browser: Any, table: Path, tmp_path: Path) -> None:
    path, said = tmp_path / "playground.html", list[str]()
    own = table_of(str(table), f"class {TEXT}")
    path.write_text(page(own, address(own["name"], {})))
    shown = browser.new_context(bypass_csp=True).new_page()
    shown.add_init_script(RAN)
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(path.as_uri())
    shown.wait_for_selector("main[data-frame]")
    assert_text_alone(shown)
    assert said == []
