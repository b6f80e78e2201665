"""The page of a script that runs under hooks: it turns the script's messages into state, curves, notices."""

import asyncio
import math
import threading
from collections.abc import Mapping
from typing import Any

from treino.studio.hub import Page
from treino.studio.script.process import ScriptProcess

POINTS = 4000  # with more points of the loss, neighbours are averaged in pairs
LISTED = 500  # maximum number of changes and findings that are kept: the last ones


class ScriptPage:
    """The connection between a script and its page. page: the page with the key ``script``."""

    def __init__(self, page: Page, process: ScriptProcess) -> None:
        self.page, self._process = page, process
        self._state: dict[str, Any] = {
            "kind": "script", "status": "running", "exit": None, "error": None, "playing": True, "step": 0,
            "seconds": 0.0, "optimizers": [], "buttons": [], "unseen": [], "findings": [], "changes": [],
        }  # fmt: skip
        self._width = 1  # steps per point
        self._steps: list[int] = []
        self._losses: list[float | None] = []
        self._waiting: list[float] = []  # losses of an incomplete point

    def start(self) -> None:
        """Start a thread that reads the script's messages, as reading blocks."""
        loop = asyncio.get_running_loop()

        def read_messages() -> None:
            for message in self._process.messages():
                try:
                    loop.call_soon_threadsafe(self._take, message)
                except RuntimeError:  # the studio has already ended
                    return

        threading.Thread(target=read_messages, daemon=True).start()

    def send(self, command: Mapping[str, Any]) -> None:
        """Send a command to the script, which reports the result in messages.

        Raises:
            TreinoError: the command is invalid, or the script has ended.
        """
        self._process.send(command)

    async def end(self) -> None:
        """End the script, if it still runs."""
        await asyncio.to_thread(self._process.close)

    def _take(self, message: Mapping[str, Any]) -> None:
        """Show one message of the script, as described in docs/studio-script.md."""
        if "losses" in message:
            self._add(int(message["step"]), message["losses"])
            names = ("step", "seconds", "optimizers")
            self._state |= {name: message[name] for name in names if name in message}
        for name in ("buttons", "unseen"):
            if name in message:
                self._state[name] = message[name]
        for name, many in (("finding", "findings"), ("changed", "changes")):
            if name in message:
                self._state[many] = [*self._state[many], message[name]][-LISTED:]
        if "script" in message:
            self._state |= message["script"]
        if "paused" in message:
            self._state["playing"] = not message["paused"]
        if "end" in message:
            end = message["end"]
            self._state |= {"status": "ended", "exit": end["status"], "error": end["error"], "playing": False}
        if "warning" in message:
            self.page.put({"notice": {"kind": "warning", "text": str(message["warning"])}})
        if "error" in message:
            error = message["error"]
            text = f"{error['message']} {error['hint']}".strip()
            self.page.put({"notice": {"kind": "warning", "text": text}})
        self.page.put({"state": dict(self._state)})

    def _add(self, step: int, losses: list[Any]) -> None:
        """Append losses to the curve, whose points are means of ``_width`` steps. step: the step of the last
        loss."""
        begin = len(self._steps)
        numbers = [float(value) if value is not None else math.nan for value in losses]
        for k, loss in enumerate(numbers):
            self._waiting.append(loss)
            if len(self._waiting) >= self._width:
                self._steps.append(step - len(numbers) + 1 + k)
                self._losses.append(_mean(self._waiting))
                self._waiting = []
        if len(self._steps) > POINTS:
            begin, self._width = 0, 2 * self._width
            pairs = zip(self._losses[0::2], self._losses[1::2], strict=False)
            halved = [_mean([math.nan if each is None else each for each in pair]) for pair in pairs]
            self._steps, self._losses = self._steps[1::2], halved
        curves = {"run": "script", "from": begin, "step": self._steps[begin:], "loss": self._losses[begin:]}
        self.page.put({"curves": curves})


def _mean(values: list[float]) -> float | None:
    mean = math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan
    return mean if math.isfinite(mean) else None
