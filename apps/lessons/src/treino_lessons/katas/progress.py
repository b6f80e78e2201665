"""A learner's progress: ``kata.json`` in the working directory, beside the scripts.

The learner may read, copy and delete this file. One that treino can't read is reported and left alone.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from treino.base import lock
from treino.base.document_fields import Document
from treino.base.errors import Refusal, TreinoError
from treino.base.files import FILE_VANISHED, read_bytes
from treino.folders import OutputFile

PROGRESS_FORM = Refusal(
    "{path} is not what treino writes: {reason}.",
    "Nothing was changed in it. Move it away or delete it: progress then begins anew.",
    rule="kata_progress",
)

FILE = Path("kata.json")
ENDINGS = (".json",)
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class KataRecord(Document):
    """What was done with one kata.

    hints: shown. checks: of a script. mended: when a check first passed, as ISO 8601, or None. before, after:
    figures on fresh rows at the last check that passed.
    """

    hints: Count = 0
    checks: Count = 0
    mended: Annotated[str, Field(max_length=40)] | None = None
    before: float | None = None
    after: float | None = None


class KataProgress(Document):
    """The content of ``kata.json``."""

    format: Literal[1] = 1
    katas: Annotated[dict[str, KataRecord], Field(max_length=1000)] = Field(default_factory=dict)

    def of(self, name: str) -> KataRecord:
        """The record of a kata; an empty one if nothing was done with it."""
        return self.katas.get(name, KataRecord())


def read_progress() -> KataProgress:
    """The progress in the working directory; empty if there is no file.

    Raises:
        TreinoError: kata_progress, the file is not what treino writes; disk errors.
    """
    try:
        data = read_bytes(FILE)
    except TreinoError as error:
        if error.rule == FILE_VANISHED.rule:
            return KataProgress()
        raise
    try:
        return KataProgress.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        reason = ".".join(map(str, first["loc"])) if first is not None else str(error)
        raise PROGRESS_FORM(path=FILE, reason=reason or "?") from None


def check_progress() -> None:
    """Refuse, before anything is run, a file that couldn't be read or written afterwards.

    Raises:
        TreinoError: the errors of ``read_progress`` and of ``OutputFile``.
    """
    read_progress()
    OutputFile(FILE, ENDINGS, replace=True)


def record(name: str, change: Callable[[KataRecord], KataRecord]) -> KataRecord:
    """Change the record of a kata and write it; several processes wait for each other.

    Raises:
        TreinoError: as ``check_progress``; disk errors.
    """
    with lock.alone(FILE.absolute().parent):
        progress = read_progress()
        changed = change(progress.of(name))
        whole = progress.model_copy(update={"katas": {**progress.katas, name: changed}})
        text = json.dumps(whole.model_dump(), indent=1) + "\n"
        OutputFile(FILE, ENDINGS, replace=True).write(text.encode())
    return changed
