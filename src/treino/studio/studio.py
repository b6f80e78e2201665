"""What all addresses of one studio have in common: its pages and processes, its data, its first page."""

import asyncio
from dataclasses import dataclass
from typing import Any

from treino.errors import TreinoError
from treino.studio.home import document_of
from treino.studio.relay import Relay
from treino.studio.script_page import ScriptPage
from treino.studio.uploads import Uploads
from treino.words import _


@dataclass(eq=False)
class Studio:
    """start: the address of what was named on the command line, once that is known.

    end_seconds: in which the trainer saves what it trains. script: what the command line named, if it is one.
    """

    relay: Relay
    uploads: Uploads
    start: "asyncio.Future[str]"
    end_seconds: float = 30.0
    script: ScriptPage | None = None
    _builtins: list[dict[str, Any]] | None = None

    async def builtins(self) -> list[dict[str, Any]]:
        """The built-in data sets, asked for once."""
        if self._builtins is None:
            self._builtins = (await document_of("data"))["builtins"]
        return self._builtins

    async def data(self, name: str) -> str:
        """The data that a page names: one of the built-ins, or the path of a table that was sent.

        Raises:
            TreinoError: it is neither; a page names no file.
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
