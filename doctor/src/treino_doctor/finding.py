"""What the doctor reports: a place in a file, and a finding."""

from dataclasses import dataclass
from typing import Any, Literal

from treino_doctor.cells import cell_of

Severity = Literal["wrong", "risk", "waste"]


@dataclass(frozen=True)
class Site:
    """A line of the user's own code."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Finding:
    """A fault, in words for the user."""

    rule: str
    severity: Severity
    certain: bool
    message: str
    why: str
    file: str | None
    line: int | None
    seen: Site | None
    evidence: dict[str, Any]
    fix: str

    @property
    def place(self) -> Site | None:
        """The line to edit."""
        return None if self.file is None else Site(self.file, self.line or 0)

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON object; its keys are stable. ``seen`` is ``{file, line}`` or null.

        For a notebook, ``line`` counts from the beginning of ``cell``, which is a further key of both.
        """
        seen = None if self.seen is None else place_as_json(self.seen.file, self.seen.line)
        return vars(self) | place_as_json(self.file, self.line) | {"seen": seen}


def place_as_json(file: str | None, line: int | None) -> dict[str, Any]:
    """``{file, line}``, and ``cell`` for a notebook, as values of JSON."""
    if (in_cell := cell_of(file, line)) is None:
        return {"file": file, "line": line}
    return {"file": file, "line": in_cell[1], "cell": in_cell[0]}
