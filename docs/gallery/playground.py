"""Make the README's moving picture: a thousand networks learn in the playground, then one of them.

python docs/gallery/playground.py [--chromium /usr/bin/chromium]
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from studio_page import HERE, chromium, keep

from treino_studio.playground.page import page as playground

CROWD = "view=many&data=spirals&panels=none&lr_values=0.0003..1&hidden=16,8"
STEPS = 32, 64, 100, 150, 220, 320, 480, 740
BACK = 0, 20, 40, 80, 160, 400, 740  # in the time machine
PAUSE = 2500
SIZE = 960, 600
COLOURS = 80
FRAME, REST = 800, 2400  # milliseconds


def picture(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)


def step(page: Page) -> int:
    return int("".join(filter(str.isdigit, page.inner_text("#clock-step"))))


def crowd(page: Page) -> list[Image.Image]:
    """The map of a thousand networks, at steps further and further apart."""
    frames = [picture(page)]
    for wanted in STEPS:
        page.get_by_role("button", name="Play").click()
        while step(page) < wanted:
            page.wait_for_timeout(10)
        page.get_by_role("button", name="Pause").click()
        page.wait_for_timeout(PAUSE)  # until each tile shows this step, and it is known how much is luck
        frames.append(picture(page))
    return frames


def one(page: Page) -> list[Image.Image]:
    """The best of them, enlarged and then alone, from its first step on."""
    page.get_by_role("button", name="Enlarge").click()
    page.wait_for_timeout(PAUSE)
    frames = [picture(page)]
    page.get_by_role("button", name="Babysit this one").click()
    time = page.get_by_label("Time machine")
    time.wait_for()
    page.wait_for_timeout(PAUSE)
    for wanted in BACK:
        time.fill(str(wanted))
        page.wait_for_timeout(800)
        frames.append(picture(page))
    return frames


def main() -> None:
    browser = chromium(__doc__)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        file = Path(folder, "playground.html")
        file.write_text(playground())
        opened = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        page.goto(f"{file.as_uri()}#{CROWD}")
        page.wait_for_timeout(1500)
        many = crowd(page)
        keep(page, "playground")
        alone = one(page)
        opened.close()
    frames = [*many, *alone]
    times = [REST if frame in (many[0], many[-1], alone[0], alone[-1]) else FRAME for frame in frames]
    shades = many[0], many[-1], alone[-1]
    sample = Image.new("RGB", (SIZE[0], len(shades) * SIZE[1]))
    for place, frame in enumerate(shades):
        sample.paste(frame, (0, place * SIZE[1]))
    palette = sample.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    few[0].save(HERE / "playground.gif", save_all=True, append_images=few[1:], duration=times, loop=0)
    print(HERE / "playground.gif")


if __name__ == "__main__":
    main()
