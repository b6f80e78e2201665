"""Headless Chromium, one for all tests of a process; a page in it: its texts, its requests, its width."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import HANG


def program() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


_started: list[Any] = []  # Playwright, its browser and its loop, from the first test on that asks for them


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser of this process, in which what is opened here is closed at the end; the test is skipped
    where there is none."""
    if not _started:
        _start()
    _play, browser, loop = _started
    others, outer = browser.contexts, asyncio._get_running_loop()
    asyncio._set_running_loop(loop)  # Playwright's runs all the time; without a page, tests have their own
    try:
        yield browser
    finally:
        for context in browser.contexts:
            if context not in others:
                context.close()
        asyncio._set_running_loop(outer)


def _start() -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="needs chromium, driven by playwright")
    path = program()
    if path is None:
        pytest.skip("needs chromium")
    play = sync.sync_playwright().start()
    browser = play.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu"], timeout=1000 * HANG
    )
    _started[:] = play, browser, asyncio._get_running_loop()
    asyncio._set_running_loop(None)


def end_browser() -> None:
    """End the browser of this process, where it was started."""
    if _started:
        play, browser, loop = _started
        _started.clear()
        asyncio._set_running_loop(loop)
        browser.close()
        play.stop()
        asyncio._set_running_loop(None)


@dataclass(frozen=True)
class Seen:
    """said: console errors. asked: requests beyond the file itself. wide: pixels that the page takes."""

    title: str
    text: str
    said: list[str]
    asked: list[str]
    wide: int
    without_alt: int
    headings: list[str]
    lost_links: list[str]


def looked_at(path: Path, *, scheme: str = "light", width: int = 1150) -> Seen:
    """Open the page; the test is skipped where there is no browser."""
    said: list[str] = []
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        page.set_default_timeout(1000 * HANG)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.resolve().as_uri(), wait_until="networkidle")
        return Seen(
            title=page.title(),
            text=page.inner_text("body"),
            said=said,
            asked=[url for url in asked if not url.startswith(("data:", "blob:", "file:"))],
            wide=page.evaluate("document.documentElement.scrollWidth"),
            without_alt=page.locator("img:not([alt]), svg[role=img]:not([aria-label])").count(),
            headings=page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => h.localName)"),
            lost_links=page.evaluate(
                "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash)"
                ".filter(h => !document.getElementById(h.slice(1)))"
            ),
        )
