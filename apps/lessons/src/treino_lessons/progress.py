"""A learner's progress: ``kata.json`` in the working directory, beside the scripts: exercises and katas.

The learner may read, copy and delete this file. One that treino can't read is reported and left alone.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

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
Time = Annotated[str, Field(max_length=40)]  # as ISO 8601


class TaskRecord(Document):
    """What was done with one task. hints: shown. checks: of a file."""

    key: ClassVar[str]  # under which the file has such records

    hints: Count = 0
    checks: Count = 0


class KataRecord(TaskRecord):
    """What was done with one kata.

    mended: when a check first passed, or None. before, after: figures on fresh rows at the last check that
    passed.
    """

    key: ClassVar[str] = "katas"

    mended: Time | None = None
    before: float | None = None
    after: float | None = None


class ExerciseRecord(TaskRecord):
    """What was done with one exercise.

    tries: checks of a file that was changed. solved: when a check first passed, or None. shown: whether the
    solution was shown before.
    """

    key: ClassVar[str] = "exercises"

    tries: Count = 0
    solved: Time | None = None
    shown: bool = False


AnyRecord = TypeVar("AnyRecord", KataRecord, ExerciseRecord)


class Progress(Document):
    """The content of ``kata.json``."""

    format: Literal[1] = 1
    katas: Annotated[dict[str, KataRecord], Field(max_length=1000)] = Field(default_factory=dict)
    exercises: Annotated[dict[str, ExerciseRecord], Field(max_length=1000)] = Field(default_factory=dict)

    def of(self, kind: type[AnyRecord], name: str) -> AnyRecord:
        """The record of a task; an empty one if nothing was done with it."""
        found: AnyRecord = getattr(self, kind.key).get(name, kind())
        return found


def read_progress(path: Path = FILE) -> Progress:
    """The progress in a file; empty if there is no file.

    Raises:
        TreinoError: kata_progress, the file is not what treino writes; disk errors.
    """
    try:
        data = read_bytes(path)
    except TreinoError as error:
        if error.rule == FILE_VANISHED.rule:
            return Progress()
        raise
    try:
        return Progress.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        reason = ".".join(map(str, first["loc"])) if first is not None else str(error)
        raise PROGRESS_FORM(path=path, reason=reason or "?") from None


def check_progress() -> None:
    """Refuse, before anything is run, a file that couldn't be read or written afterwards.

    Raises:
        TreinoError: the errors of ``read_progress`` and of ``OutputFile``.
    """
    read_progress()
    OutputFile(FILE, ENDINGS, replace=True)


def record(kind: type[AnyRecord], name: str, change: Callable[[AnyRecord], AnyRecord]) -> AnyRecord:
    """Change the record of a task and write it; several processes wait for each other.

    Raises:
        TreinoError: as ``check_progress``; disk errors.
    """
    with lock.alone(FILE.absolute().parent):
        progress = read_progress()
        changed = change(progress.of(kind, name))
        tasks = {**getattr(progress, kind.key), name: changed}
        OutputFile(FILE, ENDINGS, replace=True).write(text(progress.model_copy(update={kind.key: tasks})))
    return changed


def text(progress: Progress) -> bytes:
    """The progress as a file holds it."""
    return (json.dumps(progress.model_dump(), indent=1) + "\n").encode()
