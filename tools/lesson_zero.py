"""Lesson zero in Chromium: its links are opened, what it says is pressed, and its pictures are taken.

    python -m tools.lesson_zero [--chromium /usr/bin/chromium]

writes the pictures of both languages; the tests press the same and read what the page says then.
"""

import argparse
import io
import re
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from treino_studio.playground.page import page as playground

HERE = Path(__file__).parent.parent / "apps/lessons/docs"
PAGES = HERE / "lessons/00-no-code.md", HERE / "licoes/00-sem-codigo.md"
LINK = re.compile(r"\]\((play\.md#[^)\s]+)\)")
MAPS, CURVES = "#network, #picture", ".curves"
SHOWN = (  # of each section: its link, how many steps are pressed, what is pressed then, the picture
    (0, 0, "", MAPS),
    (1, 0, "", MAPS),
    (0, 20, "", CURVES),
    (0, 1, "#lens", "#drawer"),
    (1, 0, "", CURVES),
    (1, 0, "", MAPS),
    (0, 4, "", "#play, #step, #epoch, .clock"),
    (0, 0, "", "#picture, .curves"),
)
SIZE = {"width": 1280, "height": 900}


def sections(page: Path) -> list[str]:
    """The texts of those sections that have links into the playground."""
    return [text for text in page.read_text().split("\n## ") if LINK.search(text)]


def opened(browser: Any, file: Path, link: str) -> Any:
    """A tab with what the link opens, its network drawn."""
    tab = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
    tab.complaints = []
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto(file.as_uri() + link[link.index("#") :])
    tab.wait_for_selector("main[data-frame]")
    return tab


def press(tab: Any, steps: int, then: str) -> None:
    """Press step so many times, each after the one before is counted, and then something else."""
    start = int(tab.inner_text("#clock-step"))
    for step in range(start + 1, start + steps + 1):
        tab.click("#step")
        tab.wait_for_selector(f"#clock-step:text-is('{step}')")
    if then:
        tab.click(then)
        tab.locator("#lenses > :last-child:not(.busy)").scroll_into_view_if_needed()


def picture(tab: Any, elements: str) -> bytes:
    """The part of the page that holds these elements, as a PNG in 128 colours."""
    tab.wait_for_timeout(600)  # hints fade, numbers settle
    boxes = [box for one in tab.locator(elements).all() if (box := one.bounding_box())]
    left, top = (min(box[side] for box in boxes) - 6 for side in ("x", "y"))
    right, bottom = (max(box[a] + box[b] for box in boxes) + 6 for a, b in (("x", "width"), ("y", "height")))
    clip = {"x": max(left, 0), "y": max(top, 0), "width": right - left, "height": bottom - top}
    image = Image.open(io.BytesIO(tab.screenshot(clip=clip, full_page=True))).convert("RGB")
    out = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    from playwright.sync_api import sync_playwright

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--chromium", help="the browser's path; default: Playwright's own")
    chromium = arguments.parse_args().chromium
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        file = Path(folder) / "play.html"
        file.write_text(playground())
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for page in PAGES:
            for number, (text, shown) in enumerate(zip(sections(page), SHOWN, strict=True), 1):
                link, steps, then, elements = shown
                tab = opened(browser, file, LINK.findall(text)[link])
                press(tab, steps, then)
                path = page.parent / "pictures" / f"00-{number}.png"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(picture(tab, elements))
                tab.close()
        browser.close()


if __name__ == "__main__":
    main()
