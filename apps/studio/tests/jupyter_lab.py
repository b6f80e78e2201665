"""A real JupyterLab on this machine, and its notebooks in a real browser."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.waiting import HANG, until

FOLDERS = "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",\
    "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR", "HOME"  # fmt: skip
QUIET = {"fetchNews": "false", "checkForUpdates": False}


@dataclass
class JupyterLab:
    """books: the folder of notebooks. token: lets a browser in."""

    site: str
    token: str
    books: Path

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the server answers at an address of its API; the test is over if it is an error."""
        request = Request(
            f"{self.site}api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urlopen(request, timeout=HANG) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def open(self, browser: Any, name: str, cells: Sequence[str] = (), **how: Any) -> "Notebook":
        """A notebook in a folder of its own, made of these cells if it is new, in a context of its own."""
        import nbformat

        path = self.books / name / f"{name}.ipynb"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            code = [nbformat.v4.new_code_cell(source) for source in cells]
            nbformat.write(nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": KERNEL}), path)
        usual = {"locale": "en-US", "viewport": {"width": 1440, "height": 1000}, "accept_downloads": True}
        page = browser.new_context(**usual | how).new_page()
        page.set_default_timeout(1000 * HANG)
        page.goto(f"{self.site}doc/tree/{name}/{name}.ipynb?token={self.token}")
        notebook = Notebook(self, page, path)
        notebook.wait(lambda: notebook.kernel and notebook.kernel["execution_state"] == "idle")
        return notebook


KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass
class Notebook:
    """A notebook that is open in a page."""

    lab: JupyterLab
    page: Any
    path: Path

    @property
    def kernel(self) -> Any:
        sessions = self.lab.ask("sessions")
        return next(
            (s["kernel"] for s in sessions if s["path"] == f"{self.path.stem}/{self.path.name}"), None
        )

    @property
    def runs(self) -> Path:
        return self.path.parent / "runs"

    def wait(self, event: Callable[[], Any]) -> Any:
        """... while the page goes on."""
        return until(event, meanwhile=lambda: self.page.wait_for_timeout(20))

    def cell(self, number: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def run(self, number: int) -> None:
        """Run a cell; it may go on."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def command(self, name: str, arguments: Any = None) -> None:
        """A command of JupyterLab, by the name that its menus have for it."""
        self.page.evaluate(
            "([name, args]) => { jupyterapp.commands.execute(name, args); }", [name, arguments or {}]
        )

    def studio(self, number: int = 0) -> Any:
        """The studio's page in a cell's output, in view, else it draws nothing, and with a frame."""
        here = "iframe[title='treino studio']"
        self.cell(number).locator(here).scroll_into_view_if_needed()
        frame = self.cell(number).frame_locator(here)
        frame.locator("main[data-frame]").wait_for()
        return frame


def free_port() -> int:
    """A port that nobody listens at; the server takes the next free one if somebody does by then."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[JupyterLab]:
    """JupyterLab with folders of its own; the test is skipped where it isn't installed."""
    for module in ("anywidget", "nbformat", "jupyterlab"):
        pytest.importorskip(module, reason=f"needs {module}: pip install {module}")
    own = {name: str(folder / name.lower()) for name in FOLDERS}
    books, settings = (
        folder / "books",
        Path(own["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab/apputils-extension",
    )
    for each in (books, settings, Path(own["HOME"])):
        each.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    line = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root",
        "--LabApp.expose_app_in_browser=True", f"--ServerApp.port={free_port()}",
        f"--ServerApp.root_dir={books}",
    ]  # fmt: skip
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(line, env=os.environ | own, stdout=log, stderr=log)
    try:
        told = Path(own["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
        facts = until(lambda: told.is_file() and told.read_text().endswith("}") and told.read_text(), process)
        server = json.loads(facts)
        yield JupyterLab(server["url"], server["token"], books)
    finally:
        process.terminate()
        try:
            process.wait(HANG)
        finally:
            process.kill()
