"""``steering.jsonl``: all changes made to a script's training, with their steps, to be repeated later."""

import os
from collections.abc import Sequence
from json import JSONEncoder
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from treino.base.errors import Refusal, TreinoError
from treino.base.files import open_plain, trouble, write_all
from treino.base.words import _
from treino_studio.script.commands import ScriptCommand, read_command
from treino_studio.script.json_socket import decode

STEERING_FILE = Refusal(
    "{path}, line {line} is none that treino writes.",
    "Take the file again from where it came, or delete this line and what follows it.",
)

FORMAT = 1
_encode = JSONEncoder().encode  # made before the script runs: see json_socket.py
RECORDED = "set", "press", "stop"  # commands that change the result of a training


class SteeringHeader(BaseModel):
    """The first line: the steered script. sha256: its text's hash. steering: the version of the format."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    steering: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    script: str
    sha256: str
    args: Annotated[tuple[str, ...], Field(strict=False)]
    torch: str


class Change(NamedTuple):
    """A command, and the step just before which it acts. Steps of all optimizers together count from 1."""

    step: int
    command: ScriptCommand

    def to_json(self) -> dict[str, Any]:
        return {"step": self.step, **self.command.model_dump()}


class SteeringFile:
    """The file that records changes; it is created at the first change made by hand.

    path: the file's path; if it exists, a number is appended to the name.
    """

    def __init__(self, path: Path, header: SteeringHeader) -> None:
        self.path = path
        self._header = header
        self._changes: list[Change] = []
        self._descriptor: int | None = None

    @property
    def written(self) -> str | None:
        """The path of the file; None until it is created."""
        return None if self._descriptor is None else str(self.path)

    def add(self, change: Change, *, by_hand: bool = True) -> None:
        """Append a change. by_hand: False if it repeats a recorded one, or is a stop.

        Raises:
            TreinoError: the file can't be written.
        """
        if self._descriptor is not None:
            with trouble(self.path):
                self._write([change.to_json()])
        elif by_hand:
            self._begin([*self._changes, change])
        self._changes.append(change)

    def branch(self, folder: Path) -> "SteeringFile":
        """The file of a forked process, in this folder, with all changes up to now if some were by hand."""
        file = SteeringFile(folder / self.path.name, self._header)
        file._changes = [*self._changes]
        if self._descriptor is not None:
            file._begin(self._changes)
        self.close()
        return file

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _begin(self, changes: Sequence[Change]) -> None:
        with trouble(self.path):
            self._descriptor = self._opened()
            self._write([self._header.model_dump(), *(each.to_json() for each in changes)])

    def _write(self, lines: list[dict[str, Any]]) -> None:
        assert self._descriptor is not None
        write_all(self._descriptor, b"".join(_encode(line).encode() + b"\n" for line in lines))

    def _opened(self) -> int:
        first, number = self.path, 1
        while True:
            try:
                return open_plain(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
            except FileExistsError:
                number += 1
                self.path = first.with_name(f"{first.stem}-{number}{first.suffix}")


def read_steering(path: Path) -> tuple[SteeringHeader, Sequence[Change]]:
    """The header and the changes of a file, in the order of their steps.

    Raises:
        TreinoError: the file can't be read, or a line is damaged (rule ``steering_file``).
    """
    with trouble(path):
        lines = path.read_bytes().decode(errors="replace").splitlines()
    try:
        header = SteeringHeader.model_validate(_object(lines[0] if lines else ""))
    except (ValueError, ValidationError):
        raise _damaged(path, 1) from None
    changes: list[Change] = []
    for number, line in enumerate(lines[1:], 2):
        try:
            change = _change(line)
        except (ValueError, TreinoError):
            raise _damaged(path, number) from None
        if changes and change.step < changes[-1].step:
            raise _damaged(path, number)
        changes.append(change)
    return header, changes


def _change(line: str) -> Change:
    """Parse a line into a change. Raises ValueError or TreinoError if the line is invalid."""
    fields = {"do": "set", **_object(line)}
    step = fields.pop("step", None)
    if type(step) is not int or step < 1 or fields["do"] not in RECORDED:
        raise ValueError(line)
    command = read_command(fields)
    if not isinstance(command, ScriptCommand):
        raise ValueError(line)
    return Change(step, command)


def _object(line: str) -> dict[str, Any]:
    value = decode(line)
    if not isinstance(value, dict):
        raise ValueError(line)
    return value


def _damaged(path: Path, line: int) -> TreinoError:
    return STEERING_FILE(path=path, line=line)


def differences(header: SteeringHeader, now: SteeringHeader) -> list[str]:
    """Sentences on the differences between the recorded session (header) and the present one (now)."""
    sentences = []
    if header.sha256 != now.sha256:
        sentences.append(
            _("{script} is not the script that was steered: its text differs.").format(script=now.script)
        )
    if header.args != now.args:
        sentences.append(
            _("It was steered with the arguments {before!r}, and now has {now!r}.").format(
                before=" ".join(header.args), now=" ".join(now.args)
            )
        )
    if header.torch != now.torch:
        sentences.append(
            _("It was steered under torch {before}; this is torch {now}.").format(
                before=header.torch, now=now.torch
            )
        )
    return sentences
