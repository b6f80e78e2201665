"""The words of a rule: its id, its sentences, how safe its fix is, and its two examples."""

from dataclasses import dataclass
from typing import Any, Literal

from treino.diagnosis.finding import Finding, Severity, Site
from treino.words import _, numeral

Group = Literal["gradients", "losses", "modes", "data", "settings"]


@dataclass(frozen=True)
class Rule:
    """One fault that the doctor knows.

    id: a contract, as users write it in ``# treino: ignore[id]``.
    certain: proven from state (graph, versions, shapes, hashes); otherwise a cause and a measured symptom.
    message, why, fix: sentences, marked with ``N_``; ``{names}`` are filled in from the evidence's numbers.
    wrong, right: a few lines that show the fault and its mend; tests run both after ``examples.PRELUDE``.
    safety: what the fix changes besides. limits: what the rule does not see. Both are for the documentation.
    early: may be said before the script has ended.
    unless: rules whose finding explains this one, which then isn't said.
    """

    id: str
    group: Group
    severity: Severity
    certain: bool
    message: str
    why: str
    fix: str
    safety: str
    limits: str
    wrong: str
    right: str
    early: bool = False
    unless: tuple[str, ...] = ()

    def finding(self, place: Site | None, seen: Site | None, numbers: dict[str, Any]) -> Finding:
        """A fault in this rule's words. place: the line to edit."""
        place = place or seen
        shown = {k: numeral(v, ".4g") if isinstance(v, float) else v for k, v in numbers.items()}
        typed = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in numbers.items()}
        return Finding(
            rule=self.id,
            severity=self.severity,
            certain=self.certain,
            message=_(self.message).format(**shown),
            why=_(self.why).format(**shown),
            file=None if place is None else place.file,
            line=None if place is None else place.line,
            seen=seen,
            evidence=dict(numbers),
            fix=_(self.fix).format(**typed),
        )
