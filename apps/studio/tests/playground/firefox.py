"""Firefox without a window, spoken to by its own protocol, Marionette: JSON, its length before."""

import base64
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG, until

PREFERENCES = (
    'user_pref("marionette.port", %d);\nuser_pref("browser.shell.checkDefaultBrowser", false);\n'
    'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
    'user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);\n'
)


class Firefox:
    """A session in a Firefox that listens on a port."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        def connected() -> bool:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=HANG)
                self._answer()  # it greets
            except OSError:
                return False
            return True

        self._number = 0
        until(connected, process)
        self.say("WebDriver:NewSession", {"capabilities": {}})

    def __enter__(self) -> "Firefox":
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def say(self, command: str, fields: dict[str, Any]) -> Any:
        """A command's answer."""
        self._number += 1
        text = json.dumps([0, self._number, command, fields]).encode()
        self._socket.sendall(b"%d:" % len(text) + text)
        _kind, _number, error, answer = self._answer()
        assert error is None, error
        return answer

    def open(self, address: str) -> None:
        self.say("WebDriver:Navigate", {"url": address})

    def value(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.say("WebDriver:ExecuteScript", {"script": f"return {expression}", "args": []})["value"]

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.say("WebDriver:TakeScreenshot", {"full": False})["value"])

    def _answer(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._received(1)
        found, wanted = b"", int(length[:-1])
        while len(found) < wanted:
            found += self._received(wanted - len(found))
        return json.loads(found)

    def _received(self, most: int) -> bytes:
        found = self._socket.recv(most)
        if not found:
            self._socket.close()
            raise ConnectionError("Firefox has hung up")
        return found


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A new Firefox; the test is skipped where there is none."""
    program = shutil.which("firefox") or shutil.which("firefox-esr")
    if program is None:
        pytest.skip("needs firefox")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES % port)
    line = [program, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
    line += ["--width", "1440", "--height", "900"]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Firefox(port, process) as found:
            yield found
    finally:
        process.terminate()
        process.wait(HANG)
