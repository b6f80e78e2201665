"""What the doctor reports: a place in a file, the evidence of a rule, and the finding made of both."""

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["wrong", "risk", "waste"]


@dataclass(frozen=True)
class Site:
    """A line of a person's own code."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Evidence:
    """What a rule's decision returns: where to edit, where it was seen, and the numbers that prove it.

    edit: the line where a person would change something; None where none is known.
    seen: the line where it happened, if that is another one.
    numbers: plain values (int, float, str); they also fill in the rule's sentences.
    """

    edit: Site | None
    seen: Site | None = None
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One fault, as a person reads it."""

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
        """The keys of the contract; ``seen`` is ``{file, line}`` or null."""
        seen = None if self.seen is None else {"file": self.seen.file, "line": self.seen.line}
        return {
            "rule": self.rule,
            "severity": self.severity,
            "certain": self.certain,
            "message": self.message,
            "why": self.why,
            "file": self.file,
            "line": self.line,
            "seen": seen,
            "evidence": self.evidence,
            "fix": self.fix,
        }
