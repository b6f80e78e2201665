"""Limits what an agent may touch: paths in one folder, and code only if the server has ``--trust``.

Every argument that names a file, a folder or a run is resolved, links included, before a command is run.
"""

import glob
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import _
from treino.folders import fenced, find, known_folder
from treino.settings import OF_FILES
from treino.training import ANY_SETTING, files_in_space, read_space, space_of

ADDRESS_REFUSED = Refusal(
    "{value!r} is an address, and only files in {folder} are read.", "Ask a person to put the file there."
)
PATH_FORM = Refusal("{value!r} is no path.", "Write its name.")
TRUST_MISSING = Refusal(
    "{value} is code, and this server was started without leave to run code.",
    "Ask the person who starts it: apps/agents/docs/mcp.md says how leave is given.",
)
PATH_OUTSIDE = Refusal(
    "{value!r} leads out of {folder}, and nothing outside is read or written.",
    "Name a file or folder inside; what lies outside, a person can copy there.",
)

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
MEMBER = re.compile(r":\d+$")  # the end of SWEEP:17, a network of a sweep, or RUN:120, a step of a run
RUNS = Path("runs")
SCRIPTS = (".py", ".ipynb")


@dataclass(frozen=True)
class AgentFolder:
    """The folder of a server, which is also its working directory.

    root: the folder, without links. trust: whether code may run: networks of the user's own, and scripts.
    """

    root: Path
    trust: bool

    def check_path(self, text: str) -> None:
        """Refuse a path, or a pattern of paths, that leads out of the folder.

        Raises:
            TreinoError: an address, a path outside, a link to the outside, also one in the folder that the
                path names.
        """
        if URL.match(text):
            raise ADDRESS_REFUSED(value=text, folder=self.root)
        unpaired = text != text.encode(errors="ignore").decode()  # half of a surrogate pair: no Unicode
        if "\0" in text or unpaired:
            raise PATH_FORM(value=text)
        matches = glob.iglob(text, recursive=True) if glob.has_magic(text) else ()
        for path in (text, *matches):
            self._check_inside(path, text)
            for link in _links(path):
                self._check_inside(link, text)

    def check_run(self, text: str) -> None:
        """Refuse a run outside, or one whose record names data outside.

        text: as typed on a command line: a path, a name in ``./runs``, ``last``, ``SWEEP:17`` or ``RUN:120``.

        Raises:
            TreinoError: as ``check_path``; there is no such run.
        """
        self.check_path(text)
        with fenced(self.root):
            path = find(MEMBER.sub("", text))
        self.check_run_folder(path)

    def check_run_folder(self, path: Path) -> None:
        """Refuse the folder of a run if it lies outside, or if its data does."""
        self.check_path(str(path))
        for source in _recorded_files(path):
            self._check_inside(str(path / source), source)

    def check_runs(self) -> None:
        """Refuse the folder of runs if it is a link to the outside. Lists leave out such runs."""
        self._check_inside(str(RUNS), str(RUNS))

    def check_data(self, text: str) -> None:
        """Refuse data outside; the name may be a run's, too."""
        self.check_path(text)
        with fenced(self.root):
            run = known_folder(MEMBER.sub("", text))
        if run is not None:
            self.check_run_folder(run)

    def check_space(self, value: Any) -> None:
        """Refuse a file of settings to try that lies outside (``lr=1e-4..1e-1`` is no file), files outside
        among the values to try, and networks without ``--trust``.

        Raises:
            TreinoError: as ``check_path`` and ``check_network``, or it is no space.
        """
        words = [str(each) for each in (value if isinstance(value, list) else [value])]
        for each in words:
            if "=" not in each:
                self.check_path(each)
        for name, text in files_in_space(read_space(space_of(words), ANY_SETTING)):
            (self.check_network if "code" in OF_FILES[name].reach else self.check_path)(text)

    def check_network(self, text: str) -> None:
        """Refuse a file ``FILE.py:NAME`` that lies outside the folder; without ``--trust``, refuse any.

        A name without a colon, such as adam, names no file."""
        if ":" not in text:
            return
        self.check_path(text.rpartition(":")[0] or text)
        self.check_code(text)

    def check_subject(self, text: str) -> None:
        """Refuse a script without ``--trust``, or one outside; runs are checked as ``check_run``."""
        if text.endswith(SCRIPTS) or os.path.isfile(text):
            self.check_path(text)
            self.check_code(text)
        else:
            self.check_run(text)

    def check_code(self, text: str) -> None:
        """Refuse to run code.

        Raises:
            TreinoError: the server was started without ``--trust``.
        """
        if not self.trust:
            raise TRUST_MISSING(value=text)

    def _check_inside(self, path: str, text: str) -> None:
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self.root):
            raise PATH_OUTSIDE(value=path if path.startswith(text) else text, folder=self.root)


def _links(path: str) -> Iterator[str]:
    """The links inside a folder, at any depth."""
    for folder, folders, files in os.walk(path):
        yield from (each for name in (*folders, *files) if os.path.islink(each := os.path.join(folder, name)))


def _recorded_files(run: Path) -> Iterator[str]:
    """Yield the data files that a run's record names, relative to its folder. If it can't be read, the
    command will say so."""
    try:
        data = json.loads((run / "spec.json").read_bytes())["data"]
        if data["kind"] == "file":
            yield str(data["source"])
            yield from (str(each["source"]) for each in data.get("files", {}).values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


Check = Callable[[AgentFolder, Any], None]


CHECKS: dict[str, Check] = {
    "path": lambda folder, value: folder.check_path(str(value)),
    "run": lambda folder, value: folder.check_run(str(value)),
    "data": lambda folder, value: folder.check_data(str(value)),
    "network": lambda folder, value: folder.check_network(str(value)),
    "subject": lambda folder, value: folder.check_subject(str(value)),
    "space": lambda folder, value: folder.check_space(value),
    "trust": lambda folder, value: folder.check_code(_("A network of one's own")) if value else None,
}
"""How the value of an argument is checked, by what it names."""
