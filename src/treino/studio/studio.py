"""The state that all addresses of a studio share: pages and processes, data, the first page."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.studio.home import document_of
from treino.studio.relay import Relay
from treino.studio.script_page import ScriptPage
from treino.studio.uploads import Uploads
from treino.words import _


@dataclass(eq=False)
class Studio:
    """One studio. start: the address of the command line's target, once it is known.

    end_seconds: for the trainer to save its trainings at the end. script: the page of the script, if the
    target is one.
    """

    relay: Relay
    uploads: Uploads
    start: "asyncio.Future[str]"
    end_seconds: float = 30.0
    script: ScriptPage | None = None
    _builtins: list[dict[str, Any]] | None = None

    @property
    def folder(self) -> Path:
        return self.relay.folder

    async def builtins(self) -> list[dict[str, Any]]:
        """The built-in data sets, read once."""
        if self._builtins is None:
            self._builtins = (await document_of("data"))["builtins"]
        return self._builtins

    async def data(self, name: str) -> str:
        """The data that a page names: a built-in, or the path of an uploaded table.

        Raises:
            TreinoError: it is neither, as a page can't name a file.
        """
        uploaded = self.uploads.path(name)
        if uploaded is not None:
            return str(uploaded)
        if name in [each["name"] for each in await self.builtins()]:
            return name
        raise TreinoError(
            "data_missing",
            _("There is no data set {name}.").format(name=name[:60]),
            _("Send a table first, or choose one of those that are listed."),
        )
