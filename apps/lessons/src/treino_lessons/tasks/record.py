"""A pupil's record: what was done with each task, in a JSON file in the working directory.

The pupil may read, copy and delete this file. One that treino can't read is reported and left alone.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, ValidationError

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

STEM, ENDINGS = "kata", (".json",)
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Time = Annotated[str, Field(max_length=40)]  # as ISO 8601


class TaskRecord(Document):
    """What was done with one task.

    hints: shown. checks: of a file. tries: checks of a file that was changed. solved: when a check first
    passed, or None. shown: whether the solution was shown before. before, after: a kata's figures on fresh
    rows at the last check that passed.
    """

    hints: Count = 0
    checks: Count = 0
    tries: Count = 0
    solved: Annotated[Time | None, Field(validation_alias=AliasChoices("solved", "mended"))] = None
    shown: bool = False
    before: float | None = None
    after: float | None = None


Tasks = Annotated[dict[str, TaskRecord], Field(max_length=1000)]


class Progress(Document):
    """The content of the file. tasks: by their names."""

    format: Literal[2] = 2
    tasks: Tasks = Field(default_factory=dict)

    def of(self, name: str) -> TaskRecord:
        """The record of a task; an empty one if nothing was done with it."""
        return self.tasks.get(name) or TaskRecord()


class FirstFormat(Document):
    """The content of a file of earlier versions, with katas, whose ``solved`` was ``mended``, apart."""

    format: Literal[1] = 1
    katas: Tasks = Field(default_factory=dict)
    exercises: Tasks = Field(default_factory=dict)

    def progress(self) -> Progress:
        """The same in today's format."""
        return Progress(tasks=self.exercises | self.katas, **(self.model_extra or {}))


def record_path(pupil: str | None) -> Path:
    """The file of a pupil; None: the only one in this folder."""
    return Path(f"{STEM}-{pupil}.json" if pupil else f"{STEM}.json")


def read_progress(path: Path) -> Progress:
    """The progress in a file; empty if there is no file.

    Raises:
        TreinoError: kata_progress, the file is not what treino writes; disk errors.
    """
    try:
        content = json.loads(read_bytes(path))
        if isinstance(content, dict) and content.get("format", 1) == 1:
            return FirstFormat.model_validate(content).progress()
        return Progress.model_validate(content)
    except TreinoError as error:
        if error.rule == FILE_VANISHED.rule:
            return Progress()
        raise
    except (ValueError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        reason = ".".join(map(str, first["loc"])) if first is not None else str(error)
        raise PROGRESS_FORM(path=path, reason=reason or "?") from None


def check_progress(path: Path) -> Progress:
    """The progress in a file that can be written afterwards.

    Raises:
        TreinoError: the errors of ``read_progress`` and of ``OutputFile``.
    """
    OutputFile(path, ENDINGS, replace=True)
    return read_progress(path)


def record(path: Path, name: str, change: Callable[[TaskRecord], TaskRecord]) -> TaskRecord:
    """Change the record of a task and write it; several processes wait for each other.

    Raises:
        TreinoError: as ``check_progress``; disk errors.
    """
    with lock.alone(path.absolute().parent):
        progress = read_progress(path)
        changed = change(progress.of(name))
        tasks = {**progress.tasks, name: changed}
        OutputFile(path, ENDINGS, replace=True).write(text(progress.model_copy(update={"tasks": tasks})))
    return changed


def text(progress: Progress) -> bytes:
    """The progress as a file holds it."""
    return (json.dumps(progress.model_dump(), indent=1) + "\n").encode()
