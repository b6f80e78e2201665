"""Where a command's words and its one JSON document go, and how an error is said."""

import json
import math
import sys
import traceback
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from treino.errors import TreinoError
from treino.words import _

WIDE = 1000


class Screen:
    """Two consoles: results on ``out`` (mute with ``--json``), progress and warnings on ``err``."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._said = False
        self.out = _console(sys.stdout, as_json)
        self.err = _console(sys.stderr)

    @property
    def live(self) -> bool:
        """Whether a person watches, so that progress may be drawn."""
        return self.err.is_terminal

    def document(self, document: dict[str, Any]) -> None:
        """Write the one JSON document, where ``--json`` asked for it; never a second one."""
        if self.as_json and not self._said:
            self._said = True
            sys.stdout.write(json.dumps(finite(document), ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def fail(self, error: TreinoError) -> int:
        """Say what is wrong and what to do next; -> the exit status."""
        self.err.print(Text.assemble((_("error: "), "bold red"), error.message))
        if error.hint:
            self.err.print(Text.assemble((_(" next: "), "bold"), error.hint))
        self.document({"error": {"rule": error.rule, "message": error.message, "hint": error.hint}})
        return error.status

    def defect(self, error: BaseException) -> int:
        """A fault of treino itself: the traceback for whoever mends it, and one sentence."""
        traceback.print_exception(error, file=sys.stderr)
        message = _("{kind}: {error}").format(kind=type(error).__name__, error=error)
        return self.fail(
            TreinoError("defect", message, _("This is a defect of treino; please report it."), status=1)
        )


def _console(file: TextIO, quiet: bool = False) -> Console:
    """A pipe has no width: lines are not broken there."""
    return Console(file=file, highlight=False, quiet=quiet, width=None if file.isatty() else WIDE)


def finite(value: Any) -> Any:
    """NaN and infinity become null: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value
