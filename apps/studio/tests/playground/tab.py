"""The playground's page in Chromium, opened from the file as ``treino playground`` writes it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG, until

from treino_studio.page_file import PACKAGE
from treino_studio.playground.page import page

WIDTH, HEIGHT = 1440, 900
MODULES = "http://modules.test"  # where a page made by a test imports the sources from


class Tab:
    """A page that is open. said: what its console complained of. requests: all that it asked for."""

    complaints: tuple[str, ...] = "error", "warning"

    def __init__(self, browser: Any, file: Path, hash_: str = "", script: str = "", **how: Any) -> None:
        self.said, self.requests, self.file = list[str](), list[str](), file
        usual = {"viewport": {"width": WIDTH, "height": HEIGHT}, "locale": "en"}
        self.context = browser.new_context(**usual | how)
        if script:
            self.context.add_init_script(script)
        self.context.route(f"{MODULES}/**", _module)
        self.page = self.context.new_page()
        self.page.set_default_timeout(1000 * HANG)
        self.page.on("console", lambda m: self.said.append(m.text) if m.type in self.complaints else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri() + hash_)

    def ready(self) -> "Tab":
        """... once the first frame is drawn."""
        self.page.wait_for_selector("main[data-frame]")
        return self

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())

    def step(self) -> int:
        return int("".join(c for c in self.text("#clock-step") if c.isdigit()))

    def wait(self, event: Callable[[], Any]) -> Any:
        return until(event, meanwhile=lambda: self.page.wait_for_timeout(10))

    def asks(self) -> dict[str, str]:
        """What the address says."""
        return dict(self.page.evaluate("[...new URLSearchParams(location.hash.slice(1))]"))

    def weights(self) -> bytes:
        """The file of weights, as it is saved."""
        self.button("Save").click()
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Weights").click()
        return Path(download.value.path()).read_bytes()


def _module(route: Any) -> None:
    path = PACKAGE / route.request.url.removeprefix(f"{MODULES}/")
    route.fulfill(path=path, content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"})


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("playground") / "playground.html"
    path.write_text(page())
    return path


@pytest.fixture
def tab(browser: Any, file: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page, or another file; at the end no console has complained."""
    opened: list[Tab] = []

    def opening(*args: Any, made: type[Tab] = Tab, file: Path = file, **how: Any) -> Tab:
        opened.append(made(browser, file, *args, **how))
        return opened[-1]

    yield opening
    for each in opened:
        each.context.close()
        assert not each.said, each.said
