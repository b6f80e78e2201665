"""A rule: its decision, the line to edit, its sentences, the safety of its fix, and two examples."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from treino.diagnosis.finding import Finding, Severity, Site
from treino.diagnosis.record.log import Log
from treino.words import _, numeral

Group = Literal["gradients", "losses", "modes", "data", "settings"]

# What keeps a training from learning at all, and so explains whatever else is wrong with its course.
NEVER_LEARNS = ("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs")


@dataclass(frozen=True)
class Evidence:
    """What a decision yields for a fault: the numbers that show it, and where it happened.

    seen: the line where it happened. at: the line that the record itself blames, where that is another one
    (the softmax, the constructor). stack: the own lines that led to ``at``, or to ``seen``, innermost first.
    sites: further lines that the placement needs, by name.
    numbers: plain values (int, float, str); they fill in the rule's sentences.
    """

    seen: Site | None
    numbers: dict[str, Any] = field(default_factory=dict)
    at: Site | None = None
    stack: tuple[Site, ...] = ()
    sites: dict[str, Site | None] = field(default_factory=dict)


def as_recorded(evidence: Evidence) -> Site | None:
    """The line that the record blames."""
    return evidence.at or evidence.seen


@dataclass(frozen=True)
class Rule:
    """One fault that the doctor knows.

    id: a contract, as users write it in ``# treino: ignore[id]``.
    certain: proven from state (graph, versions, shapes, hashes); otherwise a cause and a measured symptom.
    decide: a pure function of the log; yields one Evidence for each fault.
    place: the line that a person would edit, called only after the run.
    message, why, fix: sentences, marked with ``N_``; ``{names}`` are filled in from the evidence's numbers.
    wrong: a few lines that show the fault. mend: texts that occur once in them, and what makes them right in
    place of these. Tests run both examples after ``examples.PRELUDE``.
    safety: what the fix changes besides. limits: what the rule does not see. Both are for the documentation.
    early: may be reported before the script has ended.
    unless: rules whose findings explain this one, which is then left out.
    note: a sentence instead of a finding, where the source shows that this may be intended; or empty.
    """

    id: str
    group: Group
    severity: Severity
    certain: bool
    decide: Callable[[Log], Iterable[Evidence]]
    message: str
    why: str
    fix: str
    safety: str
    limits: str
    wrong: str
    mend: Mapping[str, str]
    early: bool = False
    unless: tuple[str, ...] = ()
    place: Callable[[Evidence], Site | None] = as_recorded
    note: Callable[[Evidence], str] | None = None

    @property
    def right(self) -> str:
        """The mended example."""
        lines = self.wrong
        for old, new in self.mend.items():
            lines = lines.replace(old, new)
        return lines

    def finding(self, evidence: Evidence) -> Finding:
        """A fault in this rule's words, at the line to edit."""
        place, numbers = self.place(evidence) or as_recorded(evidence), evidence.numbers
        texts = {k: numeral(v, ".4g") if isinstance(v, float) else v for k, v in numbers.items()}
        typed = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in numbers.items()}
        return Finding(
            rule=self.id,
            severity=self.severity,
            certain=self.certain,
            message=_(self.message).format(**texts),
            why=_(self.why).format(**texts),
            file=None if place is None else place.file,
            line=None if place is None else place.line,
            seen=evidence.seen,
            evidence=dict(numbers),
            fix=_(self.fix).format(**typed),
        )
