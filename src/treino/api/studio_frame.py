"""``open_studio``: the studio's page of a run in a frame of a notebook, served by a process of its own."""

import json
import subprocess
import sys
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.words import _

HEIGHT = 820  # pixels
GRACE = 40.0  # seconds for what it trains to be saved


class StudioFrame:
    """A studio in a process of its own, which ends with this one. A notebook shows its page in a frame.

    address: for a browser on this machine.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process, self.address = process, address

    def close(self) -> None:
        """End the studio; a training that it began is saved. More than once does nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _repr_html_(self) -> str:
        # a strict cookie goes into a frame of the same host only, and notebooks are at localhost
        page, plain = escape(self.address.replace("127.0.0.1", "localhost")), escape(self.address)
        text = escape(_("Open it in a tab of its own"))
        return (
            f'<iframe src="{page}" width="100%" height="{HEIGHT}" style="border:0"></iframe>'
            f'<p><a href="{plain}" target="_blank" rel="noopener">{text}</a></p>'
        )

    def __repr__(self) -> str:
        return f"StudioFrame({self.address.partition('?')[0]!r})"


def open_studio(shown: Any = None) -> StudioFrame:
    """Serve the studio's page of a run, sweep or study, and return it as a frame for a notebook.

    shown: a ``Run``, ``Sweep`` or ``Study``, its name or path, also one in progress, the name of data, or a
    script; None: all runs in ``./runs``.

    Raises:
        TreinoError: there is no such thing, with the rule that ``treino studio`` gives.
    """
    path = shown if shown is None or isinstance(shown, (str, Path)) else shown.path
    command = [sys.executable, "-m", "treino", "studio", *([] if path is None else [str(path)])]
    process = subprocess.Popen(
        [*command, "--notebook", "--no-browser", "--json", "--port", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # interrupting a cell is no end of the studio
    )
    assert process.stdout is not None
    document = json.loads(process.stdout.readline() or "{}")
    if "studio" not in document:
        error = document.get("error", {"rule": "studio_process", "message": "", "hint": ""})
        StudioFrame(process, "").close()
        raise TreinoError(error["rule"], error["message"], error["hint"])
    return StudioFrame(process, document["studio"]["address"])
