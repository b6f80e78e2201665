"""A real browser, and what the tests of pages ask it for."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.plots.browser import chromium
from tests.waiting import HANG

from treino_studio.page_words import page_words

AXE = (
    "async () => (await axe.run(document)).violations.map(v => [v.impact, v.id, v.nodes[0].target.join(' ')])"
)
WIDTHS = 360, 768, 1024, 1280, 1440, 1920
LAYOUT = (Path(__file__).parent / "layout.js").read_text().split("*/\n", 1)[1].rstrip(";\n")
DRAWN = """(() => { const p = CanvasRenderingContext2D.prototype, text = p.fillText, begin = p.setTransform;
  p.setTransform = function (...how) { this.canvas.drawn = []; return begin.apply(this, how); };
  p.fillText = function (words, x, y, ...how) {
    const { a, b, c, d, e, f } = this.getTransform(), m = this.measureText(words), ratio = Math.hypot(a, b);
    const corners = [[-m.actualBoundingBoxLeft, -m.actualBoundingBoxAscent],
      [m.actualBoundingBoxRight, m.actualBoundingBoxDescent]].map(([dx, dy]) =>
      [a * (x + dx) + c * (y + dy) + e, b * (x + dx) + d * (y + dy) + f].map((v) => v / ratio));
    const [[l, r], [t, q]] = [0, 1].map((k) => corners.map((at) => at[k]).sort((v, w) => v - w));
    (this.canvas.drawn ??= []).push({ words: String(words), l, r, t, b: q });
    return text.call(this, words, x, y, ...how); }; })()"""
SAID = """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const said = [], silent = 'script, style, template, code, pre, #script-output, [hidden]';
  const shown = (node) => !node.closest(silent);
  while (walk.nextNode()) if (shown(walk.currentNode.parentElement)) said.push(walk.currentNode.data);
  for (const node of [...document.querySelectorAll('body *')].filter(shown)) {
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-description'])
      said.push(node.getAttribute(name) ?? '');
    if (node.matches('canvas') && node.checkVisibility())
      said.push(...(node.drawn ?? []).map(({ words }) => words));
  }
  return [...new Set(said.map((text) => text.trim()).filter(Boolean))]; }"""
WORD = re.compile(r"[^\W\d_]{3,}")
# alike in every language
NAMES = """batch class size train target wine one cycle step plain inputs seed study sweep run runs pictures
digits moons spirals plane circles hidden optimizer activation channels epochs ensemble javascript"""


def faults(page: Any, widths: Sequence[int] = WIDTHS) -> dict[int, list[str]]:
    """What cannot be read at each width, once two looks agree; the page has DRAWN."""
    found = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        looks = [page.evaluate(LAYOUT)]
        while len(looks) < 2 or looks[-1] != looks[-2] or (looks[-1] and len(looks) < 8):
            page.wait_for_timeout(200)  # drawn again after the change, some pictures once a second
            looks.append(page.evaluate(LAYOUT))
        found[width] = looks[-1]
    return {width: each for width, each in found.items() if each}


def said(page: Any) -> list[str]:
    """What a page says to eyes and ears, also in its pictures, once two looks agree."""
    before, now = [""], list[str]()
    while page.locator(".busy").count() or before != (now := page.evaluate(SAID)):
        before = now
        page.wait_for_timeout(700)
    return now


def foreign(texts: list[str]) -> list[str]:
    """Texts of a Portuguese page that hold a word of the English page, or a number with a decimal point."""
    english, own = (
        {
            word.lower()
            for text in page_words(name).values()
            for word in WORD.findall(re.sub(r"{\w+}", "", text))
        }
        for name in ("en", "pt_BR")
    )
    words = english - own - set(NAMES.split())
    return [t for t in texts if re.search(r"\d\.\d", t) or words & {w.lower() for w in WORD.findall(t)}]


def kinds(texts: list[str]) -> set[str]:
    """Texts whatever their numbers are."""
    return {re.sub(r"[\d\u202f,−–]+", "#", text) for text in texts}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return _axe()


@cache
def _axe() -> str:
    """... from npm, once."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs node, whose npm fetches axe-core")
    line = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(line, cwd=folder, capture_output=True, timeout=HANG).returncode:
            pytest.skip("needs node, whose npm could not fetch axe-core")
        return (Path(folder) / "node_modules/axe-core/axe.min.js").read_text()


GREY = """
const stroke = CanvasRenderingContext2D.prototype.stroke;
window.greyLines = 0;
CanvasRenderingContext2D.prototype.stroke = function (...path) {
  const ghost = getComputedStyle(document.documentElement).getPropertyValue('--ghost').trim();
  if (this.canvas.id === 'curves-canvas' && this.strokeStyle === ghost) window.greyLines += 1;
  return stroke.apply(this, path);
};
"""
"""For a page: counts in ``greyLines`` how often a curve of a way that was left is drawn."""


def grey_lines(page: Any) -> int:
    """How many such curves are drawn the next time."""
    page.evaluate("window.greyLines = 0; dispatchEvent(new Event('resize'))")
    page.wait_for_timeout(500)
    return int(page.evaluate("window.greyLines"))
